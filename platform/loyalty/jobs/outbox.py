"""The outbox's way out: the rows of a tenant are told in their order, and marked done with that.

Whoever listens writes down what it has to pass on (deliveries) in the very transaction that marks
the rows done: nothing is told twice and nothing is lost, whenever a worker dies. What leaves the
building is leased afterwards, delivery by delivery, by who delivers.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from loyalty.database import Database
from loyalty.jobs.rounds import go_round
from loyalty.jobs.visit import SLICE, Visit
from loyalty.plugin import Connection
from loyalty.tracing import SpanKind, read, tracer

TOLD_AT_ONCE = 200
POLL_SECONDS = 0.25
PAUSES = tuple(timedelta(seconds=seconds) for seconds in (5, 60, 300, 1_800, 7_200, 18_000, 36_000))
log = logging.getLogger(__name__)

# One teller of a tenant at a time: two would write down a member's news out of order.
_ALONE = "select pg_try_advisory_xact_lock(hashtextextended('outbox ' || loyalty.tenant(), 0))"
_READY = """
select o.id, o.topic, o.fact_id, o.member_id, o.payload as content, o.attempts, o.trace, f.payload,
       f.answer, f.occurred_at, f.recorded_at, m.external_id
  from (select * from loyalty.outbox
         where state = 'READY' and (attempts = 0 or ready_at <= clock_timestamp())
         order by ready_at, id limit $1 for update skip locked) o
  left join lateral (select * from loyalty.fact f where f.id = o.fact_id limit 1) f on true
  left join lateral (select * from loyalty.member m where m.id = o.member_id limit 1) m on true
 order by o.ready_at, o.id
"""
_DONE = """
update loyalty.outbox set state = 'DONE', attempts = attempts + 1 where id = any($1::uuid[])
"""
_LATER = """
update loyalty.outbox set attempts = attempts + 1,
       state = case when $2::interval is null then 'DEAD' else 'READY' end,
       ready_at = clock_timestamp() + coalesce($2::interval, '0')
 where id = $1
"""
_PASS = """
update loyalty.outbox set state = 'DONE', attempts = attempts + 1
 where id = any(array(
    select id from loyalty.outbox
     where state = 'READY' and (attempts = 0 or ready_at <= clock_timestamp())
     order by ready_at, id limit $1 for update skip locked))
returning topic, fact_id, trace
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """What happened. `content` is a published fact as it was emitted at once, beside the recorded
    one (`payload`, `answer`) that set it off; None where the row tells of the recorded one."""

    id: UUID
    topic: str
    fact_id: UUID
    member_id: UUID | None
    content: Mapping[str, Any] | None
    attempts: int
    trace: str | None
    payload: Mapping[str, Any]
    answer: Mapping[str, Any]
    occurred_at: datetime
    recorded_at: datetime
    external_id: str | None


class Listener(Protocol):
    """Who is told."""

    async def listens(self, connection: Connection) -> bool:
        """Whether this tenant's rows are heard at all; what nobody hears is not read."""

    async def hear(
        self, connection: Connection, tenant_id: UUID, rows: Sequence[OutboxRow]
    ) -> Collection[UUID]:
        """Write down what is to be passed on of the rows, in their order and in this transaction.

        Answers the ids of those that it failed to put into words: they are told again later.
        """


class Outbox:
    """Tells what every tenant's outbox holds; many processes may do so at once."""

    def __init__(self, database: Database, listener: Listener) -> None:
        self._database = database
        self._listener = listener

    async def run(self, stopping: asyncio.Event) -> None:
        """Go round until stopped: again at once where there was a whole slice, else after a moment.

        Who tells each row as soon as it is there takes a transaction for every few of them.
        """

        async def slices() -> int:
            return sum([told for told in await self._round() if told >= TOLD_AT_ONCE])

        await go_round(slices, stopping, poll=POLL_SECONDS, name="telling")

    async def round(self) -> int:
        """A slice of every tenant that has something to tell; how many rows were told."""
        return sum(await self._round())

    async def _round(self) -> list[int]:
        tenants: list[UUID] = await self._database.unscoped("select loyalty.tenants_telling()")
        told = []
        for tenant_id in tenants:
            try:
                told.append(await self.slice(tenant_id))
            except Exception:  # one tenant's trouble is its own
                log.exception("nothing could be told of tenant %s", tenant_id)
        return told

    async def slice(self, tenant_id: UUID) -> int:
        """Tell up to 200 rows, or pass by up to 500 that nobody hears; nothing where another
        process is just doing so, or where somebody began to listen meanwhile."""
        told: list[_Told] = []
        with suppress(_Listens):
            async with self._database.tenant(tenant_id) as connection:
                if not await connection.fetchval(_ALONE):
                    return 0
                if await self._listener.listens(connection):
                    told = await self._tell(connection, tenant_id)
                else:
                    told = await self._pass(connection)
        for one in told:
            _trace(one)
        return len(told)

    async def _pass(self, connection: Connection) -> list["_Told"]:
        """:raises _Listens: what was passed by may be of after that: it is all told instead"""
        passed = [_Told(*row) for row in await connection.fetch(_PASS, SLICE)]
        if passed and await self._listener.listens(connection):
            raise _Listens
        return passed

    async def _tell(self, connection: Connection, tenant_id: UUID) -> list["_Told"]:
        rows = [OutboxRow(**row) for row in await connection.fetch(_READY, TOLD_AT_ONCE)]
        if not rows:
            return []
        failed = await self._listener.hear(connection, tenant_id, rows)
        await connection.execute(_DONE, [row.id for row in rows if row.id not in failed])
        for row in rows:
            if row.id in failed:
                await connection.execute(_LATER, row.id, _pause(row.attempts))
        return [_Told(row.topic, row.fact_id, row.trace) for row in rows if row.id not in failed]


class _Listens(Exception):
    """Somebody listens who did not when it was asked."""


class PassedBy:
    """The duty where nobody listens: rows are done in their order and do not pile up."""

    name = "outbox"

    async def slice(self, visit: Visit) -> int:
        async with visit.transaction() as connection:
            return len(await connection.fetch(_PASS, SLICE))


class _Told(NamedTuple):
    """What is left of a row once it is done."""

    topic: str
    fact_id: UUID
    trace: str | None


def _trace(told: _Told) -> None:
    """That it was told, in the trace of the transaction that wrote it."""
    if told.trace is not None:
        span = tracer.start_span("tell", read(told.trace), kind=SpanKind.CONSUMER)
        span.set_attribute("loyalty.topic", told.topic)
        span.set_attribute("loyalty.fact", str(told.fact_id))
        span.end()


def _pause(attempts: int) -> timedelta | None:
    return PAUSES[attempts] if attempts < len(PAUSES) else None
