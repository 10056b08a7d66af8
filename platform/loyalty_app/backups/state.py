"""What is compared between a database and its copy."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

_TABLES = """
select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = 'loyalty' and c.relkind in ('r', 'p') order by 1
"""
# Where each tenant's outbox and ledger stand: what was told, what waits, what is owed to whom.
_OUTBOX = """
select coalesce(jsonb_object_agg(x.tenant_id::text || ' ' || x.state, x.value), '{}') from (
  select tenant_id, state, jsonb_build_array(count(*), max(id::text)) as value
    from loyalty.outbox group by 1, 2) x
"""
_BALANCES = """
select coalesce(jsonb_object_agg(x.tenant_id::text || ' ' || x.unit, x.value), '{}') from (
  select tenant_id, unit, jsonb_build_array(sum(balance), sum(deficit), sum(version)) as value
    from loyalty.account where stored group by 1, 2) x
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Rows by table, where outboxes and balances stand, and the newest fact's instant."""

    epoch: UUID
    rows: dict[str, int]
    outbox: str
    balances: str
    newest: datetime | None
    size: int

    def differences(self, copy: "State") -> list[str]:
        """What the copy has otherwise than this, apart from the epoch."""
        found = [
            f"{table}: {self.rows.get(table, 0)} rows, {copy.rows.get(table, 0)} in the copy"
            for table in sorted({*self.rows, *copy.rows})
            if self.rows.get(table) != copy.rows.get(table)
        ]
        return found + [
            f"{what}: {getattr(self, what)}, {getattr(copy, what)} in the copy"
            for what in ("outbox", "balances", "newest")
            if getattr(self, what) != getattr(copy, what)
        ]


async def state_of(connection: Any) -> State:
    """As one transaction sees it, past row-level security: a superuser's."""
    tables = [row["relname"] for row in await connection.fetch(_TABLES)]
    counts = " union all ".join(f"select '{t}', count(*) from loyalty.{t}" for t in tables)
    return State(
        epoch=await connection.fetchval("select epoch from loyalty.installation"),
        rows={row[0]: row[1] for row in await connection.fetch(counts)},
        outbox=str(await connection.fetchval(_OUTBOX)),
        balances=str(await connection.fetchval(_BALANCES)),
        newest=await connection.fetchval("select max(recorded_at) from loyalty.fact"),
        size=await connection.fetchval("select pg_database_size(current_database())"),
    )
