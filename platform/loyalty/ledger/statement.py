"""Statements: what moved somebody's unit, in the order in which it was recorded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.owners import Holder, kind_and_id
from loyalty.plugin import Connection

NEWEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The newest `count` entries of somebody's unit with a version below `before` (None: the
    newest)."""

    holder: Holder
    unit: str
    before: int | None
    count: int


async def statement(
    connection: Connection, holder: Holder, unit: str, *, before: int | None, count: int
) -> Sequence[Entry]:
    """One page of one statement, newest first."""
    page = Page(holder=holder, unit=unit, before=before, count=count)
    return (await statements(connection, [page])).get(page, [])


async def statements(
    connection: Connection, pages: Sequence[Page]
) -> Mapping[Page, Sequence[Entry]]:
    """Pages of many statements, each newest first, in one SQL statement; empty ones are left out.

    `kind` is GRANT, BURN, HOLD, RELEASE, REVERSE, EXPIRE, TAKE_BACK or ADJUST.
    """
    pages = list(dict.fromkeys(pages))
    whose = [kind_and_id(page.holder) for page in pages]
    columns: tuple[list[Any], ...] = (
        [kind for kind, _ in whose],
        [ident for _, ident in whose],
        [page.unit for page in pages],
        [NEWEST if page.before is None else page.before for page in pages],
        [page.count for page in pages],
    )
    found: dict[Page, list[Entry]] = {}
    for ordinal, *row in await connection.fetch(STATEMENTS, *columns):
        found.setdefault(pages[ordinal - 1], []).append(Entry(*row))
    return found


# Each account, posting and fact is looked up by itself: a join would be free to walk all rows of
# the tenant. Of each account one entry more than asked is read, so that the last one knows whether
# it came late. `before` is never null: behind row security only a plain comparison reaches the
# index.
STATEMENTS = """
select w.ord, e.version, e.kind, e.amount, e.balance_after, e.program_id, e.rule, e.label,
       e.fact_id, f.kind as fact_kind, e.occurred_at, e.recorded_at, e.late
  from unnest($1::text[], $2::uuid[], $3::text[], $4::bigint[], $5::int[]) with ordinality
    w(owner_kind, owner_id, unit, before, count, ord)
  cross join lateral (
    select a.tenant_id, a.id from loyalty.account a
     where a.owner_id = w.owner_id and a.owner_kind = w.owner_kind and a.unit = w.unit
       and a.kind = 'main' and a.stored limit 1) a
  cross join lateral (
    select x.*, coalesce(x.occurred_at < lag(x.occurred_at) over (order by x.version), false)
             as late
      from (
        (select p.to_version as version, p.amount, p.to_balance as balance_after, p.kind,
                p.program_id, p.rule, p.label, p.fact_id, p.occurred_at, p.recorded_at
           from loyalty.posting p
          where p.tenant_id = a.tenant_id and p.to_id = a.id and p.to_version < w.before
          order by p.to_version desc limit w.count + 1)
        union all
        (select p.from_version, -p.amount, p.from_balance, p.kind,
                p.program_id, p.rule, p.label, p.fact_id, p.occurred_at, p.recorded_at
           from loyalty.posting p
          where p.tenant_id = a.tenant_id and p.from_id = a.id and p.from_version < w.before
          order by p.from_version desc limit w.count + 1)
        order by version desc limit w.count + 1) x
     order by x.version desc limit w.count) e
  cross join lateral (
    select f.kind from loyalty.fact f
     where f.tenant_id = a.tenant_id and f.id = e.fact_id limit 1) f
 order by w.ord, e.version desc
"""
