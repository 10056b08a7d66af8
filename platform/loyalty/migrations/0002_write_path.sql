-- The write path in two calls: open_batch() locks and loads, append() writes. Both belong to the
-- ledger role, because the serving roles may neither lock nor write money rows. They evolve by new
-- types and a new function; the old ones stay for one release (rolling deployments).

-- What open_batch answers ---------------------------------------------------------------------
create type loyalty.member_row as (id uuid, external_id text, status text, enrolled_at timestamptz,
  attributes jsonb);
create type loyalty.account_row as (id uuid, owner_id uuid, unit text, kind text, balance bigint,
  deficit bigint, version bigint);
create type loyalty.fact_row as (id uuid, kind text, scope text, key text, member_id uuid,
  cause_id uuid, occurred_at timestamptz, payload jsonb, answer jsonb, body jsonb);
create type loyalty.lot_row as (id uuid, account_id uuid, fact_id uuid, program_id uuid, rule text,
  remaining bigint, occurred_at timestamptz, available_at timestamptz, settles_at timestamptz,
  expires_at timestamptz, ended bigint);
create type loyalty.use_row as (fact_id uuid, account_id uuid, lot_id uuid, kind text,
  amount bigint);
create type loyalty.redemption_row as (id uuid, member_id uuid, program_id uuid, unit text,
  state text, amount bigint, captured bigint, target text, order_ref text, hold_fact_id uuid,
  capture_fact_id uuid, held_until timestamptz, reversible boolean, grace interval,
  created_at timestamptz);
create type loyalty.trait_row as (member_id uuid, name text, value jsonb, since timestamptz,
  until timestamptz);
create type loyalty.counter_row as (ord integer, value bigint);
create type loyalty.parked_row as (id uuid, source text, return_id text, purchase_external_id text,
  payload jsonb, occurred_at timestamptz, actor text);

create type loyalty.follow_row as (id uuid, root_id uuid, kind text, member_id uuid, state text,
  due_at timestamptz, hop smallint);

-- What a batch asks for -------------------------------------------------------------------------
-- ref: how a fact names its member. kind: i id, e external id, n identifier, s the member of the
-- fact known as (scope, value), r the member of a redemption; o the owner of an account as it is.
create type loyalty.ref_in as (kind text, value text, scope text);
create type loyalty.key_in as (scope text, key text);
-- lots: which lots of a ref's account in `unit` are wanted. amount null: all that are open.
create type loyalty.lots_in as (ref integer, unit text, amount bigint, at timestamptz);
-- counter: member counters name a ref; ref null is the tenant's own counter.
create type loyalty.counter_want as (ord integer, ref integer, name text, since timestamptz,
  before timestamptz);

create function loyalty.open_batch(
  _t uuid, _refs loyalty.ref_in[], _natural loyalty.key_in[], _client text[], _client_key text[],
  _sales loyalty.key_in[], _redemptions uuid[], _lots loyalty.lots_in[], _traits text[],
  _counters loyalty.counter_want[], _owners uuid[], _parked loyalty.key_in[],
  out epoch bigint, out status text, out refs uuid[], out members loyalty.member_row[],
  out accounts loyalty.account_row[], out known loyalty.fact_row[], out commands loyalty.fact_row[],
  out sales loyalty.fact_row[], out returns loyalty.fact_row[],
  out follow_ons loyalty.follow_row[],
  out redemptions loyalty.redemption_row[], out lots loyalty.lot_row[], out uses loyalty.use_row[],
  out traits loyalty.trait_row[], out counters loyalty.counter_row[],
  out parked loyalty.parked_row[])
language plpgsql security definer set search_path = pg_catalog, pg_temp
  set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off
  as $f$
