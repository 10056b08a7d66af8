"""The journal: recorded facts and their decisions, as they are read back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from loyalty.facts import FactKey, purchase_key
from loyalty.plugin import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalFact:
    """A fact as it was recorded, with its first answer."""

    id: UUID
    kind: str
    scope: str
    key: str
    member_id: UUID | None
    cause_id: UUID | None
    occurred_at: datetime
    recorded_at: datetime
    actor: str
    payload: Mapping[str, Any]
    answer: Mapping[str, Any]


COLUMNS = """f.id, f.kind, f.scope, f.key, f.member_id, f.cause_id, f.occurred_at, f.recorded_at,
  f.actor, f.payload, f.answer"""


async def by_key(connection: Connection, key: FactKey) -> JournalFact | None:
    """The fact under a natural key; None where there is none."""
    row = await connection.fetchrow(
        f"select {COLUMNS} from loyalty.fact f where f.scope = $1 and f.key = $2",
        key.scope,
        key.key,
    )
    return None if row is None else JournalFact(**dict(row))


class Newest(NamedTuple):
    """The newest revision of a purchase, and when that happened: as its first one says."""

    revision: int
    occurred_at: datetime


# From one revision to the next: the fact that took the older one back names the newer one.
NEWEST = """
with recursive r(source, external_id, id, revision, occurred_at) as (
  select k.source, k.external_id, f.id, 1, f.occurred_at
    from unnest($1::text[], $2::text[]) k(source, external_id)
    cross join lateral (select f.id, f.occurred_at from loyalty.fact f
       where f.scope = 'purchase:' || k.source and f.key = k.external_id limit 1) f
  union all
  select r.source, r.external_id, f.id, u.revision, r.occurred_at from r
    cross join lateral (
      select substring(u.key from '[0-9]+$')::int as revision from loyalty.fact u
       where u.cause_id = r.id and u.scope = 'revised:' || r.source limit 1) u
    cross join lateral (select f.id from loyalty.fact f
       where f.scope = 'purchase#' || u.revision || ':' || r.source
         and f.key = r.external_id limit 1) f
)
select source, external_id, max(revision) as revision, min(occurred_at) as occurred_at
  from r group by 1, 2
"""


async def newest_revisions(
    connection: Connection, purchases: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], Newest]:
    """The newest revision of each purchase (source, external id) that is there."""
    rows = await connection.fetch(
        NEWEST, [source for source, _ in purchases], [ident for _, ident in purchases]
    )
    return {
        (row["source"], row["external_id"]): Newest(row["revision"], row["occurred_at"])
        for row in rows
    }


async def purchase(
    connection: Connection, source: str, external_id: str, revision: int | None
) -> JournalFact | None:
    """A purchase in one of its revisions (None: the newest); None where there is none."""
    if revision is None:
        found = await newest_revisions(connection, [(source, external_id)])
        revision = found[source, external_id].revision if found else None
    return await by_key(connection, purchase_key(source, external_id, revision))


async def by_ids(connection: Connection, ids: Sequence[UUID]) -> Mapping[UUID, JournalFact]:
    rows = await connection.fetch(
        f"select {COLUMNS} from loyalty.fact f where f.id = any($1)", list(ids)
    )
    return {row["id"]: JournalFact(**dict(row)) for row in rows}


async def kinds(connection: Connection, ids: Sequence[UUID]) -> Mapping[UUID, str]:
    """The kinds of facts, by their ids."""
    rows = await connection.fetch("select id, kind from loyalty.fact where id = any($1)", list(ids))
    return {row["id"]: row["kind"] for row in rows}


async def decisions(connection: Connection, ids: Sequence[UUID]) -> Mapping[UUID, Any]:
    """The decision bodies of facts, by fact."""
    rows = await connection.fetch(
        "select fact_id, body from loyalty.decision where fact_id = any($1)", list(ids)
    )
    return {row["fact_id"]: row["body"] for row in rows}


async def returns_of(
    connection: Connection, ids: Sequence[UUID]
) -> Mapping[UUID, Sequence[JournalFact]]:
    """The returns of purchases, by purchase, oldest first."""
    rows = await connection.fetch(
        f"""select {COLUMNS} from loyalty.fact f
             where f.cause_id = any($1) and f.kind = 'PurchaseReversed' order by f.id""",
        list(ids),
    )
    found: dict[UUID, list[JournalFact]] = {}
    for row in rows:
        found.setdefault(row["cause_id"], []).append(JournalFact(**dict(row)))
    return found


async def freezes_of(
    connection: Connection, member_ids: Sequence[UUID]
) -> Mapping[UUID, JournalFact]:
    """The newest freeze of members, by member."""
    rows = await connection.fetch(
        f"""select distinct on (f.member_id) {COLUMNS} from loyalty.fact f
             where f.member_id = any($1) and f.kind = 'MemberFrozen'
             order by f.member_id, f.id desc""",
        list(member_ids),
    )
    return {row["member_id"]: JournalFact(**dict(row)) for row in rows}


async def command_input(connection: Connection, client: str, key: str) -> Mapping[str, Any] | None:
    """What was asked first under a client's key; None where nothing was, or too long ago."""
    found: Mapping[str, Any] | None = await connection.fetchval(
        "select input from loyalty.command_key where client = $1 and key = $2", client, key
    )
    return found
