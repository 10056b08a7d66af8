-- append changes the lots and accounts of a batch in one statement each: a statement a row built its
-- checks anew every time, half of what it took. The rows' places are looked up first, key by key. Then
-- index scans are off like all others, and the places are the only way to the rows that is left:
-- whatever statistics say, nothing walks the tenant. Under the batch's locks no row changes its place;
-- were it otherwise, one would be missed, and the batch refused.
do $$
begin
  execute (select format('drop function %s', p.oid::regprocedure) from pg_proc p
             join pg_namespace n on n.oid = p.pronamespace
            where n.nspname = 'loyalty' and p.proname = 'append');
end $$;
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
declare wrong bigint; changed bigint; told record; term record; done record;
  places tid[]; amounts bigint[];  -- what changes, and by how much
  units text[]; owed bigint[]; versions bigint[]; counts bigint[]; balances bigint[];
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
      select array_agg(o.ctid), array_agg(x.amount) into places, amounts
        from (select x.account_id, x.lot_id, sum(x.amount)::bigint as amount
                from unnest(_uses) x group by 1, 2) x
        cross join lateral (
          select o.ctid from loyalty.lot o
           where o.tenant_id = _t and o.account_id = x.account_id and o.id = x.lot_id limit 1) o;
      perform set_config('enable_indexscan', 'off', true);
      update loyalty.lot l set remaining = l.remaining - x.amount
        from unnest(places, amounts) x(place, amount)
       where l.ctid = x.place and l.tenant_id = _t;
      get diagnostics changed = row_count;
      perform set_config('enable_indexscan', 'on', true);
      if changed is distinct from cardinality(places) then
        raise exception 'a lot moved under the batch' using errcode = '40001';
      end if;
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
    select array_agg(a.ctid), array_agg(m.unit), array_agg(m.delta), array_agg(m.owed),
           array_agg(m.version), array_agg(m.n), array_agg(m.after)
      into places, units, amounts, owed, versions, counts, balances
      from (
        select m.id, m.unit, sum(m.delta)::bigint as delta, sum(m.owed)::bigint as owed,
               max(m.version) as version, count(m.version) as n,
               (array_agg(m.after order by m.version desc nulls last))[1] as after
          from (select to_id as id, unit, amount as delta, 0::bigint as owed,
                       to_version as version, to_balance as after
                  from unnest(_postings) where to_version is not null
                union all
                select from_id, unit, -amount, uncovered, from_version, from_balance
                  from unnest(_postings) where from_version is not null
                union all
                select u.account_id, a.unit, 0, -u.amount, null, null
                  from unnest(_uses) u cross join lateral (
                    select a.unit from loyalty.account a
                     where a.tenant_id = _t and a.id = u.account_id limit 1) a
                 where u.kind = 'REPAY') m
         group by 1, 2) m
      left join lateral (
        select a.ctid from loyalty.account a where a.tenant_id = _t and a.id = m.id limit 1) a
        on true;
    perform set_config('enable_indexscan', 'off', true);
    update loyalty.account a
       set balance = a.balance + m.delta + m.owed, deficit = a.deficit + m.owed,
           version = m.version
      from unnest(places, units, amounts, owed, versions, counts, balances)
             m(place, unit, delta, owed, version, n, after)
     where a.ctid = m.place and a.tenant_id = _t and a.unit = m.unit and a.stored
       and a.version = m.version - m.n and a.balance - a.deficit + m.delta = m.after;
    get diagnostics changed = row_count;
    perform set_config('enable_indexscan', 'on', true);
    if changed <> coalesce(cardinality(places), 0) then
      raise exception 'an account moved under the batch' using errcode = '40001';
    end if;
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
    -- Each term is a version of its account, in the order in which the batch gave them.
    insert into loyalty.lot_term (tenant_id, account_id, lot_id, fact_id, expires_at, previous,
        occurred_at, recorded_at, version)
      select _t, x.account_id, x.lot_id, x.fact_id, x.expires_at, x.previous, x.occurred_at, _at,
          a.terms + row_number() over (partition by x.account_id order by x.ordinality)
        from unnest(_terms) with ordinality x cross join lateral (
          select a.terms from loyalty.account a
           where a.tenant_id = _t and a.id = x.account_id limit 1) a;
    for told in select x.account_id, count(*) as n from unnest(_terms) x group by 1 loop
      update loyalty.account a set terms = a.terms + told.n
       where a.tenant_id = _t and a.id = told.account_id;
    end loop;
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
  select p.oid into f from pg_proc p join pg_namespace n on n.oid = p.pronamespace
   where n.nspname = 'loyalty' and p.proname = 'append';
  execute format('revoke all on function %s from public', f);
  execute format('grant execute on function %s to loyalty_app, loyalty_worker', f);
  execute format('alter function %s owner to loyalty_ledger', f);
end $$;
