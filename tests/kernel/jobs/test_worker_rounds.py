"""The worker's round: fair, deaf to nobody's trouble, idle when nothing is due, stopped in a slice.
In a database of its own: a round goes through all tenants."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

import pytest

from loyalty.database import Database
from loyalty.recorder.each import Outcome
from loyalty.recorder.recorder import Recorder
from loyalty.settlement.request import Request
from loyalty_app.logins import Addresses


@pytest.fixture(scope="module")
async def dsn(new_dsn: Callable[[], Awaitable[Addresses]]) -> Addresses:
    return await new_dsn()


@pytest.fixture(scope="module")
async def database(dsn: Addresses) -> AsyncIterator[Database]:
    opened = await Database.open(dsn.app, acquire_timeout=30)
    yield opened
    await opened.close()


LASTS_A_MONTH = {
    "unit": "points",
    "rules": [
        {
            "id": "base", "label": "Points", "accounting_class": "MATERIAL_RIGHT", "points": "1",
            "per": {"USD": "1.00"},
        }
    ],
    "terms": {"lifetime": {"span": "P30D", "ends": "exact"}},
}  # fmt: skip


async def open_lots(world: Any) -> int:
    rows = await world.rows("select count(*) as n from loyalty.lot where remaining > 0")
    return int(rows[0]["n"])


async def test_a_big_tenant_takes_a_slice_and_then_it_is_the_others_turn(
    make_world: Any, hands: Any, many_lots: Any
) -> None:
    big, small = await make_world(), await make_world()
    await many_lots(big, 10, 8)
    await small.record(small.purchase(await small.member(), 100))
    big.pass_time(days=400)
    worker = hands.worker(big, size=50)

    await worker.round()

    assert (await open_lots(small), await open_lots(big)) == (0, 30)
    await worker.round()
    assert await open_lots(big) == 0


async def test_what_another_worker_ended_is_nothing_that_failed(
    make_world: Any, hands: Any, many_lots: Any
) -> None:
    """Of a member who has many ends, each that another one booked was a failure once: after some
    dozen this worker left that member alone for an hour."""
    world = await make_world(LASTS_A_MONTH)
    (member,) = await many_lots(world, 1, 20)
    await world.record(world.purchase(member, 100))
    world.pass_time(days=30, seconds=-1)  # the last one has a second left

    met: list[bool] = []

    class Slower(Recorder):
        async def record_many(
            self, tenant_id: UUID, requests: Sequence[Request], **how: Any
        ) -> list[Outcome]:
            if tenant_id == world.tenant_id and not met:
                met.append(True)
                other = hands.worker(world, size=4)  # to whom the same was due, some of it later
                await other.run_due(tenant_id)
            return await super().record_many(tenant_id, requests, **how)

    worker = hands.worker(world, Slower)
    await worker.round()
    assert (met, await open_lots(world)) == ([True], 1)
    world.pass_time(seconds=3)
    await worker.round()
    assert await open_lots(world) == 0


async def test_trouble_in_one_tenant_is_logged_and_the_others_go_on(
    make_world: Any, hands: Any, caplog: Any
) -> None:
    ill, well = await make_world(), await make_world()
    for world in (ill, well):
        await world.record(world.purchase(await world.member(), 100))
        world.pass_time(days=400)

    class Ailing(Recorder):
        async def record_many(
            self, tenant_id: UUID, requests: Sequence[Request], **how: Any
        ) -> list[Outcome]:
            if tenant_id == ill.tenant_id:
                raise RuntimeError("something is wrong here")
            return await super().record_many(tenant_id, requests, **how)

    worker = hands.worker(well, Ailing)
    with caplog.at_level(logging.ERROR, "loyalty.jobs"):
        await worker.round()
        await worker.round()

    assert await open_lots(well) == 0
    assert await open_lots(ill) == 1
    troubles = [r.args[1] for r in caplog.records if r.args[0] == "timeline"]
    assert troubles == [ill.tenant_id]  # once: it is left alone for a while


async def test_an_idle_worker_sleeps_and_a_stopped_one_ends(world: Any, hands: Any) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            worker.stop()
        await asyncio.sleep(0)

    worker = hands.worker(world, poll=7, sleep=sleep)
    async with asyncio.timeout(20):
        await worker.run()

    assert slept == [7, 7, 7]


async def test_stopping_waits_for_the_slice_that_is_under_way(
    make_world: Any, hands: Any, many_lots: Any
) -> None:
    world = await make_world()
    await many_lots(world, 10, 8)
    world.pass_time(days=400)

    class Stopping(Recorder):
        async def record_many(
            self, tenant_id: UUID, requests: Sequence[Request], **how: Any
        ) -> list[Outcome]:
            if tenant_id == world.tenant_id:
                worker.stop()
            return await super().record_many(tenant_id, requests, **how)

    worker = hands.worker(world, Stopping, size=50)
    async with asyncio.timeout(20):
        await worker.run()

    assert await open_lots(world) == 30
    await hands.run(world)
    assert await open_lots(world) == 0
    await world.audited()


async def test_a_suspended_tenant_is_left_alone(
    world: Any, hands: Any, worker_database: Database
) -> None:
    await world.record(world.purchase(await world.member(), 100))
    world.pass_time(days=400)
    async with world.database.tenant(world.tenant_id) as connection:
        await connection.execute(
            "update loyalty.tenant set status = 'SUSPENDED', epoch = epoch + 1"
        )

    due = await worker_database.unscoped("select loyalty.tenants_due($1)", world.clock.now())
    await hands.run(world)

    assert world.tenant_id not in due
    assert await open_lots(world) == 1
