"""The sweep: lots that reached their term are ended, as the worker does it."""

from datetime import timedelta

from benchmarks import batches, goods, meter, result
from benchmarks.result import Row
from benchmarks.stand import Stand
from loyalty.clock import SetClock
from loyalty.recorder.recorder import Recorder
from loyalty_app.demo.sweeping import sweep


async def sweeping(stand: Stand, lots: int) -> list[Row]:
    """Lots of all members, each with an instant of its own."""
    brand = await stand.brand()
    await batches.Ours(stand, brand)(lots)
    ledger = stand.ledger
    clock = SetClock(ledger.recorder.clock.now() + timedelta(days=400))
    recorder = Recorder(ledger.database, ledger.plugins, ledger.setups, clock)

    async def work() -> int:
        await sweep(recorder, brand.tenant_id, clock.now())
        return lots

    note = f"{lots:,} lots of {min(lots, goods.MEMBERS):,} members"
    return [result.row("expiry sweep", "lots", await meter.timed(work), note=note)]
