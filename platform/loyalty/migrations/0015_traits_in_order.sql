-- Of traits that begin at one instant the one that was set last holds, also where one batch set both:
-- they are loaded in the order of their facts. Until now facts of one batch, which have one
-- recorded_at, came in any order. Nothing else of open_batch is changed.
do $p$
declare found regprocedure; looking regprocedure; source text;
begin
  select p.oid, pg_get_functiondef(p.oid) into strict found, source from pg_proc p
    join pg_namespace n on n.oid = p.pronamespace
   where n.nspname = 'loyalty' and p.proname = 'open_batch' order by p.oid desc limit 1;
  if strpos(source, 'order by x.since, x.recorded_at)') = 0 then
    raise exception 'open_batch loads traits otherwise than this migration knows';
  end if;
  -- They belong to the ledger's role: only a new one can be put in their place.
  for looking in select p.oid from pg_proc p join pg_namespace n on n.oid = p.pronamespace
                  where n.nspname = 'loyalty' and p.proname = 'read_batch' loop
    execute format('drop function %s', looking);
  end loop;
  execute format('drop function %s', found);
  execute replace(
    source, 'order by x.since, x.recorded_at)', 'order by x.since, x.recorded_at, x.fact_id)');
  select p.oid into strict found from pg_proc p join pg_namespace n on n.oid = p.pronamespace
   where n.nspname = 'loyalty' and p.proname = 'open_batch' order by p.oid desc limit 1;
  execute format('revoke all on function %s from public', found);
  execute format('grant execute on function %s to loyalty_app, loyalty_worker', found);
  execute format('alter function %s owner to loyalty_ledger', found);
end $p$;

call loyalty.make_read_batch();
