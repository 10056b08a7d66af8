-- Partners in other installations. What the two share stands there and here, in a half each, as
-- between tenants; but no transaction spans both, so an exchange goes leg by leg.
alter table loyalty.partners_agreement
  add column peer_id uuid,
  add column compare_at timestamptz,
  add constraint partners_agreement_one_partner
    check (peer_id is null or partner_tenant_id is null) not valid,
  add constraint partners_agreement_compared
    check (compare_at is null or peer_id is not null) not valid;
-- A tenant has a few hundred agreements at most.
-- squawk-ignore require-concurrent-index-creation
create index partners_agreement_compare on loyalty.partners_agreement (tenant_id, compare_at)
  where compare_at is not null;
grant update (compare_at) on loyalty.partners_agreement to loyalty_app;
grant update (compare_at) on loyalty.partners_agreement to loyalty_worker;

-- A line that never came to be at the partner is taken out by one of kind VOID, at its own instant.
-- Rows that are there were checked by less: what is allowed only grows.
alter table loyalty.partners_movement
  -- squawk-ignore ban-drop-constraint
  drop constraint partners_movement_kind_check,
  add constraint partners_movement_kind_check check (kind in
    ('EXCHANGE', 'ISSUE', 'EARN', 'BURN', 'REVERSAL', 'CORRECTION', 'PACK', 'SETTLEMENT', 'VOID'))
    not valid,
  -- squawk-ignore ban-drop-constraint
  drop constraint partners_movement_check,
  add constraint partners_movement_check check ((of_id is not null) =
    (kind in ('REVERSAL', 'CORRECTION', 'SETTLEMENT', 'VOID'))) not valid;

-- Our leg of an exchange with another installation, by the exchange's id, which is the same there.
-- The taker's row decides: whichever comes first, CREDITED or VOIDED, an id is never both. One that
-- is VOIDED there may be of an exchange, or an agreement, that it never heard of before.
-- `due_at`: when the partner is to be asked or told next (null: there is nothing to say).
create table loyalty.partners_leg (
  tenant_id uuid not null,
  id uuid not null,
  agreement_id uuid not null,
  peer_id uuid not null,
  outgoing boolean not null,
  state text not null check (state in ('PENDING', 'CREDITED', 'SETTLED', 'VOIDED')),
  reversal text check (reversal in ('ASKED', 'TAKEN', 'DONE')),
  giving_up boolean not null default false,
  happened_at timestamptz not null,
  changed_at timestamptz not null,
  reversed_at timestamptz,
  due_at timestamptz,
  attempts integer not null default 0 check (attempts >= 0),
  problem text check (length(problem) <= 300),
  check (outgoing or state <> 'PENDING'),
  check (reversal is null or state = 'SETTLED'),
  check ((reversal in ('TAKEN', 'DONE')) = (reversed_at is not null)));
create index partners_leg_due on loyalty.partners_leg (tenant_id, due_at) where due_at is not null;
create index partners_leg_time on loyalty.partners_leg (tenant_id, agreement_id, happened_at, id);
alter table loyalty.partners_leg add primary key (tenant_id, id);

-- What both sides said of a day (in UTC) of exchanges, each of its own half, in our words: theirs
-- turned round. MATCHED: nothing was under way and all of it was equal.
create table loyalty.partners_day (
  tenant_id uuid not null,
  agreement_id uuid not null,
  day date not null,
  state text not null check (state in ('MATCHED', 'WAITING', 'DIFFERS')),
  exchanges bigint not null,
  amount bigint not null,
  ours jsonb not null,
  theirs jsonb,
  differing uuid[] not null default '{}',
  compared_at timestamptz not null,
  foreign key (tenant_id, agreement_id) references loyalty.partners_agreement (tenant_id, id));
alter table loyalty.partners_day add primary key (tenant_id, agreement_id, day);

call loyalty.protect('partners_leg');
call loyalty.protect('partners_day');
grant select, insert, update (state, reversal, giving_up, changed_at, reversed_at, due_at, attempts,
  problem) on loyalty.partners_leg to loyalty_app, loyalty_worker;
