"""Statements: what moved somebody's unit, in the order in which it was recorded."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from loyalty.owners import Holder, kind_and_id
from loyalty.plugin import Connection

NEWEST = 2**63 - 1


# Tuples: a page of members has hundreds of them, and no other immutable is made as quickly.


class Entry(NamedTuple):
    """One movement, seen from its owner: `amount` > 0 came in; `balance_after` may be < 0 (owed).

    `late` says that it happened before the entry recorded ahead of it.
    """

    version: int
    kind: str
    amount: int
    balance_after: int
    rule: str | None
    label: str | None
    fact_id: UUID
    occurred_at: datetime
    recorded_at: datetime
    late: bool


class Page(NamedTuple):
    """The newest `size` entries of somebody's unit with a version below `before` (None: the
    newest)."""

    holder: Holder
    unit: str
    before: int | None
    size: int


async def statement(
    connection: Connection, holder: Holder, unit: str, *, before: int | None, count: int
) -> Sequence[Entry]:
    """One page of one statement, newest first."""
    page = Page(holder=holder, unit=unit, before=before, size=count)
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
        [page.size for page in pages],
    )
    found: list[list[Entry]] = [[] for _ in pages]
    for row in await connection.fetch(STATEMENTS, *columns):
        found[row[0] - 1].append(Entry._make(row[1:]))
    return {page: entries for page, entries in zip(pages, found, strict=True) if entries}


# Each account and posting is looked up by itself: a join would be free to walk all rows of the
# tenant. Of each account one entry more than asked is read, so that the last one knows whether
# it came late. `before` is never null: behind row security only a plain comparison reaches the
# index.
STATEMENTS = """
select w.ord, e.version, e.kind, e.amount, e.balance_after, e.rule, e.label, e.fact_id,
       e.occurred_at, e.recorded_at, e.late
  from unnest($1::text[], $2::uuid[], $3::text[], $4::bigint[], $5::int[]) with ordinality
    w(owner_kind, owner_id, unit, before, count, ord)
  cross join lateral (
    select a.tenant_id, a.id from loyalty.account a
     where a.owner_id = w.owner_id and a.owner_kind = w.owner_kind and a.unit = w.unit
       and a.kind = 'main' and a.stored limit 1) a
  cross join lateral (
    select x.*, coalesce(x.occurred_at < lead(x.occurred_at) over (order by x.version desc), false)
             as late
      from (
        (select p.to_version as version, p.amount, p.to_balance as balance_after, p.kind,
                p.rule, p.label, p.fact_id, p.occurred_at, p.recorded_at
           from loyalty.posting p
          where p.tenant_id = a.tenant_id and p.to_id = a.id and p.to_version < w.before
          order by p.to_version desc limit w.count + 1)
        union all
        (select p.from_version, -p.amount, p.from_balance, p.kind,
                p.rule, p.label, p.fact_id, p.occurred_at, p.recorded_at
           from loyalty.posting p
          where p.tenant_id = a.tenant_id and p.from_id = a.id and p.from_version < w.before
          order by p.from_version desc limit w.count + 1)
        order by version desc limit w.count + 1) x
     order by x.version desc limit w.count) e
 order by w.ord, e.version desc
"""
