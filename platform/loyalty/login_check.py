"""What a database login and the schema are asked before they serve: does row security hold?"""

POLICIES_ASK = """
select c.relrowsecurity and c.relforcerowsecurity and coalesce(bool_and(
         pg_get_expr(p.polqual, p.polrelid) like '%loyalty.tenant()%'), true)
  from pg_class c left join pg_policy p on p.polrelid = c.oid
   and p.polroles && array[0, (select oid from pg_roles where rolname = current_user)]
 where c.oid = 'loyalty.tenant'::regclass group by c.oid
"""
LOGIN_CHECK = """
select 'it is a superuser' as reason from pg_roles
 where rolname in (session_user, current_user) and rolsuper
union all
select 'it bypasses row-level security' from pg_roles
 where rolname in (session_user, current_user) and rolbypassrls
union all
select 'it owns ' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = 'loyalty' and pg_has_role(session_user, c.relowner, 'member')
union all
select 'the schema loyalty is not there: run `loyalty migrate`'
 where not exists (select 1 from pg_namespace where nspname = 'loyalty')
limit 3
"""