declare sale_ids uuid[]; tenant_wide text[]; locked uuid[]; theirs uuid[]; mine uuid[];
begin
  if _t is distinct from loyalty.tenant() then
    raise exception 'not the tenant of this transaction' using errcode = '42501';
  end if;

  -- 1. The tenant: shared by batches, so that a change of its setup waits for batches under way
  --    and every later batch sees it.
  select t.epoch, t.status into epoch, status from loyalty.tenant t where t.tenant_id = _t for share;
  if not found then
    raise exception 'no such tenant' using errcode = 'P0002';
  end if;

  -- 2. Who the facts are about. Facts and redemptions never change their member.
  select coalesce(array_agg(x.id order by r.ord), '{}') into refs
    from unnest(_refs) with ordinality r(kind, value, scope, ord)
    left join lateral (
      select m.id from loyalty.member m
       where r.kind = 'i' and m.tenant_id = _t and m.id = r.value::uuid
      union all
      select m.id from loyalty.member m
       where r.kind = 'e' and m.tenant_id = _t and m.external_id = r.value
      union all
      select i.member_id from loyalty.member_identifier i
       where r.kind = 'n' and i.tenant_id = _t and i.value = r.value
      union all
      select f.member_id from loyalty.fact f
       where r.kind = 's' and f.tenant_id = _t and f.scope = r.scope and f.key = r.value
      union all
      select d.member_id from loyalty.redemption d
       where r.kind = 'r' and d.tenant_id = _t and d.id = r.value::uuid
      union all
      select r.value::uuid where r.kind = 'o'
      limit 1) x on true;

  -- 3. Lock members, then the accounts of other owners, in ascending order. Nothing that decides is
  --    read here: what a locking statement returns may be older than what it waited for.
  --    Here and below each key is looked up by itself, `lateral`: a join would be free to walk all
  --    rows of the tenant, and that is what it does where statistics are old or know nothing of it.
  select array_agg(distinct x) into locked from unnest(refs) x where x is not null;
  perform 1 from unnest(locked) x cross join lateral (
    select 1 from loyalty.member m where m.tenant_id = _t and m.id = x for no key update) y;
  if cardinality(_owners) > 0 then
    select array_agg(a.id order by a.id) into theirs
      from (select distinct x from unnest(_owners) x) o cross join lateral (
        select a.id from loyalty.account a
         where a.tenant_id = _t and a.owner_id = o.x and a.stored offset 0) a;
    perform 1 from unnest(theirs) x cross join lateral (
      select 1 from loyalty.account a where a.tenant_id = _t and a.id = x for no key update) y;
  end if;

  -- 4. What is true now: a statement of its own each, so each sees what the locks waited for.
  if cardinality(locked) > 0 then
    select array_agg(row(m.id, m.external_id, m.status, m.enrolled_at, m.attributes)
        ::loyalty.member_row) into members
      from unnest(locked) x cross join lateral (
        select m.* from loyalty.member m where m.tenant_id = _t and m.id = x limit 1) m;
    select array_agg(row(a.id, a.owner_id, a.unit, a.kind, a.balance, a.deficit, a.version)
        ::loyalty.account_row), array_agg(a.id) into accounts, mine
      from (select distinct x from unnest(locked || _owners) x) o cross join lateral (
        select a.* from loyalty.account a
         where a.tenant_id = _t and a.owner_id = o.x and a.stored offset 0) a;
  end if;
  if cardinality(_natural) > 0 then
    select array_agg(row(f.id, f.kind, f.scope, f.key, f.member_id, f.cause_id, f.occurred_at,
        f.payload, f.answer, null)::loyalty.fact_row) into known
      from unnest(_natural) k cross join lateral (
        select f.* from loyalty.fact f
         where f.tenant_id = _t and f.scope = k.scope and f.key = k.key limit 1) f;
  end if;
  if cardinality(_client) > 0 then
    select array_agg(row(c.fact_id, c.kind, c.client, c.key, c.member_id, null, c.created_at,
        c.input, c.answer, null)::loyalty.fact_row) into commands
      from unnest(_client, _client_key) k(client, key) cross join lateral (
        select c.* from loyalty.command_key c
         where c.tenant_id = _t and c.client = k.client and c.key = k.key limit 1) c;
  end if;
  if cardinality(_sales) > 0 then
    select array_agg(row(f.id, f.kind, f.scope, f.key, f.member_id, f.cause_id, f.occurred_at,
        f.payload, '{}'::jsonb, d.body)::loyalty.fact_row), array_agg(f.id) into sales, sale_ids
      from unnest(_sales) k cross join lateral (
        select f.* from loyalty.fact f
         where f.tenant_id = _t and f.scope = k.scope and f.key = k.key limit 1) f
      left join lateral (
        select d.body from loyalty.decision d
         where d.tenant_id = _t and d.fact_id = f.id limit 1) d on true;
    select array_agg(row(f.id, f.kind, f.scope, f.key, f.member_id, f.cause_id, f.occurred_at,
        f.payload, '{}'::jsonb, d.body)::loyalty.fact_row) into returns
      from unnest(sale_ids) x cross join lateral (
        select f.* from loyalty.fact f where f.tenant_id = _t and f.cause_id = x
           and f.kind in ('PurchaseReversed', 'FactReversed') offset 0) f
      left join lateral (
        select d.body from loyalty.decision d
         where d.tenant_id = _t and d.fact_id = f.id limit 1) d on true;
    select array_agg(row(d.id, d.root_id, d.kind, d.member_id, d.state, d.due_at, d.hop)
        ::loyalty.follow_row) into follow_ons
      from unnest(sale_ids) x cross join lateral (
        select d.* from loyalty.due_fact d where d.tenant_id = _t and d.root_id = x offset 0) d;
  end if;
  if cardinality(_redemptions) > 0 then
    select array_agg(row(r.id, r.member_id, r.program_id, r.unit, r.state, r.amount, r.captured,
        r.target, r.order_ref, r.hold_fact_id, r.capture_fact_id, r.held_until, r.reversible,
        r.grace, r.created_at)::loyalty.redemption_row) into redemptions
      from unnest(_redemptions) x cross join lateral (
        select r.* from loyalty.redemption r where r.tenant_id = _t and r.id = x limit 1) r;
    select array_agg(row(u.fact_id, u.account_id, u.lot_id, u.kind, u.amount)::loyalty.use_row)
      into uses
      from unnest(redemptions) r cross join lateral (
        select u.* from loyalty.lot_use u
         where u.tenant_id = _t and u.fact_id in (r.hold_fact_id, r.capture_fact_id) offset 0) u;
  end if;

  -- 5. Lots: as many in burn order as the wanted amounts need; those of the sales that come back;
  --    those that the redemptions used.
  if cardinality(_lots) > 0 or sale_ids is not null or uses is not null then
    select array_agg(row(l.id, l.account_id, l.fact_id, l.program_id, l.rule, l.remaining,
        l.occurred_at, l.available_at, l.settles_at, l.expires_at,
        case when l.fact_id = any(sale_ids) then (
          select coalesce(sum(u.amount), 0)::bigint from loyalty.lot_use u where u.tenant_id = _t
             and u.account_id = l.account_id and u.lot_id = l.id and u.kind = 'EXPIRE')
          else 0 end)::loyalty.lot_row) into lots
      from (
        select q.account_id, q.lot_id from (
          select o.account_id, o.id as lot_id, w.amount,
                 sum(o.remaining) over (partition by w.ord
                   order by o.expires_at nulls last, o.occurred_at, o.id) - o.remaining as before
            from unnest(_lots) with ordinality w(ref, unit, amount, at, ord)
            cross join lateral (
              select a.id from loyalty.account a where a.tenant_id = _t and a.owner_id = refs[w.ref]
                 and a.unit = w.unit and a.kind = 'main' and a.stored offset 0) a
            cross join lateral (
              select o.* from loyalty.lot o
               where o.tenant_id = _t and o.account_id = a.id and o.remaining > 0
                 and (w.amount is null or (o.available_at <= w.at
                       and (o.expires_at is null or o.expires_at > w.at))) offset 0) o) q
         where q.amount is null or q.before < q.amount
        union
        select o.account_id, o.id from unnest(sale_ids) x cross join lateral (
          select o.account_id, o.id from loyalty.lot o
           where o.tenant_id = _t and o.fact_id = x offset 0) o
        union
        select u.account_id, u.lot_id from unnest(uses) u) wanted
      cross join lateral (
        select l.* from loyalty.lot l where l.tenant_id = _t and l.account_id = wanted.account_id
           and l.id = wanted.lot_id limit 1) l
     where l.account_id = any(mine);
  end if;

  if cardinality(_traits) > 0 then
    select array_agg(row(x.member_id, x.name, x.value, x.since, x.until)::loyalty.trait_row
        order by x.since, x.recorded_at) into traits
      from unnest(locked) m cross join lateral (
        select x.* from loyalty.trait x where x.tenant_id = _t and x.member_id = m
           and x.name = any(_traits) offset 0) x;
  end if;
  if cardinality(_parked) > 0 then
    select array_agg(row(p.id, p.source, p.return_id, p.purchase_external_id, p.payload,
        p.occurred_at, p.actor)::loyalty.parked_row order by p.occurred_at, p.id) into parked
      from unnest(_parked) k cross join lateral (
        select p.* from loyalty.parked_return p where p.tenant_id = _t and p.source = k.scope
           and p.purchase_external_id = k.key and p.state = 'PARKED' offset 0) p;
  end if;

  -- 6. Counters. The tenant's own come last in the lock order and are held for the shortest time:
  --    one row per name is locked, then the buckets are read in a statement that sees them all.
  if cardinality(_counters) > 0 then
    select array_agg(distinct w.name order by w.name) into tenant_wide
      from unnest(_counters) w where w.ref is null;
    if tenant_wide is not null then
      insert into loyalty.counter (tenant_id, name, member_id, bucket, value)
        select _t, n, '00000000-0000-0000-0000-000000000000', '-infinity', 0
          from unnest(tenant_wide) n order by n on conflict do nothing;
      perform 1 from loyalty.counter c where c.tenant_id = _t and c.name = any(tenant_wide)
         and c.member_id = '00000000-0000-0000-0000-000000000000' and c.bucket = '-infinity'
        order by c.name for no key update;
    end if;
    select array_agg(row(w.ord, s.value)::loyalty.counter_row) into counters
      from unnest(_counters) w
      cross join lateral (
        select coalesce(sum(c.value), 0)::bigint as value from loyalty.counter c
         where c.tenant_id = _t and c.name = w.name
           and c.member_id = coalesce(refs[w.ref], '00000000-0000-0000-0000-000000000000')
           and c.bucket >= w.since and c.bucket < w.before) s;
  end if;
