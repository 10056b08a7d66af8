-- Exchanges of which a partner elsewhere never spoke have an end, too: two persons give the points
-- back, and the program bears it should they have been credited. The partner may still speak later.
alter table loyalty.partners_leg
  add column written_off_at timestamptz,
  -- Rows that are there were checked by less: what is allowed only grows.
  -- squawk-ignore ban-drop-constraint
  drop constraint partners_leg_state_check,
  add constraint partners_leg_state_check
    check (state in ('PENDING', 'CREDITED', 'SETTLED', 'VOIDED', 'WRITTEN_OFF')) not valid,
  add constraint partners_leg_written_off
    check (state <> 'WRITTEN_OFF' or outgoing and written_off_at is not null) not valid;
grant update (written_off_at) on loyalty.partners_leg to loyalty_app;
grant update (written_off_at) on loyalty.partners_leg to loyalty_worker;

-- Who asked that an exchange is written off, and who approved. That these are two is said here,
-- whatever code asks.
create table loyalty.partners_write_off (
  tenant_id uuid not null,
  id uuid not null,
  reason text not null check (length(reason) between 1 and 1000),
  asked_by text not null,
  asked_client text not null,
  asked_at timestamptz not null,
  approved_by text,
  approved_client text,
  approved_at timestamptz,
  check ((approved_by is null) = (approved_at is null)),
  check ((approved_client is null) = (approved_at is null)),
  constraint partners_write_off_two_persons check (approved_client <> asked_client),
  foreign key (tenant_id, id) references loyalty.partners_leg (tenant_id, id));
alter table loyalty.partners_write_off add primary key (tenant_id, id);
call loyalty.protect('partners_write_off');
grant select, insert, delete, update (reason, approved_by, approved_client, approved_at)
  on loyalty.partners_write_off to loyalty_app;
grant select on loyalty.partners_write_off to loyalty_worker;
grant select on loyalty.partners_write_off to loyalty_audit;

-- Since when the exchange waits that has waited longest for a partner's word, over all tenants.
grant select (state, happened_at) on loyalty.partners_leg to loyalty_queue;
-- Few are pending at a time.
-- squawk-ignore require-concurrent-index-creation
create index partners_leg_pending on loyalty.partners_leg (tenant_id, happened_at)
  where state = 'PENDING';
create function loyalty.partners_waiting() returns timestamptz language sql stable
  security definer set search_path = pg_catalog, pg_temp
  set enable_seqscan = off set enable_bitmapscan = off as $$
  select min(x.at) from loyalty.tenant t cross join lateral (
    select l.happened_at as at from loyalty.partners_leg l
     where l.tenant_id = t.tenant_id and l.state = 'PENDING' order by l.happened_at limit 1) x
   where t.status = 'ACTIVE'
$$;
revoke all on function loyalty.partners_waiting() from public;
grant execute on function loyalty.partners_waiting() to loyalty_worker;
alter function loyalty.partners_waiting() owner to loyalty_queue;
