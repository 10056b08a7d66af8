"""The sweep: lots that reached their term are ended, as the worker does it."""

from dataclasses import replace
from datetime import timedelta

from benchmarks import batches, goods, meter, result
from benchmarks.result import Row
from benchmarks.stand import Stand
from loyalty.clock import SetClock
from loyalty.jobs.expiry import LotExpiry
from loyalty.jobs.postponed import Postponed
from loyalty.jobs.timeline import Timeline
from loyalty.jobs.visit import Visit
from loyalty.recorder.recorder import Recorder
from loyalty.recorder.setups import Setups
from loyalty_tenants.setups import TenantSetups


async def sweep(stand: Stand, lots: int) -> list[Row]:
    """Lots of all members, each with an instant of its own."""
    brand = await stand.brand()
    ours = batches.Ours(stand, brand)
    await ours(lots)
    ledger = stand.ledger
    clock = SetClock(ledger.recorder.clock.now() + timedelta(days=400))
    setups = Setups(ledger.database, TenantSetups(ledger.configs))
    recorder = Recorder(ledger.database, ledger.plugins, setups, clock)
    duty = Timeline((LotExpiry(),))
    visit = Visit(
        recorder=recorder, tenant_id=brand.tenant_id, now=clock.now(), postponed=Postponed()
    )

    async def work() -> int:
        while await duty.slice(visit):
            pass
        return lots

    sample = await meter.timed(work)
    members = min(lots, goods.MEMBERS)
    return [
        replace(
            result.row("expiry sweep", "lots", sample),
            note=f"{lots:,} lots of {members:,} members",
        )
    ]
