"""`record_many` itself: against the same rows by hand, and on a database that is still young."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import asyncpg

from benchmarks import by_hand, goods, meter, result
from benchmarks.meter import Sample
from benchmarks.result import Row
from benchmarks.stand import Brand, Stand

BATCH = 500
YOUNG = 20_000  # the facts of a new tenant that are looked at,
STEP = 2_000  # and how many of them together


class Ours:
    """Batches of purchases through the recorder."""

    def __init__(self, stand: Stand, brand: Brand, size: int = goods.LINES) -> None:
        self._stand, self._brand, self._size, self._next = stand, brand, size, 0

    async def __call__(self, count: int = BATCH) -> Sample:
        requests = goods.requests(self._next, count, self._size)
        self._next += count

        async def work() -> int:
            recorder, done = self._stand.ledger.recorder, 0
            for start in range(0, count, BATCH):
                part = requests[start : start + BATCH]
                outcomes = await recorder.record_many(self._brand.tenant_id, part)
                done += len([goods.stood(outcome) for outcome in outcomes])
            return done

        return await meter.timed(work)


class ByHand:
    """The same purchases as rows."""

    def __init__(self, connection: Any, brand: Brand) -> None:
        self._connection, self._brand, self._next = connection, brand, goods.MEMBERS

    async def __call__(self) -> Sample:
        now = datetime.now(UTC)
        numbers = range(self._next, self._next + BATCH)
        self._next += BATCH
        baskets = [(n, f"b{n:08d}", goods.item(f"b{n:08d}", goods.member(n), now)) for n in numbers]

        async def work() -> int:
            await by_hand.record(self._connection, self._brand, baskets)
            return len(baskets)

        return await meter.timed(work)


async def warm(stand: Stand, brand: Brand) -> Ours:
    """A first purchase of every member opens the accounts; the planner hears of the rows."""
    ours = Ours(stand, brand)
    await ours(goods.MEMBERS)
    return ours


async def against_by_hand(stand: Stand, rounds: int) -> list[Row]:
    brand, other = await stand.brand(), await stand.brand()
    ours = await warm(stand, brand)
    await warm(stand, other)
    connection = await asyncpg.connect(stand.admin)
    try:
        await connection.execute("analyze")
        ways: list[Callable[[], Awaitable[Sample]]] = [ours, ByHand(connection, other)]
        mine, hand = await meter.by_turns(ways, rounds)
    finally:
        await connection.close()
    case = f"record_many, batches of {BATCH}, {goods.LINES} lines"
    return [
        result.row(case, "purchases", mine, against="by hand", than=hand),
        result.row("the same rows by hand", "purchases", hand),
    ]


async def long_baskets(stand: Stand, rounds: int) -> list[Row]:
    """As long as real ones are on average."""
    brand = await stand.brand()
    await warm(stand, brand)
    ours = Ours(stand, brand, size=10)
    ours._next = goods.MEMBERS
    (mine,) = await meter.by_turns([ours], rounds)
    return [result.row(f"record_many, batches of {BATCH}, 10 lines", "purchases", mine)]


async def young(stand: Stand) -> list[Row]:
    """The first facts of the first tenant of an empty database, which nobody analyzed."""
    ours = Ours(stand, await stand.brand())
    samples = [await ours(STEP) for _ in range(0, YOUNG, STEP)]
    rates = [sample.units / (sample.python + sample.postgres) for sample in samples]
    flat = min(rates[1:]) / max(rates[1:])
    return [
        result.row(
            f"the first {YOUNG:,} of an empty database", "purchases", meter.middle(samples),
            note=f"slowest {STEP:,} at {flat:.2f} of the fastest (CPU)",
        )
    ]  # fmt: skip
