"""Callers that go away: no connection is lost, and what they asked for happened whole or not."""

import asyncio
import random
from typing import Any
from uuid import uuid4

from loyalty.commands import AdjustBalance
from loyalty.database import Database
from loyalty.facts import MemberRef
from loyalty.recorder.lane import Lanes
from loyalty.settlement.request import ClientKey, Recorded, Request


def give(world: Any, member: MemberRef, key: str) -> Request:
    fact = AdjustBalance(
        member=member, occurred_at=world.clock.now(), unit="points", amount=1, reason_code="TEST"
    )
    return Request(fact=fact, actor="test", client_key=ClientKey("till", key))


async def all_come_free(database: Database, size: int) -> None:
    """Every connection of the pool can be had at the same time, and answers."""
    all_there = asyncio.Barrier(size)

    async def use() -> None:
        # Of a tenant each: no single one may have them all.
        async with database.tenant(uuid4()) as connection:
            assert await connection.fetchval("select 1") == 1
            await asyncio.wait_for(all_there.wait(), 5)

    await asyncio.gather(*(use() for _ in range(size)))


async def none_idle_in_transaction(world: Any) -> None:
    """A connection that was ended takes Postgres a moment to notice; then nothing may be left."""
    query = """select count(*) from pg_stat_activity
                where datname = current_database() and state like 'idle in%'"""
    for _ in range(100):
        if (await world.rows(query))[0][0] == 0:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("a transaction was left open")


async def test_300_cancelled_requests_cost_no_connection_and_leave_no_half(
    world: Any, dsn: Any
) -> None:
    rng = random.Random(3)
    database = await Database.open(dsn.app, size=4)
    recorder = type(world.recorder)(database, world.plugins, world.recorder.setups, world.clock)
    lanes = Lanes(recorder)
    members = [await world.member() for _ in range(4)]
    requests = [give(world, rng.choice(members), f"k-{i}") for i in range(300)]

    async def cut_off(request: Request, through_lane: bool) -> bool:
        work = (
            lanes.record(world.tenant_id, request)
            if through_lane
            else recorder.record_many(world.tenant_id, [request])
        )
        task = asyncio.ensure_future(work)
        await asyncio.sleep(rng.expovariate(1 / 0.004))
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    cancelled = 0
    for start in range(0, 300, 6):
        cut = await asyncio.gather(
            *(cut_off(request, i % 2 == 0) for i, request in enumerate(requests[start : start + 6]))
        )
        cancelled += sum(cut)
    await lanes.close()
    await asyncio.sleep(0.05)

    assert cancelled > 50
    await all_come_free(database, 4)
    await none_idle_in_transaction(world)
    # Sent again, each has happened exactly once, whether or not its answer was lost.
    again = await recorder.record_many(world.tenant_id, requests)
    assert all(isinstance(outcome, Recorded) for outcome in again)
    assert any(outcome.replayed for outcome in again)
    total = sum([(await world.balance(member)).available for member in members])
    assert total == 300
    await database.close()


async def test_a_rollback_that_is_cancelled_costs_no_connection(world: Any, dsn: Any) -> None:
    database = await Database.open(dsn.app, size=2)

    async def fail(failing: asyncio.Event) -> None:
        async with database.tenant(world.tenant_id) as connection:
            await connection.fetchval("select 1")
            failing.set()
            raise ValueError("of ours")

    for _ in range(6):
        failing = asyncio.Event()
        task = asyncio.ensure_future(fail(failing))
        await asyncio.wait_for(failing.wait(), 5)  # now it waits for the answer to its rollback
        task.cancel()
        await asyncio.wait([task])

    await all_come_free(database, 2)
    await database.close()


async def test_who_goes_away_takes_nobodys_answer_along(world: Any) -> None:
    member = await world.member()
    tasks = [
        asyncio.ensure_future(world.lanes.record(world.tenant_id, give(world, member, f"k-{i}")))
        for i in range(4)
    ]
    await asyncio.sleep(0)  # the first is under way, the others wait for the same batch
    tasks[1].cancel()

    answers = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)

    assert [isinstance(answer, Recorded) for answer in answers] == [True, False, True, True]
    await world.lanes.close()
    assert (await world.balance(member)).available == 4  # what was asked for happened
