-- Roles and schema. Nobody that serves traffic owns anything or bypasses row security.
--   loyalty_owner     owns schema and tables, runs migrations       (no login)
--   loyalty_ledger    owns open_batch() and append()                (no login)
--   loyalty_queue     owns the few functions that see all tenants   (no login)
--   loyalty_migrator  may become loyalty_owner                      (login of the migration job)
--   loyalty_app       API processes   loyalty_worker  workers   loyalty_audit  read-only
do $$
declare r text;
begin
  foreach r in array array['loyalty_owner', 'loyalty_ledger', 'loyalty_queue'] loop
    if not exists (select 1 from pg_roles where rolname = r) then
      execute format('create role %I nologin', r);
    end if;
  end loop;
  foreach r in array array['loyalty_app', 'loyalty_worker', 'loyalty_audit'] loop
    if not exists (select 1 from pg_roles where rolname = r) then
      execute format('create role %I login', r);
    end if;
  end loop;
  if not exists (select 1 from pg_roles where rolname = 'loyalty_migrator') then
    create role loyalty_migrator login noinherit;
  end if;
exception when duplicate_object or unique_violation then
  null;  -- another process bootstraps another database of this cluster at the same time
end $$;

do $$
begin
  grant loyalty_owner to loyalty_migrator with inherit false, set true;
  grant loyalty_ledger, loyalty_queue to loyalty_owner with inherit false, set true;
  execute format('grant loyalty_owner to %I with inherit false, set true', current_user);
  -- All settings of a session are its role's: a pooler in between passes none on from the client.
  -- Compiling a statement costs more here than it saves.
  alter role loyalty_app set jit = off;
  alter role loyalty_worker set jit = off;
  alter role loyalty_audit set jit = off;
  alter role loyalty_app set statement_timeout = '10s';
  alter role loyalty_app set lock_timeout = '5s';
  alter role loyalty_app set idle_in_transaction_session_timeout = '10s';
  alter role loyalty_app set transaction_timeout = '20s';
  alter role loyalty_worker set statement_timeout = '60s';
  alter role loyalty_worker set lock_timeout = '5s';
  alter role loyalty_worker set idle_in_transaction_session_timeout = '10s';
exception when others then
  -- Two bootstraps of one cluster may touch the same role row at once; the other one sets it.
  if sqlerrm not like '%concurrently updated%' then raise; end if;
end $$;

create schema if not exists loyalty authorization loyalty_owner;
set role loyalty_owner;
grant usage on schema loyalty
  to loyalty_app, loyalty_worker, loyalty_audit, loyalty_ledger, loyalty_queue;
grant create on schema loyalty to loyalty_ledger, loyalty_queue;
alter default privileges for role loyalty_owner revoke execute on functions from public;
-- As those roles themselves: whoever is no superuser may become them and has none of their rights.
set role loyalty_ledger;
alter default privileges for role loyalty_ledger revoke execute on functions from public;
set role loyalty_queue;
alter default privileges for role loyalty_queue revoke execute on functions from public;
reset role;
