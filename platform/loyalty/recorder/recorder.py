"""The recorder: the only write path. One transaction a batch, one outcome a request.

begin; set tenant -> open_batch (locks, then what is true) -> needs -> settle each request in memory
-> append -> writers -> commit. A request that is refused leaves no trace and its key free.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from time import perf_counter
from typing import Any
from uuid import UUID

import asyncpg

from loyalty.clock import Clock
from loyalty.database import Database
from loyalty.errors import Refused
from loyalty.ledger.rows import Rows
from loyalty.meters import APPEND_SECONDS, BATCH_REQUESTS, RECORD_SECONDS
from loyalty.plugin_set import PluginSet
from loyalty.recorder.attempts import StaleNames, StaleSetup, persistently
from loyalty.recorder.buckets import load_buckets
from loyalty.recorder.corrected import corrected_of
from loyalty.recorder.each import Cut, arrived, internal
from loyalty.recorder.each import Outcome as Outcome
from loyalty.recorder.loading import OPEN_BATCH, READ_BATCH, load
from loyalty.recorder.meanwhile import meanwhile, write_out
from loyalty.recorder.needs import load_needs
from loyalty.recorder.newest import with_newest
from loyalty.recorder.owning import ownership_of
from loyalty.recorder.parts import settle_in_parts
from loyalty.recorder.periods import periods_of
from loyalty.recorder.previewing import previewed
from loyalty.recorder.setups import Setups
from loyalty.recorder.sums import load_sums
from loyalty.recorder.told import Done, Listener, Told
from loyalty.recorder.wants import More, Wants, gather
from loyalty.settlement.batch import Batch
from loyalty.settlement.request import Change, Request
from loyalty.setup import Setup

APPEND = (
    "select loyalty.append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,"
    " $16, $17, $18, $19, $20, $21, $22)"
)
GIVE_TERMS = "select loyalty.give_terms($1, $2, $3)"
BATCH_MAX = 500

log = logging.getLogger(__name__)


class Recorder:
    def __init__(
        self,
        database: Database,
        plugins: PluginSet,
        setups: Setups,
        clock: Clock,
        *,
        committed: Listener | None = None,
    ) -> None:
        self.database = database
        self.plugins = plugins
        self.setups = setups
        self.clock = clock
        self._committed = committed
        self._derived: dict[UUID, set[UUID]] = {}

    async def record_many(
        self, tenant_id: UUID, requests: Sequence[Request], *, whole: bool = False,
        decided: Callable[[], None] | None = None,
    ) -> list[Outcome]:  # fmt: skip
        """Record requests in their order; each has its own outcome, in the same place.

        A batch that fails is halved until the culprit stands alone; the others stand. `whole`: it
        is written at one go, for who would rather have it cheap than soon. `decided` is called when
        a batch that was not halved is written and only its commit is left.

        :raises Refused: OVERLOADED: no connection came free; UNAVAILABLE: the database went away,
            and nobody knows whether the commit was carried out
        """
        if not requests:
            return []
        if len(requests) <= BATCH_MAX:
            begun = perf_counter()
            try:
                outcomes = await persistently(
                    lambda more: self._once(tenant_id, requests, more, whole, decided),
                    lost=lambda: self.forget(tenant_id),
                )
                BATCH_REQUESTS.observe(len(requests))
                RECORD_SECONDS.observe(perf_counter() - begun)
                return outcomes
            except Refused:
                raise
            except Cut as cut:
                return await self._in_parts(tenant_id, requests, cut.index, whole)
            except Exception as error:
                if len(requests) == 1:
                    log.exception("%s could not be recorded", requests[0].fact.KIND)
                    return [internal(error)]
        half = min(BATCH_MAX, len(requests) // 2)
        return await self._in_parts(tenant_id, requests, half, whole)

    async def _in_parts(
        self, tenant_id: UUID, requests: Sequence[Request], cut: int, whole: bool
    ) -> list[Outcome]:
        first = await self.record_many(tenant_id, requests[:cut], whole=whole)
        try:
            return first + await self.record_many(tenant_id, requests[cut:], whole=whole)
        except Refused as refused:  # what came first stands
            return first + [refused] * (len(requests) - cut)

    async def preview(self, tenant_id: UUID, request: Request) -> Outcome:
        """What recording this would answer, and its decision: the same walk, no chance drawn.

        Nothing is written and nothing is locked: whoever records meanwhile does not wait for it,
        and it waits for nobody. `GUEST` stands for somebody who is no member.
        """
        return (await self.preview_many(tenant_id, [request]))[0]

    async def preview_many(self, tenant_id: UUID, requests: Sequence[Request]) -> list[Outcome]:
        """The same of requests in their order, each as if those before it were recorded; of more
        than a batch holds, those of the batches before are not."""
        outcomes: list[Outcome] = []
        for start in range(0, len(requests), BATCH_MAX):
            outcomes += await self._previewed(tenant_id, requests[start : start + BATCH_MAX])
        return outcomes

    async def _previewed(self, tenant_id: UUID, requests: Sequence[Request]) -> list[Outcome]:
        try:
            return await persistently(
                lambda more: self._preview_once(tenant_id, requests, more),
                lost=lambda: self.forget(tenant_id),
            )
        except asyncpg.PostgresError as error:
            log.exception("%s could not be previewed", requests[0].fact.KIND)
            return [internal(error)] * len(requests)

    async def _preview_once(
        self, tenant_id: UUID, requests: Sequence[Request], more: More
    ) -> list[Outcome]:
        setup = await self.setups.get(tenant_id)
        async with self.database.tenant(tenant_id, read_only=True) as connection:
            requests = await with_newest(connection, requests)
            batch = await self.open(connection, requests, setup, more, by=READ_BATCH)
        return [previewed(batch, request, index) for index, request in enumerate(requests)]

    async def _once(
        self, tenant_id: UUID, requests: Sequence[Request], more: More, whole: bool,
        decided: Callable[[], None] | None,
    ) -> list[Outcome]:  # fmt: skip
        setup = await self.setups.get(tenant_id)
        changes: list[Change] = []
        with closing(Told(self._committed)) as told:
            async with self.database.tenant(tenant_id) as connection:
                requests = await with_newest(connection, requests)
                batch = await self.open(connection, requests, setup, more)
                write = partial(self._write, connection, batch)
                outcomes = await settle_in_parts(batch, requests, changes, write, whole=whole)
                await meanwhile(self.append(connection, batch), _meanwhile(told, batch, changes))
                # Freeing tens of thousands of objects takes its time: here a commit is waited for.
                asyncio.get_running_loop().call_soon(batch.let_go)
                if decided is not None:
                    decided()
            self._stands(batch)
            await told.send()
        if waiting := arrived(batch, requests):
            await self._apply(tenant_id, waiting)
        return outcomes

    async def _apply(self, tenant_id: UUID, waiting: Sequence[Request]) -> None:
        """Apply returns whose purchase just came; what fails now the worker finds again."""
        try:
            await self.record_many(tenant_id, waiting)
        except Refused as refused:
            log.warning("%d parked returns wait for the worker: %s", len(waiting), refused)

    async def open(
        self, connection: Any, requests: Sequence[Request], setup: Setup, more: More,
        *, by: str = OPEN_BATCH,
    ) -> Batch:  # fmt: skip
        """Lock and load what the requests need.

        :raises StaleSetup: the tenant's setup is newer than the given one, and was read
        :raises StaleNames: a name changed hands meanwhile, and nobody asked who keeps what its
            member has
        """
        wants: Wants = gather(requests, setup, self.plugins, more)
        now = self.clock.now()
        ownership = await ownership_of(connection, wants, setup, self.plugins, now)
        asked = connection.fetchrow(by, setup.tenant_id, *wants.arguments())
        if len(requests) > 1:
            asked = meanwhile(asked, write_out(requests, self.plugins.codec))
        row = await asked
        if row["epoch"] != setup.epoch:
            await self.setups.read(connection, setup.tenant_id)
            raise StaleSetup
        derived = self._derived.setdefault(setup.tenant_id, set())
        batch = load(row, wants, setup, self.plugins, self.clock.now(), derived)
        batch.spent += (row, wants)
        await load_sums(connection, wants, row["refs"], batch)
        if any(looks.bucketed for looks in wants.looks.values()):
            await load_buckets(connection, requests, batch)
        batch.corrected = await corrected_of(connection, requests, batch)
        batch.periods = await periods_of(connection, more.periods, self.plugins.codec)
        if ownership.misses(batch.members):
            raise StaleNames
        batch.ownership = ownership
        if any(looks.needing for looks in wants.looks.values()):
            batch.needs = await load_needs(connection, requests, batch)
        return batch

    async def append(self, connection: Any, batch: Batch) -> None:
        """Write what the batch decided, in one call and one more per kind of plugin row."""
        await self._write(connection, batch)
        by_type: dict[type[Any], list[Any]] = {}
        for write in batch.writes:
            by_type.setdefault(type(write.row), []).append(write)
        for kind, writes in by_type.items():
            await self.plugins.writers[kind].write(connection, writes)

    async def _write(self, connection: Any, batch: Batch) -> None:
        """Write the rows that were not written yet; what they did cannot be undone any more."""
        book = batch.book
        rows, book.rows = book.rows, Rows()
        book.opened.update(row[0] for row in rows.accounts if not row[5])
        batch.spent.append(rows)
        if rows.facts or rows.settled:
            with APPEND_SECONDS.time():
                await connection.execute(
                    APPEND, batch.setup.tenant_id, batch.setup.epoch, batch.now, *rows.arguments()
                )
        if terms := rows.given_terms():
            await connection.execute(GIVE_TERMS, batch.setup.tenant_id, batch.now, terms)

    async def committed(self, *done: Done) -> None:
        """After the commit of batches with what they changed: program accounts need not be sent
        again; listeners hear of it."""
        for batch, _ in done:
            self._stands(batch)
        with closing(Told(self._committed)) as told:
            await told.write_out(*done)
            await told.send()

    def _stands(self, batch: Batch) -> None:
        self._derived.setdefault(batch.setup.tenant_id, set()).update(batch.book.opened)

    def forget(self, tenant_id: UUID) -> None:
        """Believe nothing about which program accounts there are."""
        self._derived.pop(tenant_id, None)


async def _meanwhile(told: Told, batch: Batch, changes: Sequence[Change]) -> None:
    """What is done while Postgres writes the last part."""
    await told.write_out((batch, changes))
    batch.spent.clear()
