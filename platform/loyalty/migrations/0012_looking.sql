-- Previews look and lock nothing: `read_batch` is `open_batch` without its locks. It is STABLE, so
-- PostgreSQL itself refuses any lock or write in it, and all of its statements see one snapshot.
--
-- It is made out of open_batch and not written a second time, or the two would drift apart. A
-- migration that replaces open_batch ends with `call loyalty.make_read_batch()`.

create procedure loyalty.make_read_batch() language plpgsql as $p$
declare source text; made regprocedure;
begin
  -- The newest open_batch: the ones of the release before are called by its code alone.
  select pg_get_functiondef(p.oid) into strict source from pg_proc p
    join pg_namespace n on n.oid = p.pronamespace
   where n.nspname = 'loyalty' and p.proname = 'open_batch' order by p.oid desc limit 1;
  source := replace(source, 'FUNCTION loyalty.open_batch(', 'FUNCTION loyalty.read_batch(');
  source := replace(source, 'LANGUAGE plpgsql', 'LANGUAGE plpgsql STABLE');
  source := regexp_replace(source, '\mfor (no key update|share)\M', '', 'gi');
  source := regexp_replace(source, 'insert into loyalty\.counter [^;]*;', '', 'gi');
  execute source;
  for made in select p.oid from pg_proc p join pg_namespace n on n.oid = p.pronamespace
               where n.nspname = 'loyalty' and p.proname = 'read_batch' loop
    execute format('revoke all on function %s from public', made);
    execute format('grant execute on function %s to loyalty_app, loyalty_worker', made);
    execute format('alter function %s owner to loyalty_ledger', made);
  end loop;
end $p$;
revoke all on procedure loyalty.make_read_batch() from public;

call loyalty.make_read_batch();
