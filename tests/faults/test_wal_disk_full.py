"""The disk of the write-ahead log is full: PostgreSQL may stop altogether; nothing is lost."""

import asyncio

import asyncpg
import pytest

from tests.faults import report
from tests.faults.conftest import SizeOf
from tests.faults.disk import small_disk
from tests.faults.load import loading
from tests.faults.sizes import CLEAN_SECONDS
from tests.faults.stand import stand
from tests.faults.verdict import judge

OPTIONS = {"min_wal_size": "32MB", "max_wal_size": "32MB"}
FULL_SECONDS = 10
WRITES = {"purchase": 9, "balance": 1}
BACK_SECONDS = 30.0


@pytest.mark.soak
@pytest.mark.mounts
async def test_the_disk_of_the_log_is_full(size: SizeOf) -> None:
    async with stand(OPTIONS) as platform:
        brand = await platform.brand()
        platform.postgres.stop()
        with small_disk(platform.postgres.folder / "pg_wal", megabytes=48) as disk:
            await platform.postgres.start()
            apis = await platform.apis()
            async with loading(brand, apis, platform.folder, rate=60, mix=WRITES) as load:
                await asyncio.sleep(size(CLEAN_SECONDS))
                disk.fill()
                begun = load.now
                await _churn(platform.settings.need("database_url"))
                await asyncio.sleep(FULL_SECONDS)
                codes = load.journal.counts(since=begun)
                disk.free()
                platform.postgres.stop()  # as its supervisor does, had it not ended itself
                await platform.postgres.start()
                back = await load.healthy()
                verdict = await judge(platform.settings, load)
            await platform.stop()
            platform.postgres.stop()
    assert set(codes) <= {"OK", "OVERLOADED", "UNAVAILABLE", "TIMEOUT"}, codes
    report.within(BACK_SECONDS, back, "back after a full log disk")
    report.note(
        report.Row(
            place=106,
            what="the disk of the write-ahead log is full",
            tried=f"the log on a small disk that is filled for {FULL_SECONDS} s under load",
            held="PostgreSQL may end; what was acknowledged is there when it is back",
            measured=f"answers meanwhile {codes}; back after {back:.1f} s; {verdict}",
        )
    )


async def _churn(url: str) -> None:
    """Write more log than the disk takes, whatever becomes of it."""
    try:
        connection = await asyncpg.connect(url)
        await connection.execute(
            "create table churn as select repeat('x', 2000) as x from generate_series(1, 40000)"
        )
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
        return
    await connection.close()
