-- The lots that ended are all that a sweep asks for, and each of them is met once: they are read where
-- their index leads, instead of being named first, sorted, and looked up again one by one. Whose
-- they are is joined to what they are asked by: within an array of rows, reading the hundredth walks
-- the ninety-nine before it.

-- The newest open_batch, and nothing else of it is changed.
do $$
declare found regprocedure; source text; arguments text; changed text;
  asked constant text :=
    'if cardinality(_lots) > 0 or sale_ids is not null or uses is not null then
    with whose as materialized (';
  ended constant text :=
    'if cardinality(_lots) > 0 and sale_ids is null and uses is null and not exists (
      select 1 from unnest(_lots) w where w.amount is null or w.amount >= 0) then
    select array_agg(row(l.id, l.account_id, l.fact_id, l.program_id, l.rule, l.remaining,
        l.occurred_at, l.available_at, l.settles_at, l.expires_at, 0::bigint)
        ::loyalty.lot_row) into lots
      from (
        select a.id, max(w.at) as at from unnest(_lots) w(ref, unit, amount, at)
          join unnest(_refs) with ordinality r(kind, value, scope, ord) on r.ord = w.ref
          cross join lateral (
            select case r.kind when ''o'' then r.value::uuid else refs[w.ref] end as id,
                   case r.kind when ''o'' then r.scope else ''MEMBER'' end as kind offset 0) o
          cross join lateral (
            select a.id from loyalty.account a where a.tenant_id = _t and a.owner_id = o.id
               and a.owner_kind = o.kind and a.unit = w.unit and a.kind = ''main'' and a.stored
               offset 0) a
         where a.id = any(mine) group by a.id) whose
      cross join lateral (
        select l.* from loyalty.lot l
         where l.tenant_id = _t and l.account_id = whose.id and l.remaining > 0
           and l.expires_at <= whose.at offset 0) l;
  elsif cardinality(_lots) > 0 or sale_ids is not null or uses is not null then
    with whose as materialized (';
begin
  select p.oid, pg_get_functiondef(p.oid), pg_get_function_identity_arguments(p.oid)
    into strict found, source, arguments from pg_proc p join pg_namespace n on n.oid = p.pronamespace
   where n.nspname = 'loyalty' and p.proname = 'open_batch' order by p.oid desc limit 1;
  changed := replace(source, asked, ended);
  if changed = source then
    raise exception 'open_batch does not ask for lots as this migration knows it';
  end if;
  execute format('drop function %s', found);
  execute changed;
  execute format('revoke all on function loyalty.open_batch(%s) from public', arguments);
  execute format('grant execute on function loyalty.open_batch(%s) to loyalty_app, loyalty_worker',
    arguments);
  execute format('alter function loyalty.open_batch(%s) owner to loyalty_ledger', arguments);
end $$;

call loyalty.make_read_batch();
