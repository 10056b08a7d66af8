"""What a ledger of millions costs: a purchase of it, and the end of a million lots."""

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
SINGLES = 100  # purchases of a round of single ones
STRIDE = 7_919  # a prime: members whose rows lie side by side do not buy side by side
POSTINGS = "select count(*) from loyalty.posting where tenant_id = $1"


async def sizes(*, full: bool) -> Result:
    """A small ledger and a big one on servers of their own, each of one tenant."""
    async with stand() as little, stand() as big:
        small = await _brand(little, SMALL_MEMBERS)
        await grow(little, small, _past(SMALL_EACH))
        brand = await _brand(big, MEMBERS_FULL if full else MEMBERS)
        alone = await expiry.sweep(big, brand, await grow(big, brand, _past(EACH)))
        beside = await expiry.beside(big, brand, await grow(big, brand, _past(EACH)))
        counts = await _postings(little, small), await _postings(big, brand)
        ours = [_Purchases(little, small), _Purchases(big, brand)]
        many = await meter.by_turns([one.many for one in ours], ROUNDS)
        single = await meter.by_turns([one.singles for one in ours], ROUNDS)
        await _sound(big, brand)
    return Result(
        case="e",
        ratio=_dearer(many),
        rows=[*_rows(many, single, counts), *_expiries(alone, beside)],
        bars=[*_cost_bars(many, single), *_expiry_bars(alone, beside)],
        figures={
            "postings": list(counts),
            "members": [len(small.members), len(brand.members)],
            "full": full,
            "expiry_alone": alone.figures(),
            "expiry_beside": {**beside.swept.figures(), "purchases_a_second": expiry.PACE},
            "load_alone_ms": _latency(beside.alone),
            "load_beside_ms": _latency(beside.busy),
        },
    )


class _Purchases:
    """Batches of purchases, and purchases one by one, of members all over the table."""

    def __init__(self, stand: Stand, brand: Brand) -> None:
        self._ours = batches.Ours(stand, brand, first=10_000_000, stride=STRIDE)

    async def many(self) -> Sample:
        return await self._ours()

    async def singles(self) -> Sample:
        return await self._ours(SINGLES, 1)


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


def _expiries(alone: Swept, beside: Beside) -> list[Row]:
    load = f"beside {expiry.PACE:g} purchases a second"
    return [alone.row("expiry by the worker"), beside.swept.row(f"expiry {load}")]


def _cost_bars(many: list[Sample], single: list[Sample]) -> list[Bar]:
    costs = {"CPU a purchase": _dearer(many), "CPU a purchase, one by one": _dearer(single)}
    walls = {
        "time a purchase": round(many[0].rate / many[1].rate, 2),
        "time a purchase, one by one": round(single[0].rate / single[1].rate, 2),
    }
    return [
        Bar(figure=f"{name}, big ledger to small", value=value, limit=1.3, most=True)
        for name, value in {**costs, **walls}.items()
    ]


def _expiry_bars(alone: Swept, beside: Beside) -> list[Bar]:
    scale = 1_000_000 / alone.lots
    return [
        Bar(figure="seconds for a million lots alone", value=round(alone.seconds * scale, 1),
            limit=180.0, most=True),
        Bar(figure="seconds for a million lots beside the load",
            value=round(beside.swept.seconds * scale, 1), limit=360.0, most=True),
        Bar(figure="p95 of the load beside to alone", value=beside.slower, limit=2.0, most=True),
    ]  # fmt: skip


def _latency(measured: dict[str, Any]) -> dict[str, float]:
    return {name: round(measured[name], 1) for name in ("p50", "p95", "p99")}
