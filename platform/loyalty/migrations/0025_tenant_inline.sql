-- Whose rows a statement sees is an expression that the planner takes over into the statement's own
-- plan. As a function of plpgsql it was called by every statement, and its expressions were planned
-- anew whenever it was called under another search_path than the time before: with every batch, for
-- open_batch and append have one of their own. Names in this form of a body are bound here and now,
-- whatever search_path a caller has.
create function loyalty.no_tenant() returns text language plpgsql stable parallel safe as $$
begin
  -- Silence would look like an empty table: a forgotten tenant must be loud.
  raise exception 'no tenant is set in this transaction' using errcode = '42501';
end $$;
grant execute on function loyalty.no_tenant() to public;
create or replace function loyalty.tenant() returns uuid language sql stable parallel safe
  return coalesce(nullif(current_setting('app.tenant', true), ''), loyalty.no_tenant())::uuid;