grant select on loyalty.partners_day to loyalty_app;
grant select, insert, update on loyalty.partners_day to loyalty_worker;
grant select on loyalty.partners_leg, loyalty.partners_day to loyalty_audit;

-- Tenants that have something to say to a partner elsewhere.
create policy queue_reads on loyalty.partners_leg for select to loyalty_queue using (true);
grant select (tenant_id, due_at) on loyalty.partners_leg to loyalty_queue;
grant select (compare_at) on loyalty.partners_agreement to loyalty_queue;
create function loyalty.partners_due(_now timestamptz) returns uuid[] language sql stable
  security definer set search_path = pg_catalog, pg_temp
  set enable_seqscan = off set enable_bitmapscan = off as $$
  select coalesce(array_agg(t.tenant_id order by random()), '{}') from loyalty.tenant t
   where t.status = 'ACTIVE' and (
     exists (select 1 from loyalty.partners_leg l
              where l.tenant_id = t.tenant_id and l.due_at <= _now)
     or exists (select 1 from loyalty.partners_agreement a
                 where a.tenant_id = t.tenant_id and a.compare_at <= _now))
$$;
revoke all on function loyalty.partners_due(timestamptz) from public;
grant execute on function loyalty.partners_due(timestamptz) to loyalty_worker;
alter function loyalty.partners_due(timestamptz) owner to loyalty_queue;

-- Rates once more, now with brands of other installations: there, a brand is known by its address
-- and name, and our half of an agreement has both directions. What such brands agree on among
-- themselves is not seen from here.
create policy queue_reads on loyalty.peer for select to loyalty_queue using (true);
grant select (tenant_id, id, url, remote) on loyalty.peer to loyalty_queue;
grant select (peer_id) on loyalty.partners_agreement to loyalty_queue;
-- squawk-ignore ban-drop-function
drop function loyalty.partners_gain(uuid, timestamptz);
create function loyalty.partners_gain(_agreement uuid, _now timestamptz) returns boolean
  language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  with recursive rate as (
    select a.id, a.tenant_id || ':' || a.unit as ours,
           coalesce(a.partner_tenant_id::text, p.url || ' ' || p.remote) || ':' || a.partner_unit
             as theirs,
           a.peer_id is not null as remote, t.terms
      from loyalty.partners_agreement a
      join loyalty.partners_terms t on (t.tenant_id, t.agreement_id) = (a.tenant_id, a.id)
      left join loyalty.peer p on (p.tenant_id, p.id) = (a.tenant_id, a.peer_id)
     where a.kind = 'EXCHANGE' and a.state in ('ACTIVE', 'SUSPENDED') and t.state = 'ACCEPTED'
       and (a.partner_tenant_id is not null or a.peer_id is not null)
       and not exists (
         select from loyalty.partners_terms n
          where (n.tenant_id, n.agreement_id, n.state) = (a.tenant_id, a.id, 'ACCEPTED')
            and n.effective_from <= _now
            and (n.effective_from, n.number) > (t.effective_from, t.number))),
  edge as (
    select id, ours as source, theirs as target, (terms #>> '{give,burn}')::numeric as burned,
           (terms #>> '{give,credit}')::numeric as credited
      from rate where terms #>> '{give,burn}' is not null
    union all
    select id, theirs, ours, (terms #>> '{take,burn}')::numeric, (terms #>> '{take,credit}')::numeric
      from rate where remote and terms #>> '{take,burn}' is not null),
  walk as (
    select e.source, e.target, e.burned, e.credited, array[e.target] as seen
      from edge e where e.id = _agreement
    union all
    select w.source, e.target, w.burned * e.burned, w.credited * e.credited, w.seen || e.target
      from walk w join edge e on e.source = w.target
     where w.target <> w.source and cardinality(w.seen) < 8 and e.target <> all (w.seen))
  select exists (select from walk w where w.target = w.source and w.credited > w.burned)
$$;
revoke all on function loyalty.partners_gain(uuid, timestamptz) from public;
grant execute on function loyalty.partners_gain(uuid, timestamptz) to loyalty_app;
alter function loyalty.partners_gain(uuid, timestamptz) owner to loyalty_queue;
