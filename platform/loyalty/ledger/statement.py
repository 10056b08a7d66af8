"""Statements: what moved somebody's unit, in the order in which it was recorded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from loyalty.owners import Holder, kind_and_id
from loyalty.plugin import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One movement, seen from its owner: `amount` > 0 came in; `balance_after` may be < 0 (owed).

    `late` says that it happened before the entry recorded ahead of it.
    """

    version: int
    kind: str
    amount: int
    balance_after: int
    program_id: UUID | None
    rule: str | None
    label: str | None
    fact_id: UUID
    fact_kind: str
    occurred_at: datetime
    recorded_at: datetime
    late: bool


async def statement(
    connection: Connection, holder: Holder, unit: str, *, before: int | None, count: int
) -> Sequence[Entry]:
    """The newest `count` entries with a version below `before` (None: the newest), newest first.

    `kind` is GRANT, BURN, HOLD, RELEASE, REVERSE, EXPIRE, TAKE_BACK or ADJUST.
    """
    kind, ident = kind_and_id(holder)
    rows = await connection.fetch(STATEMENT, ident, unit, before, count, kind)
    return [Entry(**dict(row)) for row in rows]


# One entry more than asked is read, so that the last one knows whether it came late.
STATEMENT = """
with mine as (
  select id from loyalty.account
   where owner_id = $1 and owner_kind = $5 and unit = $2 and kind = 'main' and stored),
entries as (
  (select p.to_version as version, p.amount, p.to_balance as balance_after, p.kind, p.program_id,
          p.rule, p.label, p.fact_id, p.occurred_at, p.recorded_at, p.tenant_id
     from loyalty.posting p join mine m on p.to_id = m.id
    where p.to_version < coalesce($3, 9223372036854775807)
    order by p.to_version desc limit $4::int + 1)
  union all
  (select p.from_version, -p.amount, p.from_balance, p.kind, p.program_id,
          p.rule, p.label, p.fact_id, p.occurred_at, p.recorded_at, p.tenant_id
     from loyalty.posting p join mine m on p.from_id = m.id
    where p.from_version < coalesce($3, 9223372036854775807)
    order by p.from_version desc limit $4::int + 1))
select e.version, e.kind, e.amount, e.balance_after, e.program_id, e.rule, e.label, e.fact_id,
       f.kind as fact_kind, e.occurred_at, e.recorded_at,
       coalesce(e.occurred_at < lag(e.occurred_at) over (order by e.version), false) as late
  from entries e join loyalty.fact f on f.tenant_id = e.tenant_id and f.id = e.fact_id
 order by e.version desc limit $4::int
"""
