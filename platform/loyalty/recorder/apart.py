"""Pairs of two tenants in one transaction: each tenant's legs are a batch of their own.

The tenant with the lower id is locked first. Both are settled before either is written (`in_turn`),
or, where there are several pairs, each while Postgres works on the other's (`ahead`).
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from loyalty.errors import Code, Refused
from loyalty.recorder.each import settle_each
from loyalty.recorder.leg import Leg, LegRefused
from loyalty.recorder.meanwhile import write_out
from loyalty.recorder.newest import with_newest
from loyalty.recorder.recorder import Recorder
from loyalty.recorder.sides import Sides
from loyalty.recorder.wants import More
from loyalty.settlement.batch import Batch
from loyalty.settlement.request import Change, Recorded, Request
from loyalty.setup import Setup

BREATH = 8  # legs; then what Postgres answered is looked at, so that it has the next to do
Both = tuple[Recorded, Recorded]


class Regretted(Exception):
    """The second tenant refuses what is written of the first already: nothing of it may stand."""


class Half:
    """What one tenant has of the pairs: its leg of each, and the batch that settles them."""

    batch: Batch

    def __init__(
        self, recorder: Recorder, sides: Sides, setup: Setup, requests: Sequence[Request]
    ) -> None:
        self._recorder = recorder
        self._setup = setup
        self._requests = requests
        self._connection = sides.of(setup.tenant_id)
        self.changes: list[Change] = []

    async def open(self, more: More) -> None:
        """Lock and load what the legs need."""
        self._requests = await with_newest(self._connection, self._requests)
        self.batch = await self._recorder.open(self._connection, self._requests, self._setup, more)

    async def write_out(self) -> None:
        """Work out what of the legs depends on nothing that is stored."""
        await write_out(self._requests, self._recorder.plugins.codec)

    def settle(self, index: int) -> Recorded:
        """Settle a leg in memory.

        :raises LegRefused: it cannot stand; the batch is as before
        """
        outcome = settle_each(self.batch, self._requests[index], index, self.changes)
        if isinstance(outcome, Refused):
            raise LegRefused(outcome, self._setup.tenant_id) from outcome
        return outcome

    async def append(self) -> None:
        """Write what was settled."""
        await self._recorder.append(self._connection, self.batch)


async def in_turn(
    recorder: Recorder, pairs: Sequence[tuple[Leg, Leg]], more: More
) -> list[Both | Refused]:
    """Both tenants are locked before either is settled, and settled before either is written: so a
    pair that one side refuses leaves nothing on the other."""
    async with _transaction(recorder, pairs) as halves:
        for half in halves:
            await half.open(more)
        outcomes = [_pair(halves, index) for index in range(len(pairs))]
        for half in halves:
            await half.append()
    return await _told(recorder, pairs, halves, outcomes)


async def ahead(
    recorder: Recorder, pairs: Sequence[tuple[Leg, Leg]], more: More
) -> list[Both | Refused]:
    """The first tenant's legs are settled while Postgres opens the second's batch, the second's
    while it writes the first's.

    :raises Regretted: a pair that the first lets stand the second does not
    """
    async with _transaction(recorder, pairs) as halves:
        first, second = halves
        ours: list[Recorded | Refused] = []
        outcomes: list[Sequence[Recorded] | Refused] = []
        await _beside(first.open(more), second.write_out())
        await _beside(second.open(more), _settle(first, len(pairs), ours))
        await _beside(first.append(), _settle_after(second, ours, outcomes))
        await second.append()
    return await _told(recorder, pairs, halves, outcomes)


async def _beside(asked: Coroutine[Any, Any, None], work: Coroutine[Any, Any, None]) -> None:
    """Work while Postgres is asked. A second side that refuses is nothing rare, so what was asked
    is let come to its end and not called off: who comes next on the connection would be hit."""
    asking = asyncio.create_task(asked)
    try:
        await work
    finally:
        await asking


@asynccontextmanager
async def _transaction(
    recorder: Recorder, pairs: Sequence[tuple[Leg, Leg]]
) -> AsyncIterator[tuple[Half, Half]]:
    """Committed when the block ends well."""
    low, high = sorted({leg.tenant_id for leg in pairs[0]})
    setups = [await recorder.setups.get(tenant_id) for tenant_id in (low, high)]
    async with recorder.database.tenants() as connection:
        sides = Sides(connection, frozenset((low, high)))
        first, second = (
            Half(recorder, sides, setup, _legs_of(setup.tenant_id, pairs)) for setup in setups
        )
        await _beside(sides.begin(low), first.write_out())
        yield first, second
        await sides.commit()


def _pair(halves: Sequence[Half], index: int) -> Sequence[Recorded] | Refused:
    """Settle both legs of a pair; where either is refused, both batches are as before."""
    marks = [(half, half.batch.book.mark(), len(half.changes)) for half in halves]
    try:
        recorded = [half.settle(index) for half in halves]
        check_replays(*recorded)
    except Refused as refused:
        for half, mark, count in marks:
            half.batch.book.undo(mark)
            del half.changes[count:]
        return refused
    return recorded


async def _settle(half: Half, count: int, outcomes: list[Recorded | Refused]) -> None:
    for index in range(count):
        if index % BREATH == 0:
            await asyncio.sleep(0)
        try:
            outcomes.append(half.settle(index))
        except LegRefused as refused:
            outcomes.append(refused)


async def _settle_after(
    half: Half,
    ours: Sequence[Recorded | Refused],
    outcomes: list[Sequence[Recorded] | Refused],
) -> None:
    """Settle the legs whose other one stands."""
    for index, one in enumerate(ours):
        if index % BREATH == 0:
            await asyncio.sleep(0)
        if isinstance(one, Refused):
            outcomes.append(one)
            continue
        try:
            other = half.settle(index)
            check_replays(one, other)
        except Refused as refused:
            raise Regretted from refused
        outcomes.append((one, other))


async def _told(
    recorder: Recorder,
    pairs: Sequence[tuple[Leg, Leg]],
    halves: Sequence[Half],
    outcomes: Sequence[Sequence[Recorded] | Refused],
) -> list[Both | Refused]:
    """After the commit: listeners hear of it, and each pair has its answers in its own order."""
    await recorder.committed(*[(half.batch, half.changes) for half in halves])
    return [
        outcome if isinstance(outcome, Refused) else _in_order(outcome, pair)
        for outcome, pair in zip(outcomes, pairs, strict=True)
    ]


def _legs_of(tenant_id: UUID, pairs: Sequence[tuple[Leg, Leg]]) -> Sequence[Request]:
    return [next(leg.request for leg in pair if leg.tenant_id == tenant_id) for pair in pairs]


def _in_order(recorded: Sequence[Recorded], pair: tuple[Leg, Leg]) -> Both:
    low, high = recorded
    first, second = pair
    return (low, high) if first.tenant_id < second.tenant_id else (high, low)


def check_replays(one: Recorded, other: Recorded) -> None:
    """:raises Refused: one of the two was recorded before, and the other was not"""
    if one.replayed is not other.replayed:
        raise Refused(
            Code.IDEMPOTENCY_MISMATCH,
            "one side of this is known under its key and the other is not",
            field="idempotencyKey",
        )
