"""PostgreSQL dies in the middle of writes: nothing acknowledged is lost, nothing is done twice."""

import asyncio
import random

from tests.faults import report
from tests.faults.brand import Brand
from tests.faults.conftest import Loading, SizeOf
from tests.faults.journal import Fate
from tests.faults.load import Load
from tests.faults.sizes import CLEAN_SECONDS, RECOVERY_SECONDS
from tests.faults.stand import Stand
from tests.faults.verdict import judge

ANSWER_SECONDS = 3.0
BACK_SECONDS = 10.0


async def test_the_server_is_killed(
    platform: Stand, brand: Brand, put_load: Loading, size: SizeOf
) -> None:
    kills = size("kills of PostgreSQL")
    slowest = back = 0.0
    async with put_load(brand, await platform.apis()) as load:
        await asyncio.sleep(size(CLEAN_SECONDS))
        for _ in range(kills):
            begun = load.now
            platform.postgres.kill()
            await asyncio.sleep(1.0)
            ended = load.now
            await platform.postgres.start()
            back = max(back, await load.healthy())
            slowest = max(slowest, load.journal.slowest(since=begun, until=ended))
            await _told(load, begun, ended)
        await asyncio.sleep(size(RECOVERY_SECONDS))
        verdict = await judge(platform.settings, load)
    report.within(ANSWER_SECONDS, slowest, "an answer without PostgreSQL")
    report.within(BACK_SECONDS, back, "back after PostgreSQL is")
    report.note(
        report.Row(
            place=10,
            what="PostgreSQL is killed in the middle of writes",
            tried=f"`kill -9` of the server {kills} times under {load.rate:g} calls/s",
            held=(
                "nothing acknowledged is lost, nothing is done twice; without it each call is "
                f"answered within {ANSWER_SECONDS:g} s, most with 503 and `Retry-After`; back "
                f"within {BACK_SECONDS:g} s"
            ),
            measured=f"{verdict}; slowest answer {slowest:.1f} s, back after {back:.1f} s",
        )
    )


async def _told(load: Load, begun: float, ended: float) -> None:
    """Clients are told to come back: 503 with Retry-After, and not just a closed connection."""
    during = [
        a for a in load.journal.answers(since=begun + 0.5, until=ended) if a.fate is not Fate.DONE
    ]
    told = [a for a in during if a.status == 503 and a.retry_after]
    assert during
    assert len(told) == len(during), load.journal.counts(since=begun, until=ended)


async def test_the_process_of_one_connection_is_killed(
    platform: Stand, brand: Brand, put_load: Loading, size: SizeOf
) -> None:
    """PostgreSQL then ends every other connection, too, and recovers by itself."""
    kills = size("kills of connections' processes")
    back = 0.0
    chance = random.Random(3)
    async with put_load(brand, await platform.apis()) as load:
        await asyncio.sleep(size(CLEAN_SECONDS))
        for _ in range(kills):
            platform.postgres.kill_backend(chance.choice(await _backends(platform)))
            await asyncio.sleep(0.5)
            back = max(back, await load.healthy())
        await asyncio.sleep(size(RECOVERY_SECONDS))
        verdict = await judge(platform.settings, load)
    report.within(BACK_SECONDS, back, "back after a connection's process died")
    report.note(
        report.Row(
            place=11,
            what="the PostgreSQL process of one connection is killed",
            tried=f"`kill -9` {kills} times under {load.rate:g} calls/s; all connections break",
            held=f"as above; back within {BACK_SECONDS:g} s",
            measured=f"{verdict}; back after {back:.1f} s",
        )
    )


async def _backends(platform: Stand) -> list[int]:
    async with platform.admin() as connection:
        rows = await connection.fetch(
            "select pid from pg_stat_activity where usename = 'loyalty_app'"
        )
    return [row["pid"] for row in rows]
