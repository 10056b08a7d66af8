"""The disk is full: writes are refused with 503, reads go on, and it heals when there is room."""

import asyncio

import pytest

from tests.faults import report
from tests.faults.conftest import SizeOf
from tests.faults.disk import small_disk
from tests.faults.journal import Fate, Kind
from tests.faults.load import Load, loading
from tests.faults.sizes import CLEAN_SECONDS
from tests.faults.stand import stand
from tests.faults.verdict import judge

WRITES = {"purchase": 8, "balance": 2}
FULL_SECONDS = 4
BACK_SECONDS = 10.0


@pytest.mark.mounts
async def test_the_disk_of_the_tables_is_full(size: SizeOf) -> None:
    async with stand() as platform:
        brand = await platform.brand()
        platform.postgres.stop()
        with small_disk(platform.postgres.folder / "base", size("megabytes to fill")) as disk:
            await platform.postgres.start()
            apis = await platform.apis()
            async with loading(brand, apis, platform.folder, rate=60, mix=WRITES) as load:
                await asyncio.sleep(size(CLEAN_SECONDS))
                disk.fill()
                await _refuses(load)
                begun = load.now
                await asyncio.sleep(FULL_SECONDS)
                ended = load.now
                disk.free()
                back = await _writes_again(load)
                during = list(load.journal.answers(since=begun, until=ended))
                reads = [
                    answer
                    for call in load.journal.calls
                    if call.kind is Kind.BALANCE
                    for answer in call.answers
                    if begun <= answer.at < ended
                ]
                verdict = await judge(platform.settings, load)
            await platform.stop()
            platform.postgres.stop()
    told = [answer for answer in during if answer.code == "OVERLOADED"]
    assert told
    assert all(answer.status == 503 and answer.retry_after for answer in told)
    assert {answer.code for answer in during} <= {"OK", "OVERLOADED"}
    assert reads
    assert all(answer.fate is Fate.DONE for answer in reads)
    report.within(BACK_SECONDS, back, "writes once there is room")
    report.note(
        report.Row(
            place=105,
            what="the database's disk is full",
            tried=f"the tables on a small disk that is filled for {FULL_SECONDS} s under load",
            held=(
                "writes get 503 `OVERLOADED`, nothing of them is written; reads go on; it heals by "
                f"itself within {BACK_SECONDS:g} s of there being room"
            ),
            measured=(
                f"{len(told)} refused, {len(reads)} reads answered, writes again after "
                f"{back:.1f} s; {verdict}"
            ),
        )
    )


async def _refuses(load: Load) -> None:
    """Until the tables have used up what room they had inside their files."""
    async with asyncio.timeout(60):
        while "OVERLOADED" not in load.journal.counts():
            await asyncio.sleep(0.1)


async def _writes_again(load: Load) -> float:
    begun = load.now
    async with asyncio.timeout(60):
        while not any(
            a.payload and "purchase" in a.payload for a in load.journal.answers(since=begun)
        ):
            await asyncio.sleep(0.05)
    return float(load.now - begun)
