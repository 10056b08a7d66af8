"""History as it is read for a back-test: in the order in which it was recorded, chunk by chunk.

Each chunk is a short read-only transaction of the tenant, so no snapshot is held for long. What is
recorded after the reading began is left out: the line is drawn once, at its newest fact.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from loyalty.backtest.past import Past
from loyalty.codec import Codec, purchase_of
from loyalty.commands import Command
from loyalty.database import Database
from loyalty.errors import TROUBLE, Refused
from loyalty.facts import (
    Fact,
    FactKey,
    FactReversed,
    HoldLapsed,
    LotsDue,
    MemberRef,
    PurchaseRecorded,
)
from loyalty.ids import NIL
from loyalty.recorder.periods import periods_of
from loyalty.settlement.need_period import Period
from loyalty.settlement.sale import Sale
from loyalty.view import MemberView, TraitValue

T = TypeVar("T")
CHUNK = 1_000
PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)  # seconds, between tries
log = logging.getLogger(__name__)
TIMEOUT = "set local statement_timeout = '60s'"
# What the walk makes itself (follow-ons, and what a corrected purchase takes back) is not read.
_WHICH = """
  from loyalty.fact f
 where f.id > $1 and f.id <= $2 and f.occurred_at >= $3 and f.occurred_at < $4
   and f.kind = any($5::text[]) and f.hop = 0 and not f.scope ^@ 'revised:'
"""
_COUNT = f"select count(*) {_WHICH}"
_FACTS = f"""
select f.id, f.kind, f.scope, f.key, f.member_id, f.cause_id, f.recorded_at, f.payload,
       (select count(*) from loyalty.fact c where c.cause_id = f.id
           and c.kind = 'PurchaseReversed') as undone, null::jsonb as body
  {_WHICH} order by f.id limit $6
"""
_DECIDED = _FACTS.replace(
    "null::jsonb", "(select d.body from loyalty.decision d where d.fact_id = f.id)"
)
_MEMBERS = """
select id, external_id, status, enrolled_at, closed_at, attributes from loyalty.member
 where id > $1 order by id limit $2
