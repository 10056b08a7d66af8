"""PostgreSQL stands still with every connection open: calls end all the same, and it thaws well."""

import asyncio

from tests.faults import report
from tests.faults.api import Api
from tests.faults.brand import Brand
from tests.faults.conftest import Loading, SizeOf
from tests.faults.journal import Fate
from tests.faults.sizes import CLEAN_SECONDS, RECOVERY_SECONDS
from tests.faults.stand import Stand
from tests.faults.verdict import judge, pool_is_whole

FROZEN_SECONDS = 8.0
ANSWER_SECONDS = 2.0
BACK_SECONDS = 2.0
CLIENT_SECONDS = 30.0  # patient, so that what hangs is seen to hang


async def test_the_server_is_frozen(
    platform: Stand, brand: Brand, put_load: Loading, size: SizeOf
) -> None:
    times = size("freezes of PostgreSQL")
    slowest = back = 0.0
    async with put_load(brand, await _new(platform), timeout=CLIENT_SECONDS) as load:
        await asyncio.sleep(size(CLEAN_SECONDS))
        for _ in range(times):
            begun = load.now
            platform.postgres.pause()
            await asyncio.sleep(FROZEN_SECONDS)
            ended = load.now
            platform.postgres.resume()
            back = max(back, await load.healthy())
            slowest = max(slowest, load.journal.slowest(since=begun, until=ended))
            during = list(load.journal.answers(since=begun, until=ended))
            assert all(answer.status for answer in during)  # no connection was just closed
            assert any(answer.fate is Fate.UNKNOWN for answer in during)
            await asyncio.sleep(size(RECOVERY_SECONDS))
        for api in load.apis:
            await pool_is_whole(load, api)
        codes = load.journal.counts()
        verdict = await judge(platform.settings, load)
    report.within(ANSWER_SECONDS, slowest, "an answer while PostgreSQL is frozen")
    report.within(BACK_SECONDS, back, "back after the thaw")
    assert "ReadTimeout" not in codes
    report.note(
        report.Row(
            place=20,
            what="PostgreSQL is frozen",
            tried=(
                f"all its processes stopped for {FROZEN_SECONDS:g} s, {times} times, at first when "
                "the platform's have just begun"
            ),
            held=(
                f"each call is answered within {ANSWER_SECONDS:g} s, by 503 or `TIMEOUT`; served "
                f"again {BACK_SECONDS:g} s after the thaw, with every connection back"
            ),
            measured=f"{verdict}; slowest answer {slowest:.1f} s, back after {back:.1f} s",
        )
    )


async def _new(platform: Stand) -> list[Api]:
    """Processes that have just begun: what they know of their database is as old as they are."""
    apis = [platform.api(), platform.api()]
    for api in apis:
        api.start()
    await asyncio.gather(*(api.serves() for api in apis))
    return apis
