"""`record_many` itself: against the same rows by hand, and on a database that is still young."""

from datetime import UTC, datetime
from typing import Any

import asyncpg

from benchmarks import alike, by_hand, goods, meter, result
from benchmarks.meter import Sample, Way
from benchmarks.result import Bar, Result
from benchmarks.stand import Brand, Stand, stand

BATCH = 500
YOUNG = 20_000  # the facts of a new tenant that are looked at,
STEP = 2_000  # and how many of them together


class Ours:
    """Batches of purchases through the recorder, of all members of a brand in turn."""

    def __init__(
        self, stand: Stand, brand: Brand, size: int = goods.LINES, *, first: int = 0,
        stride: int = 1,
    ) -> None:  # fmt: skip
        self._stand, self._brand, self._size = stand, brand, size
        self._next, self._stride = first, stride

    async def __call__(self, count: int = BATCH, batch: int = BATCH) -> Sample:
        requests = goods.requests(
            self._next, count, self._size, members=len(self._brand.members), stride=self._stride
        )
        self._next += count

        async def work() -> int:
            recorder, done = self._stand.ledger.recorder, 0
            for start in range(0, count, batch):
                part = requests[start : start + batch]
                outcomes = await recorder.record_many(self._brand.tenant_id, part)
                done += len([goods.stood(outcome) for outcome in outcomes])
            return done

        return await self._stand.timed(work)


class ByHand:
    """The same purchases as rows."""

    def __init__(self, stand: Stand, connection: Any, brand: Brand, rules: int = 1) -> None:
        self._stand, self._connection, self._brand = stand, connection, brand
        self._rules, self._next = rules, goods.MEMBERS

    async def __call__(self) -> Sample:
        now = datetime.now(UTC)
        numbers = range(self._next, self._next + BATCH)
        self._next += BATCH
        baskets = [
            (n, f"b{n:08d}", goods.item(f"b{n:08d}", goods.member(n % goods.MEMBERS), now))
            for n in numbers
        ]

        async def work() -> int:
            await by_hand.record(self._connection, self._brand, baskets, self._rules)
            return len(baskets)

        return await self._stand.timed(work)


async def warm(stand: Stand, brand: Brand) -> Ours:
    """A first purchase of every member opens the accounts."""
    ours = Ours(stand, brand)
    await ours(len(brand.members))
    return ours


async def against_by_hand(rounds: int) -> Result:
    async with stand() as on:
        brand, other = await on.brand(), await on.brand()
        ours = await warm(on, brand)
        await warm(on, other)
        await on.analyze()
        connection = await asyncpg.connect(on.admin)
        try:
            ways: list[Way] = [ours, ByHand(on, connection, other)]
            mine, hand = await meter.by_turns(ways, rounds)
            await alike.look(connection, brand, other)
        finally:
            await connection.close()
    case = f"record_many, batches of {BATCH}, {goods.LINES} lines"
    share = result.ratio(mine, hand)
    return Result(
        case="a",
        ratio=share,
        rows=[
            result.row(case, "purchases", mine, against="by hand", than=hand),
            result.row("the same rows by hand", "purchases", hand),
        ],
        bars=[Bar(figure="of the same rows by hand", value=share, limit=0.65)],
        figures={"batch": BATCH, "lines": goods.LINES, "rounds": rounds},
    )


async def long_baskets(rounds: int) -> Result:
    """As long as real ones are on average."""
    async with stand() as on:
        brand = await on.brand()
        await warm(on, brand)
        ours = Ours(on, brand, size=10, first=len(brand.members))
        (mine,) = await meter.by_turns([ours], rounds)
    case = f"record_many, batches of {BATCH}, 10 lines"
    return Result(case="long", rows=[result.row(case, "purchases", mine)])


async def young() -> Result:
    """The first facts of the first tenant of an empty database, which nobody analyzed."""
    async with stand() as on:
        ours = Ours(on, await on.brand())
        samples = [await ours(STEP) for _ in range(0, YOUNG, STEP)]
    rates = [1 / sample.cost for sample in samples[1:]]
    flat = round(min(rates) / max(rates), 2)
    note = f"slowest {STEP:,} at {flat:.2f} of the fastest (CPU)"
    case = f"the first {YOUNG:,} of an empty database"
    row = result.row(case, "purchases", meter.middle(samples), note=note)
    return Result(case="young", ratio=flat, rows=[row])
