"""What must hold of every table and function of the schema: asked of the database itself."""

from collections.abc import Mapping
from typing import Any

SERVING = ("loyalty_app", "loyalty_worker", "loyalty_audit")

# Allowed, and why. Everything else that holds rows belongs to a tenant.
OF_NO_TENANT: Mapping[str, str] = {
    "installation": "one row: which database this is",
    "migration": "which files were applied to this database",
}
UNIQUE_OVER_TENANTS: Mapping[str, str] = {
    "slug_pkey": "operators and inbound addresses name a tenant by its slug",
}
# Further policies, all for the queue role alone, which owns a few narrow functions and no login.
DUE = "which tenants have something due must be known before a tenant is"
QUEUE_POLICIES: Mapping[str, str] = {
    "slug.queue_reads (r)": "operators and inbound addresses name a tenant before one is known",
    "tenant.queue_reads (r)": "names of tenants, pages of them for operators",
    "lot.queue_reads (r)": DUE,
    "redemption.queue_reads (r)": DUE,
    "due_fact.queue_reads (r)": DUE,
    "parked_return.queue_reads (r)": DUE,
    "job.queue_reads (r)": DUE,
    "outbox.queue_reads (r)": DUE,
    "webhook_endpoint.queue_reads (r)": "which of them may be sent to decides what is claimed",
    "webhook_line.queue_reads (r)": DUE,
    "webhook_line.queue_leases (w)": "a worker claims lines of many tenants in one statement",
    "ledger_audit.queue_reads (r)": "whose turn it is, and the oldest of all",
    "partners_agreement.queue_reads (r)": "whether rates of all brands gain is answered yes or no",
    "partners_terms.queue_reads (r)": "the same",
    "peer.queue_reads (r)": "the same, of brands elsewhere",
    "partners_leg.queue_reads (r)": DUE,
    "api_key.tenant_of_key (r)": "whose a key is must be known before a tenant is",
}

OWN = "(tenant_id = ( SELECT loyalty.tenant() AS tenant))"

_TABLES = """
select c.oid, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = 'loyalty' and c.relkind in ('r', 'p')"""

