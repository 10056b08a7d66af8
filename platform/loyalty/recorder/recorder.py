"""The recorder: the only write path. One transaction a batch, one outcome a request.

begin; set tenant -> open_batch (locks, then what is true) -> needs -> settle each request in memory
-> append -> writers -> commit. A request that is refused leaves no trace and its key free.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from loyalty.clock import Clock
from loyalty.database import Database
from loyalty.errors import Code, Refused
from loyalty.facts import FactKey, PurchaseRecorded, PurchaseReversed
from loyalty.ledger.book import NeedLots
from loyalty.plugin_set import PluginSet
from loyalty.recorder.loading import OPEN_BATCH, load
from loyalty.recorder.needs import load_needs, owners_of
from loyalty.recorder.setups import Setups
from loyalty.recorder.wants import Wants, gather
from loyalty.settlement.batch import Batch, Parked
from loyalty.settlement.expiring import NothingDue
from loyalty.settlement.request import Change, Committed, Recorded, Request
from loyalty.settlement.settle import settle
from loyalty.setup import Setup

APPEND = (
    "select loyalty.append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,"
    " $16, $17, $18, $19)"
)
RETRIED = frozenset({"40001", "40P01", "23505", "55P03"})  # moved, deadlock, key just taken, lock
TRIES = 5
BATCH_MAX = 500

Outcome = Recorded | Refused
log = logging.getLogger(__name__)


class Recorder:
    def __init__(
        self,
        database: Database,
        plugins: PluginSet,
        setups: Setups,
        clock: Clock,
        *,
        committed: Callable[[Committed], Awaitable[None]] | None = None,
    ) -> None:
        self.database = database
        self.plugins = plugins
        self.setups = setups
        self.clock = clock
        self._committed = committed
        self._derived: dict[UUID, set[UUID]] = {}

    async def record_many(self, tenant_id: UUID, requests: Sequence[Request]) -> list[Outcome]:
        """Record requests in their order; each has its own outcome, in the same place.

        What Postgres refuses is halved until the culprit stands alone; the others stand.

        :raises Refused: OVERLOADED: no connection came free
        """
        if len(requests) > BATCH_MAX:
            half = BATCH_MAX
            first = await self.record_many(tenant_id, requests[:half])
            return first + await self.record_many(tenant_id, requests[half:])
        if not requests:
            return []
        try:
            return await self._persistently(tenant_id, requests)
        except (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError) as error:
            log.exception("the database went away under a batch")
            return [_unknown(error)] * len(requests)
        except asyncpg.PostgresError as error:
            if len(requests) == 1:
                log.exception("Postgres refused %s", requests[0].fact.KIND)
                return [_internal(error)]
        half = len(requests) // 2
        first = await self.record_many(tenant_id, requests[:half])
        return first + await self.record_many(tenant_id, requests[half:])

    async def preview(self, tenant_id: UUID, request: Request) -> Outcome:
        """What recording this would answer: the same walk, nothing written, no chance drawn."""
        more_lots: set[tuple[UUID, str]] = set()
        for _ in range(TRIES):
            try:
                async with self.database.tenant(tenant_id) as connection:
                    setup = await self.setups.read(connection, tenant_id)
                    batch = await self.open(connection, [request], setup, more_lots)
                    batch.preview = True
                    try:
                        raise _Previewed(_settle_one(batch, request, 0, []))
                    except NeedLots as need:
                        raise _Previewed(need) from None
            except _Previewed as previewed:  # leaving by an exception rolls the locks back
                if isinstance(previewed.outcome, NeedLots):
                    more_lots.add((previewed.outcome.owner_id, previewed.outcome.unit))
                    continue
                outcome: Outcome = previewed.outcome
                return outcome
        raise RuntimeError("a preview asked for more and more lots")

    async def _persistently(self, tenant_id: UUID, requests: Sequence[Request]) -> list[Outcome]:
        """Try again what may pass the next time: another process moved an account, took a key."""
        setup = await self.setups.get(tenant_id)
        more_lots: set[tuple[UUID, str]] = set()
        attempt = 0
        while True:
            try:
                return await self._once(tenant_id, requests, setup, more_lots)
            except NeedLots as need:
                more_lots.add((need.owner_id, need.unit))
            except StaleSetup as stale:
                setup = stale.setup
            except asyncpg.PostgresError as error:
                attempt += 1
                if error.sqlstate not in RETRIED or attempt == TRIES:
                    raise
                self._derived.pop(tenant_id, None)
                await asyncio.sleep(random.uniform(0, 0.005 * 2**attempt))

    async def _once(
        self, tenant_id: UUID, requests: Sequence[Request], setup: Setup,
        more_lots: set[tuple[UUID, str]],
    ) -> list[Outcome]:  # fmt: skip
        changes: list[Change] = []
        async with self.database.tenant(tenant_id) as connection:
            batch = await self.open(connection, requests, setup, more_lots)
            outcomes = [
                _settle_one(batch, request, index, changes)
                for index, request in enumerate(requests)
            ]
            await self.append(connection, batch)
        self.remember(tenant_id, batch)
        if changes and self._committed is not None:
            newest = {(c.member_id, c.unit): c for c in changes}
            await self._tell(Committed(tenant_id=tenant_id, changes=tuple(newest.values())))
        return outcomes

    async def open(
        self, connection: Any, requests: Sequence[Request], setup: Setup,
        more_lots: set[tuple[UUID, str]],
    ) -> Batch:  # fmt: skip
        """Lock and load what the requests need.

        :raises StaleSetup: the tenant's setup is newer than the given one
        """
        wants: Wants = gather(requests, setup, self.plugins, more_lots)
        wants.owners = await owners_of(connection, requests, setup, self.plugins)
        row = await connection.fetchrow(OPEN_BATCH, setup.tenant_id, *wants.arguments())
        if row["epoch"] != setup.epoch:
            raise StaleSetup(await self.setups.read(connection, setup.tenant_id))
        derived = self._derived.setdefault(setup.tenant_id, set())
        batch = load(row, wants, setup, self.plugins, self.clock.now(), derived)
        batch.needs = await load_needs(connection, requests, batch)
        return batch

    async def append(self, connection: Any, batch: Batch) -> None:
        """Write what the batch decided, in one call and one more per kind of plugin row."""
        rows = batch.book.rows
        if rows.facts or rows.settled:
            await connection.execute(
                APPEND, batch.setup.tenant_id, batch.setup.epoch, batch.now, *rows.arguments()
            )
        by_type: dict[type[Any], list[Any]] = {}
        for write in batch.writes:
            by_type.setdefault(type(write.row), []).append(write)
        for kind, writes in by_type.items():
            await self.plugins.writers[kind].write(connection, writes)

    def remember(self, tenant_id: UUID, batch: Batch) -> None:
        """Program accounts that exist now need not be sent again."""
        known = self._derived.setdefault(tenant_id, set())
        known.update(row[0] for row in batch.book.rows.accounts if not row[5])

    async def _tell(self, committed: Committed) -> None:
        assert self._committed is not None
        try:
            await self._committed(committed)
        except Exception:  # the write stands: whoever listens must not undo that
            log.exception("telling of a commit failed")


class StaleSetup(Exception):
    """The tenant's setup changed: the batch is decided under the new one."""

    def __init__(self, setup: Setup) -> None:
        super().__init__("the setup is stale")
        self.setup = setup


