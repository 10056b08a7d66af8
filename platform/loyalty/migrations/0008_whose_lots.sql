-- open_batch looks the account of wanted lots up by its owner. As it stood in 0005, a condition told
-- members and other owners apart in a way that no index answers: each want walked all accounts of the
-- tenant. And of an account whose ended lots are wanted, only those are read. Nothing else of the
-- function is changed.
do $$
begin
  execute (select format('drop function %s', p.oid::regprocedure) from pg_proc p
             join pg_namespace n on n.oid = p.pronamespace
            where n.nspname = 'loyalty' and p.proname = 'open_batch' and p.pronargs = 13);
end $$;
create function loyalty.open_batch(
  _t uuid, _refs loyalty.ref_in[], _natural loyalty.key_in[], _client text[], _client_key text[],
  _sales loyalty.key_in[], _redemptions uuid[], _lots loyalty.lots_in[], _traits text[],
  _counters loyalty.counter_want[], _owner_kinds text[], _owner_ids uuid[],
  _parked loyalty.key_in[],
  out epoch bigint, out status text, out refs uuid[], out members loyalty.member_row[],
  out accounts loyalty.account_state[], out known loyalty.fact_row[], out commands loyalty.fact_row[],
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

  -- 2. Who the facts are about. Facts and redemptions never change their member, nor lots and holds
  --    their account.
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
      limit 1) x on true;

  -- 3. Lock members, then the accounts of other owners, in ascending order. Nothing that decides is
  --    read here: what a locking statement returns may be older than what it waited for.
  --    Here and below each key is looked up by itself, `lateral`: a join would be free to walk all
  --    rows of the tenant, and that is what it does where statistics are old or know nothing of it.
  --    Whose the other accounts are: the owners named, those whom the sales that come back were
  --    granted to, those whom the redemptions took from. An account that is opened only now is not
  --    locked and not shown below: whoever opens it as well is refused by its first version.
  select array_agg(distinct x) into locked from unnest(refs) x where x is not null;
  perform 1 from unnest(locked) x cross join lateral (
    select 1 from loyalty.member m where m.tenant_id = _t and m.id = x for no key update) y;
  if cardinality(_owner_ids) > 0 or cardinality(_sales) > 0 or cardinality(_redemptions) > 0 then
    select array_agg(a.id order by a.id) into theirs
      from (
        select o.kind, o.id from unnest(_owner_kinds, _owner_ids) o(kind, id)
        union
        select a.owner_kind, a.owner_id from unnest(_sales) k
          cross join lateral (
            select f.id from loyalty.fact f
             where f.tenant_id = _t and f.scope = k.scope and f.key = k.key limit 1) f
          cross join lateral (
            select l.account_id from loyalty.lot l
             where l.tenant_id = _t and l.fact_id = f.id offset 0) l
          cross join lateral (
            select a.owner_kind, a.owner_id from loyalty.account a
             where a.tenant_id = _t and a.id = l.account_id limit 1) a
        union
        select a.owner_kind, a.owner_id from unnest(_redemptions) x
          cross join lateral (
            select r.hold_fact_id from loyalty.redemption r
             where r.tenant_id = _t and r.id = x limit 1) r
          cross join lateral (
            select u.account_id from loyalty.lot_use u
             where u.tenant_id = _t and u.fact_id = r.hold_fact_id offset 0) u
          cross join lateral (
            select a.owner_kind, a.owner_id from loyalty.account a
             where a.tenant_id = _t and a.id = u.account_id limit 1) a) o
      cross join lateral (
        select a.id from loyalty.account a
         where a.tenant_id = _t and a.owner_id = o.id and a.owner_kind = o.kind and a.stored
         offset 0) a
     where o.kind <> 'MEMBER';
    perform 1 from unnest(theirs) x cross join lateral (
      select 1 from loyalty.account a where a.tenant_id = _t and a.id = x for no key update) y;
  end if;

  -- 4. What is true now: a statement of its own each, so each sees what the locks waited for.
  if cardinality(locked) > 0 then
    select array_agg(row(m.id, m.external_id, m.status, m.enrolled_at, m.attributes)
        ::loyalty.member_row) into members
      from unnest(locked) x cross join lateral (
        select m.* from loyalty.member m where m.tenant_id = _t and m.id = x limit 1) m;
  end if;
  if cardinality(locked) > 0 or cardinality(theirs) > 0 then
    select array_agg(row(a.id, a.owner_kind, a.owner_id, a.unit, a.kind, a.balance, a.deficit,
        a.version, a.terms)::loyalty.account_state), array_agg(a.id) into accounts, mine
      from (
        select a.* from unnest(locked) x cross join lateral (
          select a.* from loyalty.account a where a.tenant_id = _t and a.owner_id = x
             and a.owner_kind = 'MEMBER' and a.stored offset 0) a
        union all
        select a.* from unnest(theirs) x cross join lateral (
          select a.* from loyalty.account a where a.tenant_id = _t and a.id = x limit 1) a) a;
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

  -- 5. Lots: as many in burn order as the wanted amounts need (none given: all; less than nothing:
  --    those that have ended); those of the sales that come back; those that the redemptions used.
  if cardinality(_lots) > 0 or sale_ids is not null or uses is not null then
    with whose as materialized (
      select w.ord, w.amount, w.at, a.id as account_id
        from unnest(_lots) with ordinality w(ref, unit, amount, at, ord)
        cross join lateral (
          select case when (_refs[w.ref]).kind = 'o' then ((_refs[w.ref]).value)::uuid
                      else refs[w.ref] end as id,
                 case when (_refs[w.ref]).kind = 'o' then (_refs[w.ref]).scope
                      else 'MEMBER' end as kind) o
        cross join lateral (
          select a.id from loyalty.account a where a.tenant_id = _t and a.owner_id = o.id
             and a.owner_kind = o.kind and a.unit = w.unit and a.kind = 'main' and a.stored
             offset 0) a)
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
            from whose w cross join lateral (
              select o.* from loyalty.lot o
               where o.tenant_id = _t and o.account_id = w.account_id and o.remaining > 0
                 and (w.amount is null or (o.available_at <= w.at
                       and (o.expires_at is null or o.expires_at > w.at))) offset 0) o
           where w.amount is null or w.amount >= 0) q
         where q.amount is null or q.before < q.amount
        union
        select o.account_id, o.id from whose w cross join lateral (
          select o.account_id, o.id from loyalty.lot o
           where o.tenant_id = _t and o.account_id = w.account_id and o.remaining > 0
             and o.expires_at <= w.at offset 0) o
         where w.amount < 0
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

do $$
declare f regprocedure;
begin
  for f in select p.oid from pg_proc p join pg_namespace n on n.oid = p.pronamespace
            where n.nspname = 'loyalty' and p.proname = 'open_batch' and p.pronargs = 13
  loop
    execute format('revoke all on function %s from public', f);
    execute format('grant execute on function %s to loyalty_app, loyalty_worker', f);
    execute format('alter function %s owner to loyalty_ledger', f);
  end loop;
end $$;
