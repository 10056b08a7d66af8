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
-- What the partner did is not known of has an instant to ask again, so the index of these finds it.
grant select (state, happened_at) on loyalty.partners_leg to loyalty_queue;
create function loyalty.partners_waiting() returns timestamptz language sql stable
  security definer set search_path = pg_catalog, pg_temp
  set enable_seqscan = off set enable_bitmapscan = off as $$
  select min(x.at) from loyalty.tenant t cross join lateral (
    select min(l.happened_at) as at from loyalty.partners_leg l
     where l.tenant_id = t.tenant_id and l.due_at is not null and l.state = 'PENDING') x
   where t.status = 'ACTIVE'
$$;
revoke all on function loyalty.partners_waiting() from public;
grant execute on function loyalty.partners_waiting() to loyalty_worker;
alter function loyalty.partners_waiting() owner to loyalty_queue;

-- Rates once more. Looking at each way through other brands by itself takes for ever where many
-- exchange with many; the best way to each brand, round by round, does not, and finds rounds of any
-- length. `_quoted`: terms that apply no more count as well, as long as a quote under them is good.
-- squawk-ignore ban-drop-function
drop function loyalty.partners_gain(uuid, timestamptz);
create function loyalty.partners_gain(
  _agreement uuid, _now timestamptz, _quoted integer default null) returns boolean
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
  agreed uuid[]; sources text[]; targets text[]; burns numeric[]; credits numeric[];
  begun record; places text[]; burned numeric[]; credited numeric[]; reached record;
begin
  with rate as (
    select a.id, a.tenant_id || ':' || a.unit as ours,
           coalesce(a.partner_tenant_id::text, p.url || ' ' || p.remote) || ':' || a.partner_unit
             as theirs,
           a.peer_id is not null as remote, t.terms
      from loyalty.partners_agreement a
      join loyalty.partners_terms t on (t.tenant_id, t.agreement_id) = (a.tenant_id, a.id)
      left join loyalty.peer p on (p.tenant_id, p.id) = (a.tenant_id, a.peer_id)
     where a.kind = 'EXCHANGE' and a.state in ('ACTIVE', 'SUSPENDED') and t.state = 'ACCEPTED'
       and (a.partner_tenant_id is not null or a.peer_id is not null)
       and ((a.id, t.number) = (_agreement, _quoted) or not exists (
         select from loyalty.partners_terms n
          where (n.tenant_id, n.agreement_id, n.state) = (a.tenant_id, a.id, 'ACCEPTED')
            and n.effective_from <= _now
            and (n.effective_from, n.number) > (t.effective_from, t.number)))),
  edge as (
    select id, ours as source, theirs as target, (terms #>> '{give,burn}')::numeric as burn,
           (terms #>> '{give,credit}')::numeric as credit
      from rate where terms #>> '{give,burn}' is not null
    union all
    select id, theirs, ours, (terms #>> '{take,burn}')::numeric, (terms #>> '{take,credit}')::numeric
      from rate where remote and terms #>> '{take,burn}' is not null)
  select array_agg(id), array_agg(source), array_agg(target), array_agg(burn), array_agg(credit)
    into agreed, sources, targets, burns, credits from edge;
  for begun in select e.s, e.t, e.b, e.c
                 from unnest(agreed, sources, targets, burns, credits) e (id, s, t, b, c)
                where e.id = _agreement
  loop
    places := array[begun.t]; burned := array[begun.b]; credited := array[begun.c];
    for step in 1 .. 100 loop
      -- The best way to each place so far, or by one more exchange; sixty digits tell which is best.
      select array_agg(y.n order by y.n) as n, array_agg(y.b order by y.n) as b,
             array_agg(y.c order by y.n) as c into reached from (
        select distinct on (x.n) x.n, x.b, x.c from (
          select w.n, w.b, w.c from unnest(places, burned, credited) w (n, b, c)
          union all
          select e.t, w.b * e.b, w.c * e.c from unnest(places, burned, credited) w (n, b, c)
            join unnest(sources, targets, burns, credits) e (s, t, b, c) on e.s = w.n
           where w.n <> begun.s) x
         order by x.n, div(x.c * 1e60, x.b) desc) y;
      if exists (select from unnest(reached.n, reached.b, reached.c) w (n, b, c)
                  where w.n = begun.s and w.c > w.b) then
        return true;
      end if;
      exit when (reached.n, reached.b, reached.c) = (places, burned, credited);
      places := reached.n; burned := reached.b; credited := reached.c;
    end loop;
  end loop;
  return false;
end $$;
revoke all on function loyalty.partners_gain(uuid, timestamptz, integer) from public;
grant execute on function loyalty.partners_gain(uuid, timestamptz, integer) to loyalty_app;
alter function loyalty.partners_gain(uuid, timestamptz, integer) owner to loyalty_queue;