class _Previewed(Exception):
    def __init__(self, outcome: Any) -> None:
        super().__init__("previewed")
        self.outcome = outcome


def _settle_one(batch: Batch, request: Request, index: int, changes: list[Change]) -> Outcome:
    """Settle a request, and the returns that waited for it; any failure is its own only."""
    try:
        recorded, moved = settle(batch, request, index)
    except NothingDue as nothing:
        return nothing
    except Refused as refused:
        return refused
    except NeedLots:
        raise
    except Exception as error:
        log.exception("a rule failed on %s", request.fact.KIND)
        return _internal(error)
    changes += moved
    if isinstance(request.fact, PurchaseRecorded) and batch.parked:
        for parked in batch.parked:
            if (parked.source, parked.purchase_external_id) == (
                request.fact.source,
                request.fact.external_id,
            ):
                _apply_parked(batch, parked, index, changes)
        batch.parked = [
            p for p in batch.parked if p.purchase_external_id != request.fact.external_id
        ]
    return recorded


def _apply_parked(batch: Batch, parked: Parked, index: int, changes: list[Change]) -> None:
    """The purchase a return waited for is there: apply it, or keep the reason why not."""
    outcome = _settle_one(batch, parked_request(batch.plugins, parked), index, changes)
    if isinstance(outcome, Refused) and outcome.code is not Code.INTERNAL:
        reason = {"code": outcome.code, "field": outcome.field, "message": outcome.message}
        batch.book.rows.settled.append((parked.id, "REFUSED", reason))


def parked_request(plugins: PluginSet, parked: Parked) -> Request:
    """The request that applies a parked return."""
    fact = plugins.codec.load(PurchaseReversed.KIND, parked.payload, None)
    return Request(
        fact=fact,
        actor=parked.actor,
        key=FactKey("parked", str(parked.id)),
        parked_id=parked.id,
        any_time=True,
    )


def _internal(error: Exception) -> Refused:
    refused = Refused(Code.INTERNAL, "an error of ours: nothing was written, try again")
    refused.__cause__ = error
    return refused


def _unknown(error: Exception) -> Refused:
    refused = Refused(
        Code.INTERNAL, "the database did not answer: send the same again under the same key"
    )
    refused.__cause__ = error
    return refused
