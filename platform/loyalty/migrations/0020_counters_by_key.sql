-- A counter is looked up by its whole key. The member whom it is about stood in its condition as
-- `coalesce(refs[w.ref], ..)`, which row security does not trust to look at rows before the policy
-- did: so it was no part of the index scan, and each look-up read that counter of all members. It is
-- worked out beforehand now.

-- Who owns the schema may drop a function of the ledger's, not replace it: so it is dropped first.
create or replace procedure loyalty.make_read_batch() language plpgsql as $p$
declare source text; arguments text; made regprocedure;
begin
  -- The newest open_batch: the ones of the release before are called by its code alone.
  select pg_get_functiondef(p.oid), pg_get_function_identity_arguments(p.oid)
    into strict source, arguments from pg_proc p join pg_namespace n on n.oid = p.pronamespace
   where n.nspname = 'loyalty' and p.proname = 'open_batch' order by p.oid desc limit 1;
  source := replace(source, 'FUNCTION loyalty.open_batch(', 'FUNCTION loyalty.read_batch(');
  source := replace(source, 'LANGUAGE plpgsql', 'LANGUAGE plpgsql STABLE');
  source := regexp_replace(source, '\mfor (no key update|share)\M', '', 'gi');
  source := regexp_replace(source, 'insert into loyalty\.counter [^;]*;', '', 'gi');
  execute format('drop function if exists loyalty.read_batch(%s)', arguments);
  execute source;
  for made in select p.oid from pg_proc p join pg_namespace n on n.oid = p.pronamespace
               where n.nspname = 'loyalty' and p.proname = 'read_batch' loop
    execute format('revoke all on function %s from public', made);
    execute format('grant execute on function %s to loyalty_app, loyalty_worker', made);
    execute format('alter function %s owner to loyalty_ledger', made);
  end loop;
end $p$;

-- The newest open_batch, and nothing else of it is changed.
do $$
declare found regprocedure; source text; arguments text; changed text;
  inlined constant text := 'from unnest(_counters) w
      cross join lateral (
        select coalesce(sum(c.value), 0)::bigint as value from loyalty.counter c
         where c.tenant_id = _t and c.name = w.name
           and c.member_id = coalesce(refs[w.ref], ''00000000-0000-0000-0000-000000000000'')
           and c.bucket >= w.since and c.bucket < w.before) s';
  beforehand constant text := 'from unnest(_counters) w
      cross join lateral (
        select coalesce(refs[w.ref], ''00000000-0000-0000-0000-000000000000'') as id offset 0) m
      cross join lateral (
        select coalesce(sum(c.value), 0)::bigint as value from loyalty.counter c
         where c.tenant_id = _t and c.name = w.name and c.member_id = m.id
           and c.bucket >= w.since and c.bucket < w.before) s';
begin
  select p.oid, pg_get_functiondef(p.oid), pg_get_function_identity_arguments(p.oid)
    into strict found, source, arguments from pg_proc p join pg_namespace n on n.oid = p.pronamespace
   where n.nspname = 'loyalty' and p.proname = 'open_batch' order by p.oid desc limit 1;
  changed := replace(source, inlined, beforehand);
  if changed = source then
    raise exception 'open_batch does not look counters up as this migration knows it';
  end if;
  execute format('drop function %s', found);
  execute changed;
  execute format('revoke all on function loyalty.open_batch(%s) from public', arguments);
  execute format('grant execute on function loyalty.open_batch(%s) to loyalty_app, loyalty_worker',
    arguments);
  execute format('alter function loyalty.open_batch(%s) owner to loyalty_ledger', arguments);
end $$;

call loyalty.make_read_batch();
