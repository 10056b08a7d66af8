"""`loyalty worker` as a process: killed in the middle, ended politely, refused a strong login."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from loyalty.database import Database
from loyalty.facts import MemberRef
from loyalty_app.logins import Addresses

CONFIG = {
    "unit": "points",
    "rules": [
        {
            "id": "base",
            "label": "Points",
            "accounting_class": "MATERIAL_RIGHT",
            "points": "1",
            "per": {"USD": "1.00"},
        }
    ],
    "terms": {"lifetime": {"span": "P30D", "ends": "exact"}},
}

LOTS = 300 * 5 + 1


@pytest.fixture(scope="module")
async def dsn(new_dsn: Callable[[], Awaitable[Addresses]]) -> Addresses:
    return await new_dsn()


@pytest.fixture(scope="module")
async def database(dsn: Addresses) -> AsyncIterator[Database]:
    opened = await Database.open(dsn.app, acquire_timeout=30)
    yield opened
    await opened.close()


async def start(dsn: str, folder: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "loyalty_app", "worker",
        env={
            **os.environ,
            "LOYALTY_WORKER_DATABASE_URL": dsn,
            "LOYALTY_DATA_DIR": str(folder / "data"),
            "LOYALTY_REDIS_URL": "",
        },
        stderr=asyncio.subprocess.PIPE,
        cwd=folder,
    )  # fmt: skip


async def open_lots(world: Any) -> int:
    rows = await world.rows("select count(*) as n from loyalty.lot where remaining > 0")
    return int(rows[0]["n"])


async def until(world: Any, reached: Callable[[int], bool]) -> int:
    async with asyncio.timeout(60):
        while not reached(left := await open_lots(world)):
            await asyncio.sleep(0.005)
    return left


@asynccontextmanager
async def held(admin: str, member: MemberRef) -> AsyncIterator[None]:
    """Whoever writes about this member waits."""
    connection = await asyncpg.connect(admin)
    async with connection.transaction():
        await connection.execute("select from loyalty.member where id = $1 for update", member.id)
        yield
    await connection.close()


async def test_a_worker_killed_in_the_middle_is_taken_over_by_the_next(
    make_world: Any, many_lots: Any, dsn: Addresses, tmp_path: Path
) -> None:
    world = await make_world(config=None)
    world.clock.at = datetime(2020, 1, 1, 12, tzinfo=UTC)  # long ago, for a process with no clock
    await world.run_program("points", CONFIG)
    await many_lots(world, 300, 5)
    last = await world.member()
    await world.record(world.purchase(last, 100))

    async with held(dsn.admin, last):  # or it may be through before it is killed
        first = await start(dsn.worker, tmp_path)
        await until(world, lambda left: left < LOTS)
        first.kill()
        await first.communicate()
        left = await open_lots(world)
    second, third = await start(dsn.worker, tmp_path), await start(dsn.worker, tmp_path)
    await until(world, lambda left: left == 0)
    for process in (second, third):
        process.send_signal(signal.SIGTERM)
        _, errors = await asyncio.wait_for(process.communicate(), 20)
        # One that is still starting has nothing to finish: the signal itself ends it.
        assert process.returncode in (0, -signal.SIGTERM)
        assert b"ERROR" not in errors

    assert 0 < left < LOTS
    ended = await world.rows(
        "select count(*) as n, sum(amount)::int as sum from loyalty.posting where kind = 'EXPIRE'"
    )
    assert (ended[0]["n"], ended[0]["sum"]) == (LOTS, LOTS)
    await world.audited()


async def test_a_worker_refuses_a_login_that_could_read_past_row_security(
    dsn: Addresses, tmp_path: Path
) -> None:
    process = await start(dsn.admin, tmp_path)

    _, errors = await asyncio.wait_for(process.communicate(), 30)

    assert process.returncode == 1
    assert b"superuser" in errors
    assert b"LOYALTY_WORKER_DATABASE_URL" in errors
    assert b"Traceback" not in errors
