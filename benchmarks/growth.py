"""What a ledger of millions costs: a purchase of it, and the end of a million lots."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from benchmarks import batches, expiry, meter, result
from benchmarks.expiry import Beside, Swept
from benchmarks.grown import Past, grow
from benchmarks.meter import Sample
from benchmarks.result import Bar, Result, Row
from benchmarks.stand import Brand, Stand, stand
from loyalty.audit import audit

SMALL_MEMBERS, SMALL_EACH = 2_000, 4  # and a first purchase each: 10,000 postings
MEMBERS, MEMBERS_FULL = 2_000, 50_000
EACH = 20  # lots of a member that fall due, and then as many again
ROUNDS = 9
ALONE_MAX, BESIDE_MAX = 180.0, 360.0  # seconds for a million lots
SLOWER_MAX = 2.0  # times the load's p95 without a sweep
SINGLES = 100  # purchases of a round of single ones
STRIDE = 7_919  # a prime: members whose rows lie side by side do not buy side by side
POSTINGS = "select count(*) from loyalty.posting where tenant_id = $1"


async def sizes(*, full: bool) -> Result:
    """A small ledger and a big one on servers of their own, each of one tenant."""
    async with stand() as little, stand() as big:
        small, brand = await _small(little), await _brand(big, _members(full))
        alone = await expiry.sweep(big, brand, await grow(big, brand, _past(EACH)))
        beside = await expiry.beside(big, brand, await grow(big, brand, _past(EACH)))
        cost = await _costs(little, small, big, brand)
        await _sound(big, brand)
    return _result([cost, _alone(alone), _beside(beside)], full)


async def cost(*, full: bool) -> Result:
    """A purchase's cost alone: in the big ledger nothing has ended."""
    async with stand() as little, stand() as big:
        small, brand = await _small(little), await _brand(big, _members(full))
        for _ in range(2):
            await grow(big, brand, _past(EACH))
        return _result([await _costs(little, small, big, brand)], full)


async def ends(*, full: bool) -> Result:
    """The end of lots alone, with nothing beside it."""
    async with stand() as big:
        brand = await _brand(big, _members(full))
        swept = await expiry.sweep(big, brand, await grow(big, brand, _past(EACH)))
        await _sound(big, brand)
        return _result([_alone(swept)], full)


async def ends_beside(*, full: bool) -> Result:
    """The end of lots alone, beside a load."""
    async with stand() as big:
        brand = await _brand(big, _members(full))
        swept = await expiry.beside(big, brand, await grow(big, brand, _past(EACH)))
        await _sound(big, brand)
        return _result([_beside(swept)], full)


@dataclass(frozen=True, slots=True)
class _Part:
    """One thing that this case measures."""

    ratio: float
    rows: list[Row]
    bars: list[Bar]
    figures: dict[str, Any]


def _result(parts: list[_Part], full: bool) -> Result:
    return Result(
        case="e",
        ratio=parts[0].ratio,
        rows=[row for part in parts for row in part.rows],
        bars=[bar for part in parts for bar in part.bars],
        figures={"full": full} | {k: v for part in parts for k, v in part.figures.items()},
    )


async def _costs(little: Stand, small: Brand, big: Stand, brand: Brand) -> _Part:
    counts = await _postings(little, small), await _postings(big, brand)
    ours = [_Purchases(little, small), _Purchases(big, brand)]
    for one in ours:
        await one.of_everybody()
    many = await meter.by_turns([one.many for one in ours], ROUNDS)
    single = await meter.by_turns([one.singles for one in ours], ROUNDS)
    return _Part(
        _dearer(many),
        _rows(many, single, counts),
        _cost_bars(many, single),
        {"postings": list(counts), "members": [len(small.members), len(brand.members)]},
    )


def _alone(swept: Swept) -> _Part:
    seconds = _for_a_million(swept)
    return _Part(
        round(seconds / ALONE_MAX, 2),
        [swept.row("expiry by the worker")],
        [_most("seconds for a million lots alone", seconds, ALONE_MAX)],
        {"expiry_alone": swept.figures()},
    )


