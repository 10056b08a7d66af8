"""A worker that has lots by the thousand to end begins no audit before they are gone."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from loyalty.database import Database
from loyalty.jobs import auditing
from loyalty.jobs.auditing import Auditing
from loyalty.jobs.worker import MUCH, Worker
from loyalty_app.logins import Addresses


async def audits(database: Database, world: Any) -> int:
    async with database.tenant(world.tenant_id) as connection:
        found = await connection.fetchval("select count(audited_at) from loyalty.ledger_audit")
    return int(found)


@pytest.fixture(autouse=True)
async def _alone(world: Any, dsn: Addresses) -> None:
    """All tenants of other tests were audited just now: it is this one's turn."""
    admin = await asyncpg.connect(dsn.admin)
    try:
        await admin.execute(
            "insert into loyalty.ledger_audit (tenant_id, begun_at)"
            " select tenant_id, $2 from loyalty.tenant where tenant_id <> $1"
            " on conflict (tenant_id) do update set begun_at = excluded.begun_at",
            world.tenant_id, world.clock.now(),
        )  # fmt: skip
    finally:
        await admin.close()


@asynccontextmanager
async def waits(hourly: Auditing, database: Database, world: Any) -> AsyncIterator[None]:
    """It has not begun at the beginning of the block, and audits after it."""
    stopping = asyncio.Event()
    task = asyncio.create_task(hourly.run(stopping))
    await asyncio.sleep(0.1)
    assert await audits(database, world) == 0
    yield
    async with asyncio.timeout(30):
        while not await audits(database, world):
            await asyncio.sleep(0.01)
    stopping.set()
    await task


async def test_an_audit_waits_for_a_busy_worker(
    world: Any, worker_database: Database, dsn: Addresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auditing, "BUSY_SECONDS", 0.01)
    since: float | None = time.monotonic()
    hourly = Auditing(
        worker_database, dsn.audit, timedelta(hours=1), world.clock, busy_since=lambda: since
    )
    async with waits(hourly, worker_database, world):
        since = None


async def test_it_does_not_wait_for_a_worker_that_is_never_idle(
    world: Any, worker_database: Database, dsn: Addresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auditing, "BUSY_SECONDS", 0.01)
    at = 2.0
    hourly = Auditing(
        worker_database, dsn.audit, timedelta(hours=1), world.clock, busy_since=lambda: 1.0,
        seconds=lambda: at,
    )  # fmt: skip
    async with waits(hourly, worker_database, world):
        at = 1.0 + auditing.PATIENCE_SECONDS


async def test_a_worker_is_busy_until_a_round_finds_little(
    world: Any, hands: Any, many_lots: Any
) -> None:
    worker: Worker = hands.worker(world)
    assert worker.busy_since  # as long as nobody has looked
    await many_lots(world, MUCH, 1)
    world.pass_time(days=400)

    done: list[int] = []
    while not done or done[-1]:  # it goes round other tenants as well
        done.append(await worker.round())
        assert (worker.busy_since is not None) is (done[-1] >= MUCH)
    assert done[0] >= MUCH
