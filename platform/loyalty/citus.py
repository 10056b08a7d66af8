"""Spreading the schema over the machines of a Citus cluster: what to say, in which order, and why.

Every tenant's rows live together in one shard: all tables are distributed by `tenant_id` and
colocated with `loyalty.tenant`. The plan is read from the database, so plugins' tables are in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

KEPT_WHOLE = ("installation", "slug")  # small, and asked before a tenant is known
OF_THE_COORDINATOR = ("migration",)
FIRST = "tenant"
KEPT_WITH_ROWS = ("slug",)  # of these, those with rows of tenants
OWNERS = ("loyalty_owner", "loyalty_ledger", "loyalty_queue")
SERVING = ("loyalty_app", "loyalty_worker", "loyalty_audit")
FORM = "tenant_id = loyalty.tenant()"

NOT_TAKEN_OVER = """\
Citus refuses a change whose condition holds a COALESCE of what is read from the session, which the
planner would take over from the tenant's function. One of plpgsql it leaves alone; and it calls no
other of ours, which the nodes would not have."""
POLICIES = """\
Citus takes no sub-select in a policy. This form is the same test; where an index of tenant_id is
used, it is evaluated once a scan."""
LOGINS = """\
A node asks another one as the role at work, and functions work as their owners. These roles have no
password: let the nodes of the cluster in by address or certificate (pg_hba.conf), nobody else."""
COPIES = "Small, and read before a tenant is known: a copy on each node."
SHARDS = "A tenant's rows together in one shard; a table after those it refers to."
DELEGATED = """\
A batch runs on the node where its tenant's rows are: one round trip instead of one for each
statement. Forced, because it runs inside a transaction that began before it."""
PLANNED = """\
Citus finds a tenant's shard by a value, and a generic plan has none: it would be refused."""
TENANT_SET = "The tenant that a transaction sets goes along to the nodes it asks."


@dataclass(frozen=True, slots=True)
class Statement:
    """`table`: not to be said again once Citus holds that one."""

    text: str
    table: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """Statements that belong together, and why they are needed."""

    why: str
    statements: Sequence[Statement]


async def plan(connection: Any) -> list[Step]:
    """All steps for the schema as it is, plugins' tables included.

    :raises ValueError: tables that cannot be distributed, and why
    """
    faults = [f"{row['name']} {row['fault']}" for row in await connection.fetch(UNFIT)]
    if faults:
        raise ValueError("; ".join(faults))
    tables = await tenant_tables(connection)
    functions = [row["signature"] for row in await connection.fetch(_FUNCTIONS)]
    return [
        Step(NOT_TAKEN_OVER, [Statement(_TENANT)]),
        Step(POLICIES, [Statement(_policy(table), table) for table in [*KEPT_WITH_ROWS, *tables]]),
        Step(LOGINS, [Statement(f"alter role {role} login") for role in OWNERS]),
        Step(
            COPIES,
            [
                Statement(f"select create_reference_table('loyalty.{table}')", table)
                for table in KEPT_WHOLE
            ],
        ),
        Step(SHARDS, [Statement(_distributed(table), table) for table in tables]),
        Step(
            PLANNED,
            [
                Statement(f"alter function {signature} set plan_cache_mode = force_custom_plan")
                for signature in functions
            ],
        ),
        Step(DELEGATED, [Statement(_delegated(signature)) for signature in functions]),
        Step(
            TENANT_SET,
            [
                Statement(f"alter role {role} set citus.propagate_set_commands = 'local'")
                for role in SERVING
            ],
        ),
    ]


async def carry_out(connection: Any, steps: Sequence[Step]) -> list[str]:
    """Say what has not been said yet; answers what that was. May be run again at any time.

    Not one transaction: moving rows into shards would hold every lock to the end.
    """
    held = {row["name"] for row in await connection.fetch(_HELD)}
    said = [
        statement.text
        for step in steps
        for statement in step.statements
        if statement.table not in held
    ]
    for text in said:
        await connection.execute(text)
    return said


async def waiting(connection: Any, steps: Sequence[Step]) -> list[str]:
    """Tables that Citus does not hold yet."""
    held = {row["name"] for row in await connection.fetch(_HELD)}
    wanted = {s.table for step in steps for s in step.statements if s.table is not None}
    return sorted(wanted - held)