FAULTS: Mapping[str, str] = {
    "has no tenant_id": f"""
        select t.relname as name from ({_TABLES}) t where not t.relname = any($1)
           and not exists (select 1 from pg_attribute a where a.attrelid = t.oid
                and a.attname = 'tenant_id' and a.attnotnull and a.atttypid = 'uuid'::regtype)""",
    "does not have row security enabled and forced": f"""
        select t.relname as name from ({_TABLES}) t join pg_class c on c.oid = t.oid
         where not t.relname = any($1) and not (c.relrowsecurity and c.relforcerowsecurity)""",
    "lacks the policy of its own rows": f"""
        select t.relname as name from ({_TABLES}) t where not t.relname = any($1)
           and not exists (select 1 from pg_policy p where p.polrelid = t.oid
                and p.polname = 'tenant_isolation' and p.polcmd = '*' and p.polpermissive
                and pg_get_expr(p.polqual, p.polrelid) = $2
                and pg_get_expr(p.polwithcheck, p.polrelid) = $2
                and (select array_agg(r.rolname::text order by r.rolname) from pg_roles r
                      where r.oid = any(p.polroles))
                  = array['loyalty_app', 'loyalty_audit', 'loyalty_ledger', 'loyalty_worker'])""",
    "has a policy beside it": f"""
        select t.relname || '.' || p.polname as name from ({_TABLES}) t
          join pg_policy p on p.polrelid = t.oid
         where p.polname <> 'tenant_isolation'
           and not (t.relname || '.' || p.polname || ' (' || p.polcmd::text || ')' = any($3)
             and p.polroles = array[(select oid from pg_roles where rolname = 'loyalty_queue')])""",
    "is unique without leading with tenant_id": f"""
        select i.indexrelid::regclass::text as name from ({_TABLES}) t
          join pg_index i on i.indrelid = t.oid
          join pg_class x on x.oid = i.indexrelid
          left join pg_attribute a on a.attrelid = t.oid and a.attnum = i.indkey[0]
         where i.indisunique and not t.relname = any($1) and not x.relname = any($4)
           and a.attname is distinct from 'tenant_id'""",
    "has no primary key": f"""
        select t.relname as name from ({_TABLES}) t
         where not exists (select 1 from pg_index i where i.indrelid = t.oid and i.indisprimary)""",
    "refers to another table without its tenant": f"""
        select k.conname as name from ({_TABLES}) t
          join pg_constraint k on k.conrelid = t.oid and k.contype = 'f'
         where not exists (
           select 1 from unnest(k.conkey, k.confkey) u(here, there)
             join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.here
             join pg_attribute b on b.attrelid = k.confrelid and b.attnum = u.there
            where a.attname = 'tenant_id' and b.attname = 'tenant_id')""",
    "shows rows with its owner's eyes": """
        select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where n.nspname = 'loyalty' and (c.relkind = 'm' or (c.relkind = 'v'
           and coalesce(c.reloptions::text, '') !~ 'security_invoker=(true|on|1)'))""",
    "runs as another without being tied down": """
        select p.oid::regprocedure::text as name from pg_proc p
          join pg_roles r on r.oid = p.proowner
          join pg_namespace n on n.oid = p.pronamespace
         where n.nspname = 'loyalty' and p.prosecdef and (
           r.rolcanlogin or r.rolsuper or r.rolbypassrls
           or r.rolname not in ('loyalty_ledger', 'loyalty_queue')
           or not coalesce(p.proconfig, '{}') @> array['search_path=pg_catalog, pg_temp']
           or exists (select 1 from unnest(p.proconfig) c
                       where c !~ '^(search_path|plan_cache_mode|enable_[a-z]+)=')
           or p.proacl is null
           or exists (select 1 from aclexplode(p.proacl) x where x.grantee = 0))""",
    "is a serving role that may do more than serve": """
        select rolname as name from pg_roles where rolname = any($5) and (rolsuper or rolbypassrls
           or rolcreaterole or rolcreatedb or rolreplication
           or exists (select 1 from pg_auth_members m where m.member = pg_roles.oid))""",
    "belongs to a serving role": """
        select c.relname as name from pg_class c join pg_roles r on r.oid = c.relowner
         where r.rolname = any($5)
        union all
        select p.proname from pg_proc p join pg_roles r on r.oid = p.proowner
         where r.rolname = any($5)
        union all
        select n.nspname from pg_namespace n join pg_roles r on r.oid = n.nspowner
         where r.rolname = any($5)""",
    "lets a serving role make things": """
        select r.rolname || ' in ' || n.nspname as name from pg_roles r, pg_namespace n
         where r.rolname = any($5) and n.nspname in ('loyalty', 'public')
           and has_schema_privilege(r.rolname, n.oid, 'create')""",
    "lets everybody in": f"""
        select t.relname as name from ({_TABLES}) t join pg_class c on c.oid = t.oid
         where exists (select 1 from aclexplode(c.relacl) x where x.grantee = 0)
            or exists (select 1 from pg_attribute a, aclexplode(a.attacl) x
                        where a.attrelid = t.oid and x.grantee = 0)""",
}


async def faults(connection: Any) -> list[str]:
    """Every fault of the schema, `name: what`. Run as a superuser, who sees everything."""
    given = [list(OF_NO_TENANT), OWN, list(QUEUE_POLICIES), list(UNIQUE_OVER_TENANTS), [*SERVING]]
    found = []
    for what, query in FAULTS.items():
        used = [f"${n}" for n in range(1, 6) if f"${n}" in query]
        text = query
        for position, mark in enumerate(used, 1):
            text = text.replace(mark, f"${position}")
        rows = await connection.fetch(text, *(given[int(mark[1:]) - 1] for mark in used))
        found += [f"{row['name']}: {what}" for row in rows]
    return found


async def tenant_tables(connection: Any) -> list[str]:
    rows = await connection.fetch(_TABLES + " order by c.relname")
    return [row["relname"] for row in rows if row["relname"] not in OF_NO_TENANT]
