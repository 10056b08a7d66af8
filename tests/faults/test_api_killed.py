"""An API process dies in the middle of requests: a retry at another gives the first result."""

import asyncio
import random

from tests.faults import report
from tests.faults.brand import Brand
from tests.faults.conftest import Loading, SizeOf
from tests.faults.sizes import CLEAN_SECONDS, RECOVERY_SECONDS
from tests.faults.stand import Stand
from tests.faults.verdict import judge

LEFT_SECONDS = 5.0
_OPEN = """
select count(*) from pg_stat_activity
 where usename = 'loyalty_app' and state like 'idle in transaction%' and xact_start < $1
"""


async def test_api_processes_are_killed(
    platform: Stand, brand: Brand, put_load: Loading, size: SizeOf
) -> None:
    kills = size("kills of API processes")
    chance = random.Random(5)
    left = 0.0
    apis = await platform.apis()
    async with put_load(brand, apis, rate=60) as load:
        await asyncio.sleep(size(CLEAN_SECONDS))
        for _ in range(kills):
            victim = chance.choice(apis)
            victim.kill()
            left = max(left, await _transactions_end(platform))
            victim.start()
            await victim.serves()
            await asyncio.sleep(0.5)
        await asyncio.sleep(size(RECOVERY_SECONDS))
        verdict = await judge(platform.settings, load)
    report.within(LEFT_SECONDS, left, "no transaction of the dead is open")
    assert verdict.retried
    report.note(
        report.Row(
            place=30,
            what="API processes are killed in the middle of requests",
            tried=f"`kill -9` of one of two, {kills} times under {load.rate:g} calls/s",
            held=(
                "a retry under the same key gives the first result; no transaction of a dead "
                f"process is open after {LEFT_SECONDS:g} s"
            ),
            measured=f"{verdict}; transactions gone after {left:.2f} s",
        )
    )


async def _transactions_end(platform: Stand) -> float:
    """Seconds until no transaction that was open when asked first is left."""
    async with platform.admin() as connection:
        then = await connection.fetchval("select clock_timestamp()")
        while await connection.fetchval(_OPEN, then):
            await asyncio.sleep(0.02)
        now = await connection.fetchval("select clock_timestamp()")
        return float((now - then).total_seconds())