async def tenant_tables(connection: Any) -> list[str]:
    """Tables to distribute, each after the ones it refers to."""
    refers: dict[str, set[str]] = {
        row["name"]: set(row["refers"]) for row in await connection.fetch(_TABLES)
    }
    ordered: list[str] = []
    while refers:
        free = [name for name, others in sorted(refers.items()) if not others - {*ordered, name}]
        if not free:
            raise ValueError(f"these tables refer to each other in a circle: {sorted(refers)}")
        free.sort(key=lambda name: name != FIRST)
        ordered += free
        for name in free:
            del refers[name]
    return ordered


def _distributed(table: str) -> str:
    beside = "none" if table == FIRST else f"loyalty.{FIRST}"
    name = f"'loyalty.{table}', 'tenant_id', colocate_with => '{beside}'"
    return f"select create_distributed_table({name})"


def _policy(table: str) -> str:
    return f"alter policy tenant_isolation on loyalty.{table} using ({FORM}) with check ({FORM})"


def _delegated(signature: str) -> str:
    return (
        f"select create_distributed_function('{signature}', '_t', "
        f"colocate_with => 'loyalty.{FIRST}', force_delegation => true)"
    )


_TENANT = """\
create or replace function loyalty.tenant() returns uuid language plpgsql stable parallel safe as $$
declare said text := current_setting('app.tenant', true);
begin
  if said is null or said = '' then
    raise exception 'no tenant is set in this transaction' using errcode = '42501';
  end if;
  return said::uuid;
end $$"""

_TABLES = f"""
select c.relname as name, array(
    select distinct f.relname::text from pg_constraint k join pg_class f on f.oid = k.confrelid
     where k.conrelid = c.oid and k.contype = 'f') as refers
  from pg_class c
 where c.relnamespace = 'loyalty'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
   and c.relname not in ({", ".join(f"'{name}'" for name in (*KEPT_WHOLE, *OF_THE_COORDINATOR))})
"""

# The write path: functions that take the tenant as `_t` and are run by the serving roles.
_FUNCTIONS = """
select p.oid::regprocedure::text as signature from pg_proc p
 where p.pronamespace = 'loyalty'::regnamespace and p.prokind = 'f' and p.proargnames[1] = '_t'
   and p.proname in ('open_batch', 'read_batch', 'append')
 order by 1
"""

_HELD = """
select c.relname as name from pg_dist_partition d join pg_class c on c.oid = d.logicalrelid
 where c.relnamespace = 'loyalty'::regnamespace
"""

# What Citus would refuse, asked of the tables before anything is said.
UNFIT = f"""
with t as ({_TABLES}), c as (
  select c.* from pg_class c join t on t.name = c.relname
   where c.relnamespace = 'loyalty'::regnamespace)
select c.relname as name, 'has no tenant_id' as fault from c
 where not exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id'
                      and a.atttypid = 'uuid'::regtype and a.attnotnull)
union all
select i.indexrelid::regclass::text, 'is unique without tenant_id' from pg_index i join c
    on c.oid = i.indrelid
 where (i.indisunique or i.indisexclusion) and not exists (
   select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id'
      and a.attnum = any(i.indkey::smallint[]))
union all
select k.conname, 'refers to another table without its tenant' from pg_constraint k join c
    on c.oid = k.conrelid join pg_class f on f.oid = k.confrelid
 where k.contype = 'f' and f.relname <> all(array[{", ".join(f"'{name}'" for name in KEPT_WHOLE)}])
   and not exists (select from unnest(k.conkey, k.confkey) u(here, there)
     join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.here
     join pg_attribute b on b.attrelid = k.confrelid and b.attnum = u.there
    where a.attname = 'tenant_id' and b.attname = 'tenant_id')
union all
select k.conname, 'sets or changes rows through a reference' from pg_constraint k join c
    on c.oid = k.conrelid
 where k.contype = 'f' and (k.confupdtype not in ('a', 'r') or k.confdeltype not in ('a', 'r', 'c'))
union all
select g.tgname, 'is a trigger' from pg_trigger g join c on c.oid = g.tgrelid
 where not g.tgisinternal
union all
select c.relname || '.' || a.attname, 'numbers its rows by itself' from pg_attribute a join c
    on c.oid = a.attrelid
 where a.attnum > 0 and (a.attidentity <> '' or exists (
   select from pg_attrdef d where d.adrelid = c.oid and d.adnum = a.attnum
      and pg_get_expr(d.adbin, d.adrelid) like 'nextval(%'))
union all
select c.relname, 'inherits or is inherited' from c
 where exists (select from pg_inherits h where c.oid in (h.inhrelid, h.inhparent))
order by 1, 2
"""
