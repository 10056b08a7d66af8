-- What is watched from outside: how long things wait, when each ledger was audited, and the trace
-- that an outbox row goes on with.

-- The trace of the transaction that wrote the row (W3C traceparent), where it was traced.
alter table loyalty.outbox
  add column trace text default nullif(current_setting('app.trace', true), '');

-- The oldest thing of each kind that is due and not done, of all tenants; null: nothing waits.
create function loyalty.backlog(_now timestamptz) returns table (queue text, since timestamptz)
  language sql stable security definer set search_path = pg_catalog, pg_temp
  set enable_seqscan = off set enable_bitmapscan = off as $$
  with t as materialized (select tenant_id from loyalty.tenant where status = 'ACTIVE')
  select 'outbox', min(x.at) from t cross join lateral (
    select o.ready_at as at from loyalty.outbox o where o.tenant_id = t.tenant_id
       and o.state = 'READY' and o.ready_at <= _now order by o.ready_at limit 1) x
  union all
  select 'jobs', min(x.at) from t cross join lateral (
    select j.due_at as at from loyalty.job j where j.tenant_id = t.tenant_id and j.due_at <= _now
     order by j.due_at limit 1) x
  union all
  select 'follow_ons', min(x.at) from t cross join lateral (
    select d.due_at as at from loyalty.due_fact d where d.tenant_id = t.tenant_id
       and d.state = 'WAITING' and d.due_at <= _now order by d.due_at limit 1) x
  union all
  select 'lots', min(x.at) from t cross join lateral (
    select l.expires_at as at from loyalty.lot l where l.tenant_id = t.tenant_id
       and l.remaining > 0 and l.expires_at <= _now order by l.expires_at limit 1) x
  union all
  select 'holds', min(x.at) from t cross join lateral (
    select r.held_until as at from loyalty.redemption r where r.tenant_id = t.tenant_id
       and r.state = 'HELD' and r.held_until <= _now order by r.held_until limit 1) x
$$;
revoke all on function loyalty.backlog(timestamptz) from public;
grant execute on function loyalty.backlog(timestamptz) to loyalty_worker;
alter function loyalty.backlog(timestamptz) owner to loyalty_queue;

-- One row a tenant: its newest audit, and the one under way.
create table loyalty.ledger_audit (
  tenant_id uuid not null,
  begun_at timestamptz not null,
  audited_at timestamptz,
  findings bigint not null default 0);
alter table loyalty.ledger_audit add primary key (tenant_id);
call loyalty.protect('ledger_audit');
grant select on loyalty.ledger_audit to loyalty_app, loyalty_worker, loyalty_audit;
grant insert, update on loyalty.ledger_audit to loyalty_worker;
grant select on loyalty.ledger_audit to loyalty_queue;
create policy queue_reads on loyalty.ledger_audit for select to loyalty_queue using (true);

-- Tenants whose ledger nobody began to audit since, longest ago first; never audited ones before.
create function loyalty.tenants_to_audit(_since timestamptz) returns uuid[]
  language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select coalesce(array_agg(t.tenant_id order by a.begun_at nulls first), '{}')
    from loyalty.tenant t left join loyalty.ledger_audit a on a.tenant_id = t.tenant_id
   where a.begun_at is null or a.begun_at <= _since
$$;
revoke all on function loyalty.tenants_to_audit(timestamptz) from public;
grant execute on function loyalty.tenants_to_audit(timestamptz) to loyalty_worker;
alter function loyalty.tenants_to_audit(timestamptz) owner to loyalty_queue;

-- When the tenant that was audited longest ago was, and how many findings all of them have.
create function loyalty.audits() returns table (oldest timestamptz, findings bigint)
  language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select min(coalesce(a.audited_at, a.begun_at)), coalesce(sum(a.findings), 0)::bigint
    from loyalty.ledger_audit a
$$;
revoke all on function loyalty.audits() from public;
grant execute on function loyalty.audits() to loyalty_worker;
alter function loyalty.audits() owner to loyalty_queue;