end $f$;

-- What append takes -------------------------------------------------------------------------------
create type loyalty.member_in as (id uuid, external_id text, status text, attributes jsonb,
  enrolled_at timestamptz, closed_at timestamptz);
create type loyalty.identifier_in as (value text, member_id uuid);
create type loyalty.account_in as (id uuid, owner_kind text, owner_id uuid, unit text, kind text,
  stored boolean);
create type loyalty.fact_in as (id uuid, kind text, scope text, key text, member_id uuid,
  occurred_at timestamptz, cause_id uuid, hop smallint, actor text, request_id text, payload jsonb,
  answer jsonb, body jsonb);
create type loyalty.command_in as (client text, key text, fact_id uuid, kind text, member_id uuid,
  input jsonb, answer jsonb);
create type loyalty.posting_in as (fact_id uuid, seq smallint, unit text, from_id uuid, to_id uuid,
  amount bigint, uncovered bigint, from_version bigint, to_version bigint, from_balance bigint,
  to_balance bigint, kind text, program_id uuid, rule text, label text, occurred_at timestamptz);
create type loyalty.lot_in as (account_id uuid, id uuid, fact_id uuid, program_id uuid, rule text,
  accounting_class text, granted bigint, cost bigint, occurred_at timestamptz,
  available_at timestamptz, settles_at timestamptz, expires_at timestamptz);
