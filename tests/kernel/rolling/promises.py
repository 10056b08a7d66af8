"""What a schema promises to the code that runs on it, as lines of text.

Each line is one thing that a serving role may rely on: a column with its type that it may read,
write or leave out of an insert, a function it may call by these argument types and what that
answers, a type it hands rows over in. Whatever runs on a schema still runs on one that keeps its
lines.
"""

from collections.abc import Iterable, Sequence

ROLES = ("loyalty_app", "loyalty_worker", "loyalty_audit")

PROMISES = """
with role(oid, name) as (select oid, rolname from pg_roles where rolname = any($1::text[])),
relation as (
  select c.oid, c.relname, c.relkind from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where n.nspname = 'loyalty'),
field as (
  select r.oid, r.relname, r.relkind, a.attnum, a.attname,
         format_type(a.atttypid, a.atttypmod) as type,
         not a.attnotnull or a.atthasdef or a.attidentity <> '' as optional
    from relation r join pg_attribute a on a.attrelid = r.oid
   where a.attnum > 0 and not a.attisdropped),
function as (
  select p.oid, p.proname, p.proallargtypes, p.proargmodes, p.proargnames,
         p.proname || '(' || oidvectortypes(p.proargtypes) || ')' as signature,
         pg_get_function_result(p.oid) as result
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'loyalty')
select format('%s may %s %s.%s %s', role.name, may, f.relname, f.attname, f.type) as line
  from role cross join field f cross join unnest(array['select', 'insert', 'update']) may
 where f.relkind in ('r', 'v', 'p') and has_column_privilege(role.oid, f.oid, f.attnum, may)
union all
select format('%s may delete %s', role.name, r.relname) from role cross join relation r
 where r.relkind in ('r', 'p') and has_table_privilege(role.oid, r.oid, 'delete')
union all
select format('%s.%s may be left out', f.relname, f.attname) from field f
 where f.relkind in ('r', 'p') and f.optional
union all
select format('type %s is (%s)', f.relname, string_agg(f.attname || ' ' || f.type, ', '
         order by f.attnum)) from field f where f.relkind = 'c' group by f.relname
union all
select format('%s may call %s', role.name, f.signature) from role cross join function f
 where has_function_privilege(role.oid, f.oid, 'execute')
union all
select case when f.proargmodes is null then format('%s answers %s', f.signature, f.result)
            else format('%s answers %s %s', f.signature, x.name, format_type(x.type, null)) end
  from function f
  left join lateral unnest(f.proallargtypes, f.proargmodes, f.proargnames) x(type, mode, name)
    on f.proargmodes is not null
 where f.proargmodes is null or x.mode in ('o', 't')
"""
# Columns that an insert must name. A new one of these is named by no code that is older.
NEEDED = """
select format('%s.%s', c.relname, a.attname)
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
 where n.nspname = 'loyalty' and c.relkind in ('r', 'p')
   and a.attnotnull and not a.atthasdef and a.attidentity = ''
"""


def broken(before: Iterable[str], now: Iterable[str], needed: Sequence[str]) -> list[str]:
    """What the older code relies on and does not find any more."""
    lines, kept = set(before), set(now)
    known = {line.split()[3] for line in lines if " may select " in line or " may insert " in line}
    tables = {column.partition(".")[0] for column in known}
    demanded = [
        f"{column} is new and an insert must name it"
        for column in needed
        if column not in known and column.partition(".")[0] in tables
    ]
    return sorted([f"gone: {line}" for line in lines - kept] + demanded)
