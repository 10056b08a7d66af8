"""Two processes of `loyalty worker` and a night in which many tiers end: each member once."""

import asyncio
import json
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
from loyalty.days import iso
from loyalty_app.logins import Addresses
from loyalty_tiers.config import TiersConfig
from loyalty_tiers.plugin import plugin as tiers
from tests.plugins.tiers.recorded.conftest import SPEND, step

MEMBERS = 1_200
LADDER: dict[str, Any] = {
    "metrics": [SPEND],
    "tiers": [step("basic"), step("gold", {"spend": "5"})],
}
REACHED = datetime(2020, 3, 1, 17, tzinfo=UTC)
ENDS = datetime(2022, 1, 1, 5, tzinfo=UTC)
NIGHT = """
create table loyalty.looked_by (worker text, member_id uuid);
grant insert on loyalty.looked_by to loyalty_worker;
create function loyalty.note_who() returns trigger language plpgsql as $$ begin
  insert into loyalty.looked_by values (current_setting('loyalty.worker'), new.member_id);
  return new; end $$;
create trigger who before update on loyalty.tiers_standing
  for each row execute function loyalty.note_who();
"""
WAITING = """
select count(distinct pid) from pg_locks
 where not granted and relation = 'loyalty.tiers_standing'::regclass
"""
GOLD = """
with made as (
  insert into loyalty.member (tenant_id, id, external_id, enrolled_at)
  select $1, uuidv7(), 'w' || n, $3 from generate_series(1, $7::int) n returning id)
insert into loyalty.tiers_standing (tenant_id, program_id, member_id, tier, since, until, reason,
                                    due_at, fingerprint, detail)
select $1, $2, id, 'gold', $3, $4, 'REACHED', $4, $5, $6 from made
"""


@pytest.fixture(scope="module")
async def dsn(new_dsn: Callable[[], Awaitable[Addresses]]) -> Addresses:
    return await new_dsn()


@pytest.fixture(scope="module")
async def database(dsn: Addresses) -> AsyncIterator[Database]:
    opened = await Database.open(dsn.app, acquire_timeout=30)
    yield opened
    await opened.close()


async def worker(dsn: str, name: str, folder: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "loyalty_app", "worker",
        env={
            **os.environ,
            "LOYALTY_WORKER_DATABASE_URL": f"{dsn}?loyalty.worker={name}",
            "LOYALTY_DATA_DIR": str(folder / name),
            "LOYALTY_REDIS_URL": "",
        },
        stderr=asyncio.subprocess.PIPE, cwd=folder,
    )  # fmt: skip


async def one(connection: Any, sql: str, *args: Any) -> int:
    return int(await connection.fetchval(sql, *args))


@asynccontextmanager
async def both_wait(admin: Any) -> AsyncIterator[None]:
    """What is started in here begins at one instant, however long each takes to come up."""
    async with admin.transaction():
        await admin.execute("lock table loyalty.tiers_standing in access exclusive mode")
        yield
        async with asyncio.timeout(120):
            while await one(admin, WAITING) < 2:
                await asyncio.sleep(0.05)


async def begin(world: Any, admin: Any) -> None:
    world.clock.at = datetime(2020, 1, 1, 12, tzinfo=UTC)  # for processes with no clock of ours
    program_id = await world.run_program("status", LADDER, kind="tiers")
    detail = {
        "reachedAt": iso(REACHED), "basis": {"at": iso(REACHED)}, "thenAt": iso(ENDS),
        "then": "basic", "plan": [[iso(ENDS), "basic"]],
    }  # fmt: skip
    fingerprint = TiersConfig.model_validate(LADDER).fingerprint
    await admin.execute(NIGHT)
    await admin.execute(
        GOLD, world.tenant_id, program_id, REACHED, ENDS, fingerprint, json.dumps(detail), MEMBERS
    )


async def test_two_workers_share_the_night_and_look_at_each_member_once(
    make_world: Any, dsn: Addresses, tmp_path: Path
) -> None:
    world = await make_world(None, plugins=(tiers,))
    admin = await asyncpg.connect(dsn.admin)
    try:
        await begin(world, admin)
        async with both_wait(admin):
            processes = [await worker(dsn.worker, name, tmp_path) for name in ("one", "other")]
        async with asyncio.timeout(120):
            while await one(
                admin, "select count(*) from loyalty.tiers_standing where due_at < now()"
            ):
                await asyncio.sleep(0.05)
        for process in processes:
            process.send_signal(signal.SIGTERM)
            _, errors = await asyncio.wait_for(process.communicate(), 20)
            assert b"ERROR" not in errors
            assert process.returncode in (0, -signal.SIGTERM)

        looked = await admin.fetch(
            "select worker, count(*) as n from loyalty.looked_by group by worker order by worker"
        )
        reviewed = await one(
            admin, "select count(*) from loyalty.fact where kind = 'tiers.review_fallen_due/1'"
        )
        told = await one(
            admin, "select count(*) from loyalty.outbox where topic = 'tiers.changed/1'"
        )
    finally:
        await admin.close()
    assert [row["worker"] for row in looked] == ["one", "other"]
    assert min(row["n"] for row in looked) > MEMBERS // 20
    assert (sum(row["n"] for row in looked), reviewed, told) == (MEMBERS,) * 3