"""
# Of the traits that are on record, those that the walk does not set itself.
_TRAITS = """
select t.member_id, t.name, t.value, t.since, t.until from loyalty.trait t
  join loyalty.fact f on (f.tenant_id, f.id) = (t.tenant_id, t.fact_id)
 where f.occurred_at < $1 or (f.kind <> all($2::text[]) and f.hop = 0)
 order by t.member_id, t.since, f.id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What happened in a tenant in [since, before)."""

    database: Database
    tenant_id: UUID
    codec: Codec
    since: datetime
    before: datetime
    chunk: int = CHUNK
    decided: bool = False
    kinds: Sequence[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "kinds", replayed_kinds(self.codec))

    async def newest(self) -> UUID:
        """The newest fact there is: the line that is drawn."""
        async with self.database.tenant(self.tenant_id, read_only=True) as connection:
            found = await connection.fetchval(
                "select id from loyalty.fact order by id desc limit 1"
            )
        return found or NIL

    async def recorded_at(self, fact_id: UUID) -> datetime:
        """When a fact was recorded; the period's beginning where there is no such fact."""
        async with self.database.tenant(self.tenant_id, read_only=True) as connection:
            found = await connection.fetchval(
                "select recorded_at from loyalty.fact where id = $1", fact_id
            )
        return found or self.since

    async def count(self, until: UUID) -> int:
        async with self.database.tenant(self.tenant_id, read_only=True) as connection:
            await connection.execute(TIMEOUT)
            return int(await connection.fetchval(_COUNT, NIL, until, *self._period()))

    async def facts(self, until: UUID) -> AsyncIterator[Sequence[Past]]:
        """The facts up to the line, in chunks; the next one is read while this one is used."""
        reading = asyncio.create_task(self._chunk(NIL, until))
        try:
            while rows := await reading:
                reading = asyncio.create_task(self._chunk(rows[-1]["id"], until))
                yield [_past(self.codec, row) for row in rows]
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def bought(self, period: Period, until: UUID) -> Sequence[Sale]:
        """What a member had bought in a period, less returns, before a fact was recorded."""

        async def read() -> Sequence[Sale]:
            async with self.database.tenant(self.tenant_id, read_only=True) as connection:
                await connection.execute(TIMEOUT)
                found = await periods_of(connection, [period], self.codec, until=until)
            return found[period]

        return await _patiently(read)

    async def _chunk(self, after: UUID, until: UUID) -> Sequence[Any]:
        return await _patiently(partial(self._read, after, until))

    async def _read(self, after: UUID, until: UUID) -> Sequence[Any]:
        query = _DECIDED if self.decided else _FACTS
        async with self.database.tenant(self.tenant_id, read_only=True) as connection:
            await connection.execute(TIMEOUT)
            rows: Sequence[Any] = await connection.fetch(
                query, after, until, *self._period(), self.chunk
            )
        return rows

    def _period(self) -> tuple[datetime, datetime, Sequence[str]]:
        return self.since, self.before, self.kinds

    async def members(self) -> dict[UUID, MemberView]:
        """Every member, as at the beginning of the period."""
        found: dict[UUID, MemberView] = {}
        after = NIL
        while True:
            async with self.database.tenant(self.tenant_id, read_only=True) as connection:
                rows = await connection.fetch(_MEMBERS, after, 10_000)
            if not rows:
                return found
            after = rows[-1]["id"]
            found |= {row["id"]: _member(row, self.since) for row in rows}

    async def traits(self) -> Mapping[UUID, Sequence[tuple[str, TraitValue]]]:
        """What was known of members that no fact of the period says: set before, or by commands."""
        async with self.database.tenant(self.tenant_id, read_only=True) as connection:
            await connection.execute(TIMEOUT)
            rows = await connection.fetch(_TRAITS, self.since, self.kinds)
        found: dict[UUID, list[tuple[str, TraitValue]]] = {}
        for row in rows:
            value = TraitValue(value=row["value"], since=row["since"], until=row["until"])
            found.setdefault(row["member_id"], []).append((row["name"], value))
        return found


async def _patiently(read: Callable[[], Awaitable[T]]) -> T:
    """A database that is away for a moment is asked again: reading twice harms nothing."""
    for pause in PAUSES:
        try:
            return await read()
        except Refused as refused:
            if refused.code not in TROUBLE:
                raise
            log.warning("a back-test reads on in %g s: %s", pause, refused)
            await asyncio.sleep(pause)
    return await read()


def replayed_kinds(codec: Codec) -> list[str]:
    """Kinds of facts that happened to members, whatever the programs made of them."""
    out = (Command, LotsDue, HoldLapsed, FactReversed)
    return sorted(kind for kind, fact in codec.types.items() if not issubclass(fact, out))


def _member(row: Any, since: datetime) -> MemberView:
    left_before = row["closed_at"] is not None and row["closed_at"] < since
    return MemberView(
        id=row["id"], external_id=row["external_id"],
        status=row["status"] if left_before else "ACTIVE",
        enrolled_at=row["enrolled_at"], attributes=row["attributes"],
    )  # fmt: skip


def _past(codec: Codec, row: Any) -> Past:
    member_id, kind = row["member_id"], row["kind"]
    member = None if member_id is None else MemberRef(id=member_id)
    if kind == PurchaseRecorded.KIND:
        fact: Fact = purchase_of(row["payload"], member)
    else:
        fact = codec.load(kind, row["payload"], member)
    return Past(
        id=row["id"], key=FactKey(row["scope"], row["key"]), fact=fact, member_id=member_id,
        recorded_at=row["recorded_at"], sale_id=row["cause_id"], undone=row["undone"],
        decision=row["body"],
    )  # fmt: skip