create type loyalty.use_in as (account_id uuid, lot_id uuid, fact_id uuid, kind text,
  amount bigint, occurred_at timestamptz);
create type loyalty.term_in as (account_id uuid, lot_id uuid, fact_id uuid, expires_at timestamptz,
  previous timestamptz, occurred_at timestamptz);
create type loyalty.redemption_in as (id uuid, member_id uuid, program_id uuid, unit text,
  state text, amount bigint, captured bigint, target text, order_ref text, hold_fact_id uuid,
  capture_fact_id uuid, held_until timestamptz, reversible boolean, grace interval,
  created_at timestamptz);
create type loyalty.trait_in as (member_id uuid, name text, fact_id uuid, value jsonb,
  since timestamptz, until timestamptz);
create type loyalty.counter_in as (name text, member_id uuid, bucket timestamptz, delta bigint);
create type loyalty.due_in as (id uuid, cause_id uuid, root_id uuid, hop smallint, seq smallint,
  kind text, member_id uuid, payload jsonb, due_at timestamptz);
create type loyalty.parked_in as (id uuid, source text, return_id text, purchase_external_id text,
  state text, payload jsonb, occurred_at timestamptz, ends_at timestamptz, reason jsonb, actor text);
create type loyalty.settled_in as (id uuid, state text, reason jsonb);
create type loyalty.outbox_in as (id uuid, topic text, fact_id uuid, member_id uuid, payload jsonb);

