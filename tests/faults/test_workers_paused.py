"""A worker stops in the middle and wakes when others have done its work: nothing is done twice."""

import asyncio
import signal
from datetime import UTC, datetime, timedelta
from uuid import UUID

from loyalty.clock import SetClock
from loyalty.facts import MemberRef, PurchaseRecorded
from loyalty.purchase import Line, Tender, TenderKind
from loyalty.settlement.request import Recorded, Request
from loyalty_app.ledger import open_ledger
from tests.faults import report
from tests.faults.brand import PROGRAM, Brand
from tests.faults.conftest import SizeOf
from tests.faults.stand import Stand
from tests.faults.verdict import audited, stored_balances

LONG_AGO = datetime(2020, 1, 1, 12, tzinfo=UTC)
SHORT_LIVED = {**PROGRAM, "terms": {"lifetime": {"span": "P30D", "ends": "exact"}}}
TAKEN_OVER_SECONDS = 15.0  # the lease of a transaction that nobody continues is 10 s
_ENDED = """select count(*) as n, coalesce(sum(amount), 0)::int as points from loyalty.posting
             where tenant_id = $1 and kind = 'EXPIRE'"""


async def test_a_paused_worker_wakes_after_others_took_over(platform: Stand, size: SizeOf) -> None:
    lots, pauses = size("lots that end"), size("pauses of a worker")
    slowest = 0.0
    for _ in range(pauses):
        brand = await platform.brand(program=SHORT_LIVED, at=LONG_AGO - timedelta(days=20))
        await _buy_long_ago(platform, brand, lots)
        slowest = max(slowest, await _pause_one(platform, brand, lots))
        assert await _ended(platform, brand.tenant_id) == (lots, lots)
        assert set((await stored_balances(platform.settings, brand.tenant_id)).values()) == {0}
        await audited(platform.settings, brand.tenant_id)
    report.within(TAKEN_OVER_SECONDS, slowest, "work of a paused worker is taken over")
    report.note(
        report.Row(
            place=85,
            what="a worker stops in the middle and wakes after others did its work",
            tried=f"{lots} lots end, three workers, the first paused in the middle, {pauses} times",
            held=(
                "every lot ends once; what the paused one held is free after "
                f"{TAKEN_OVER_SECONDS:g} s"
            ),
            measured=f"{lots} of {lots} ended once, the rest done {slowest:.1f} s after the pause",
        )
    )


async def _pause_one(platform: Stand, brand: Brand, lots: int) -> float:
    """Seconds from the pause until the others were done."""
    workers = [platform.worker() for _ in range(3)]
    first, *others = workers
    first.start()
    await _until(platform, brand, 1)
    first.pause()
    begun = asyncio.get_running_loop().time()
    for worker in others:
        worker.start()
    await _until(platform, brand, lots)
    took = asyncio.get_running_loop().time() - begun
    first.resume()
    await asyncio.sleep(1.5)  # it wakes and goes on with what it believes to be its own
    for worker in workers:
        worker.terminate()
        code, _ = await worker.ended()
        assert code in (0, -signal.SIGTERM), worker.said()[-2000:]
    return took


async def _buy_long_ago(platform: Stand, brand: Brand, lots: int) -> None:
    dsn = platform.settings.need("app_database_url")
    async with open_ledger(platform.settings, dsn, pool=2, clock=SetClock(LONG_AGO)) as ledger:
        requests = [
            Request(fact=_purchase(brand.members[n % len(brand.members)], n), actor="faults")
            for n in range(lots)
        ]
        outcomes = await ledger.recorder.record_many(brand.tenant_id, requests)
    assert all(isinstance(outcome, Recorded) for outcome in outcomes)


def _purchase(member: str, number: int) -> PurchaseRecorded:
    return PurchaseRecorded(
        member=MemberRef(external_id=member),
        occurred_at=LONG_AGO - timedelta(minutes=number),  # so each ends at an instant of its own
        source="till",
        external_id=f"o-{number}",
        currency="USD",
        total=100,
        lines=(Line(id="1", amount=100),),
        tenders=(Tender(kind=TenderKind.OTHER, amount=100),),
    )


async def _until(platform: Stand, brand: Brand, ended: int) -> None:
    """Asked lightly: who asks is somebody to whom workers give way."""
    async with asyncio.timeout(120), platform.admin() as admin:
        while (await admin.fetchrow(_ENDED, brand.tenant_id))["n"] < ended:
            await asyncio.sleep(0.1)


async def _ended(platform: Stand, tenant_id: UUID) -> tuple[int, int]:
    async with platform.admin() as admin:
        row = await admin.fetchrow(_ENDED, tenant_id)
    return row["n"], row["points"]