def _beside(beside: Beside) -> _Part:
    seconds = _for_a_million(beside.swept)
    return _Part(
        beside.slower,
        [beside.swept.row(f"expiry beside {expiry.PACE:g} purchases a second")],
        [
            _most("seconds for a million lots beside the load", seconds, BESIDE_MAX),
            _most("p95 of the load beside to alone", beside.slower, SLOWER_MAX),
        ],
        {
            "expiry_beside": {**beside.swept.figures(), "purchases_a_second": expiry.PACE},
            "load_alone_ms": _latency(beside.alone),
            "load_beside_ms": _latency(beside.busy),
        },
    )


class _Purchases:
    """Batches of purchases, and purchases one by one, of members all over the table."""

    def __init__(self, stand: Stand, brand: Brand) -> None:
        self._brand = brand
        self._ours = batches.Ours(stand, brand, first=10_000_000, stride=STRIDE)

    async def of_everybody(self) -> Sample:
        """As in a ledger in use: growing ends with a checkpoint, and after one each page goes to
        the log whole when it is next touched."""
        return await self._ours(len(self._brand.members))

    async def many(self) -> Sample:
        return await self._ours()

    async def singles(self) -> Sample:
        return await self._ours(SINGLES, 1)


def _members(full: bool) -> int:
    return MEMBERS_FULL if full else MEMBERS


async def _small(stand: Stand) -> Brand:
    brand = await _brand(stand, SMALL_MEMBERS)
    await grow(stand, brand, _past(SMALL_EACH))
    return brand


async def _brand(stand: Stand, members: int) -> Brand:
    brand = await stand.brand(members)
    await batches.warm(stand, brand)
    return brand


def _past(each: int) -> Past:
    """Two years ago to one year ago; all of it has reached its term by now."""
    now = datetime.now(UTC)
    since, until = now - timedelta(days=730), now - timedelta(days=365)
    return Past(each=each, since=since, until=until, end=now)


async def _postings(stand: Stand, brand: Brand) -> int:
    connection = await asyncpg.connect(stand.admin)
    try:
        return int(await connection.fetchval(POSTINGS, brand.tenant_id))
    finally:
        await connection.close()


async def _sound(stand: Stand, brand: Brand) -> None:
    found = await audit(stand.settings.need("audit_database_url"), [brand.tenant_id])
    if found:
        raise RuntimeError(f"the audit finds {found[:3]}")


def _dearer(samples: list[Sample]) -> float:
    small, big = samples
    return round(big.cost / small.cost, 2)


def _rows(many: list[Sample], single: list[Sample], counts: tuple[int, int]) -> list[Row]:
    return [
        result.row(f"{case}, {count:,} postings", "purchases", sample)
        for case, samples in ((f"record_many of {batches.BATCH}", many), ("one by one", single))
        for count, sample in zip(counts, samples, strict=True)
    ]


def _cost_bars(many: list[Sample], single: list[Sample]) -> list[Bar]:
    costs = {"CPU a purchase": _dearer(many), "CPU a purchase, one by one": _dearer(single)}
    walls = {
        "time a purchase": round(many[0].rate / many[1].rate, 2),
        "time a purchase, one by one": round(single[0].rate / single[1].rate, 2),
    }
    return [
        _most(f"{name}, big ledger to small", value, 1.3)
        for name, value in {**costs, **walls}.items()
    ]


def _for_a_million(swept: Swept) -> float:
    return round(swept.seconds * 1_000_000 / swept.lots, 1)


def _most(figure: str, value: float, limit: float) -> Bar:
    return Bar(figure=figure, value=value, limit=limit, most=True)


def _latency(measured: dict[str, Any]) -> dict[str, float]:
    return {name: round(measured[name], 1) for name in ("p50", "p95", "p99")}