create function loyalty.append(
  _t uuid, _epoch bigint, _at timestamptz, _members loyalty.member_in[],
  _identifiers loyalty.identifier_in[], _accounts loyalty.account_in[], _facts loyalty.fact_in[],
  _commands loyalty.command_in[], _postings loyalty.posting_in[], _lots loyalty.lot_in[],
  _uses loyalty.use_in[], _terms loyalty.term_in[], _redemptions loyalty.redemption_in[],
  _traits loyalty.trait_in[], _counters loyalty.counter_in[], _due loyalty.due_in[],
  _settled loyalty.settled_in[], _parked loyalty.parked_in[], _outbox loyalty.outbox_in[])
returns void language plpgsql security definer set search_path = pg_catalog, pg_temp
  set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off
  as $f$
-- Rows that change are found by their keys one by one, see open_batch: a join of a table with an
-- array walks all rows of the tenant as soon as statistics say that these are few.
declare wrong bigint; used record; moved record; term record; done record;
begin
  if _t is distinct from loyalty.tenant() then
    raise exception 'not the tenant of this transaction' using errcode = '42501';
  end if;

  if cardinality(_members) > 0 then
    insert into loyalty.member
        (tenant_id, id, external_id, status, attributes, enrolled_at, closed_at)
      select _t, x.* from unnest(_members) x order by x.external_id
      on conflict (tenant_id, id) do update set status = excluded.status,
        closed_at = excluded.closed_at, version = loyalty.member.version + 1;
    insert into loyalty.member_identifier (tenant_id, value, member_id)
      select _t, x.* from unnest(_identifiers) x order by x.value;
  end if;
  if cardinality(_accounts) > 0 then
    insert into loyalty.account (tenant_id, id, owner_kind, owner_id, unit, kind, stored)
      select _t, x.* from unnest(_accounts) x order by x.id on conflict do nothing;
  end if;

  -- In key order: two batches that bring the same keys wait for each other one way only. A key that
  -- another process is just bringing for another member ends in 23505, and the batch runs again.
  insert into loyalty.fact (tenant_id, id, kind, scope, key, member_id, occurred_at, recorded_at,
      epoch, cause_id, hop, actor, request_id, payload, answer)
    select _t, x.id, x.kind, x.scope, x.key, x.member_id, x.occurred_at, _at, _epoch, x.cause_id,
        x.hop, x.actor, x.request_id, x.payload, x.answer
      from unnest(_facts) x order by x.scope, x.key;
  insert into loyalty.decision (tenant_id, fact_id, body)
    select _t, x.id, x.body from unnest(_facts) x where x.body is not null;
  if cardinality(_commands) > 0 then
    insert into loyalty.command_key
        (tenant_id, client, key, fact_id, kind, member_id, input, answer, created_at)
      select _t, x.*, _at from unnest(_commands) x order by x.client, x.key;
  end if;

  if cardinality(_postings) > 0 then
    insert into loyalty.posting (tenant_id, fact_id, seq, unit, from_id, to_id, amount, uncovered,
        from_version, to_version, from_balance, to_balance, kind, program_id, rule, label,
        occurred_at, recorded_at)
      select _t, x.*, _at from unnest(_postings) x;
    insert into loyalty.lot (tenant_id, account_id, id, fact_id, program_id, rule,
        accounting_class, granted, cost, occurred_at, available_at, settles_at, expires_at,
        remaining)
      select _t, x.*, x.granted from unnest(_lots) x;
    if cardinality(_uses) > 0 then
      insert into loyalty.lot_use (tenant_id, account_id, lot_id, fact_id, kind, amount,
          occurred_at, recorded_at)
        select _t, x.*, _at from unnest(_uses) x;
      -- check (remaining between 0 and granted) is the guard
      for used in select x.account_id, x.lot_id, sum(x.amount)::bigint as amount
                    from unnest(_uses) x group by 1, 2 loop
        update loyalty.lot l set remaining = l.remaining - used.amount
         where l.tenant_id = _t and l.account_id = used.account_id and l.id = used.lot_id;
      end loop;
    end if;

    -- What lots opened, took and gave back must be what the postings say, fact by fact.
    select count(*) into wrong from (
      select x.fact_id, x.account_id from (
        select p.fact_id, p.to_id as account_id, p.amount as v, 0::bigint as w
          from unnest(_postings) p where p.to_version is not null
        union all
        select p.fact_id, p.from_id, 0, p.amount - p.uncovered
          from unnest(_postings) p where p.from_version is not null
        union all
        select l.fact_id, l.account_id, -l.granted, 0 from unnest(_lots) l
        union all
        select u.fact_id, u.account_id, case when u.amount < 0 then u.amount else 0 end,
               case when u.amount > 0 and u.kind <> 'REPAY' then -u.amount else 0 end
          from unnest(_uses) u) x
       group by 1, 2 having sum(x.v) <> 0 or sum(x.w) <> 0) unbalanced
      cross join lateral (
        select 1 from loyalty.account a where a.tenant_id = _t and a.id = unbalanced.account_id
           and a.kind = 'main' limit 1) a;
    if wrong <> 0 then
      raise exception 'lots and postings disagree' using errcode = '22000';
    end if;

    -- Balances follow from the postings, never from an argument. The version proves that nothing
    -- moved since open_batch; the balances written on the postings must come out.
    for moved in
      select m.id, m.unit, sum(m.delta)::bigint as delta, sum(m.uncovered)::bigint as uncovered,
             sum(m.repaid)::bigint as repaid, max(m.version) as version, count(m.version) as n,
             (array_agg(m.after order by m.version desc nulls last))[1] as after
        from (select to_id as id, unit, amount as delta, 0::bigint as uncovered,
                     0::bigint as repaid, to_version as version, to_balance as after
                from unnest(_postings) where to_version is not null
              union all
              select from_id, unit, -amount, uncovered, 0, from_version, from_balance
                from unnest(_postings) where from_version is not null
              union all
              select u.account_id, a.unit, 0, 0, u.amount, null, null
                from unnest(_uses) u cross join lateral (
                  select a.unit from loyalty.account a
                   where a.tenant_id = _t and a.id = u.account_id limit 1) a
               where u.kind = 'REPAY') m
       group by 1, 2
    loop
      update loyalty.account a
         set balance = a.balance + moved.delta + moved.uncovered - moved.repaid,
             deficit = a.deficit + moved.uncovered - moved.repaid,
             version = moved.version
       where a.tenant_id = _t and a.id = moved.id and a.unit = moved.unit and a.stored
         and a.version = moved.version - moved.n
         and a.balance - a.deficit + moved.delta = moved.after;
      if not found then
        raise exception 'an account moved under the batch' using errcode = '40001';
      end if;
    end loop;
    select count(*) into wrong
      from (select from_id as id, unit from unnest(_postings) where from_version is null
            union
            select to_id, unit from unnest(_postings) where to_version is null) d
      cross join lateral (
        select a.stored, a.unit from loyalty.account a
         where a.tenant_id = _t and a.id = d.id limit 1) a
     where a.stored or a.unit <> d.unit;
    if wrong <> 0 then
      raise exception 'a stored account was named without its version' using errcode = '22000';
    end if;
  end if;

  if cardinality(_terms) > 0 then
    insert into loyalty.lot_term (tenant_id, account_id, lot_id, fact_id, expires_at, previous,
        occurred_at, recorded_at)
      select _t, x.*, _at from unnest(_terms) x;
    -- several facts of a batch may have moved a lot's end: the last one says where to
    for term in select distinct on (x.account_id, x.lot_id) x.account_id, x.lot_id, x.expires_at
                  from unnest(_terms) with ordinality x
                 order by x.account_id, x.lot_id, x.ordinality desc loop
      update loyalty.lot l set expires_at = term.expires_at
       where l.tenant_id = _t and l.account_id = term.account_id and l.id = term.lot_id;
    end loop;
  end if;
  if cardinality(_redemptions) > 0 then
    insert into loyalty.redemption (tenant_id, id, member_id, program_id, unit, state, amount,
        captured, target, order_ref, hold_fact_id, capture_fact_id, held_until, reversible, grace,
        created_at, updated_at)
      select _t, x.*, _at from unnest(_redemptions) x
      on conflict (tenant_id, id) do update set state = excluded.state,
        captured = excluded.captured, order_ref = excluded.order_ref,
        capture_fact_id = excluded.capture_fact_id, updated_at = excluded.updated_at;
  end if;
  if cardinality(_traits) > 0 then
    insert into loyalty.trait
        (tenant_id, member_id, name, fact_id, value, since, until, recorded_at)
      select _t, x.*, _at from unnest(_traits) x
      on conflict (tenant_id, member_id, name, since, fact_id) do nothing;
  end if;
  if cardinality(_counters) > 0 then
    insert into loyalty.counter (tenant_id, name, member_id, bucket, value)
      select _t, x.name, x.member_id, x.bucket, x.delta from unnest(_counters) x
       order by x.name, x.member_id, x.bucket
      on conflict (tenant_id, name, member_id, bucket)
      do update set value = loyalty.counter.value + excluded.value;
  end if;
  if cardinality(_due) > 0 then
    insert into loyalty.due_fact
        (tenant_id, id, cause_id, root_id, hop, seq, kind, member_id, payload, due_at)
      select _t, x.* from unnest(_due) x;
  end if;
  if cardinality(_parked) > 0 then
    insert into loyalty.parked_return (tenant_id, id, source, return_id, purchase_external_id,
        state, payload, occurred_at, parked_at, ends_at, reason, actor)
      select _t, x.id, x.source, x.return_id, x.purchase_external_id, x.state, x.payload,
        x.occurred_at, _at, x.ends_at, x.reason, x.actor from unnest(_parked) x
       order by x.source, x.return_id;
  end if;
  if cardinality(_settled) > 0 then
    -- Settled or called off, never both: whoever comes second decides anew.
    for done in select * from unnest(_settled) loop
      update loyalty.due_fact d set state = done.state, reason = done.reason
       where d.tenant_id = _t and d.id = done.id and d.state = 'WAITING';
      if not found then
        update loyalty.parked_return p set state = case done.state when 'DONE' then 'APPLIED'
            else done.state end, reason = done.reason, settled_at = _at
         where p.tenant_id = _t and p.id = done.id and p.state = 'PARKED';
      end if;
      if not found then
        raise exception 'it was settled under the batch' using errcode = '40001';
      end if;
    end loop;
  end if;
  insert into loyalty.outbox (tenant_id, id, topic, fact_id, member_id, payload, ready_at,
      recorded_at)
    select _t, x.*, _at, _at from unnest(_outbox) x;
end $f$;

do $$
declare f regprocedure;
begin
  for f in select p.oid from pg_proc p join pg_namespace n on n.oid = p.pronamespace
            where n.nspname = 'loyalty' and p.proname in ('open_batch', 'append')
  loop
    execute format('revoke all on function %s from public', f);
    execute format('grant execute on function %s to loyalty_app, loyalty_worker', f);
    execute format('alter function %s owner to loyalty_ledger', f);
  end loop;
end $$;
