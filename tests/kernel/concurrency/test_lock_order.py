"""Locks are taken in one order, whatever the order of a batch: nobody waits in a circle."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextvars import Context
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from loyalty.recorder.pair import Leg, record_pair
from loyalty.settlement.request import Recorded
from loyalty_app.logins import Addresses

PATIENCE = 30.0
WAITED_FOR = """
select exists (select 1 from pg_locks
                where not granted and pg_backend_pid() = any(pg_blocking_pids(pid)))
"""
FREE = "select id from loyalty.member where id = any($1::uuid[]) for update skip locked"


@pytest.fixture
async def admin(dsn: Addresses) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(dsn.admin)
    yield connection
    await connection.close()


async def held_up_by(
    admin: Any, member: UUID, deed: Coroutine[Any, Any, Any]
) -> "asyncio.Task[Any]":
    """Lock a member, and let something happen until it waits for that."""
    await admin.execute("select 1 from loyalty.member where id = $1 for update", member)
    task = asyncio.create_task(deed, context=Context())
    async with asyncio.timeout(PATIENCE):
        while not await admin.fetchval(WAITED_FOR):
            await asyncio.sleep(0.01)
    return task


async def test_who_waits_for_a_member_holds_those_before_it_and_none_after(
    world: Any, admin: Any
) -> None:
    members = sorted([await world.member() for _ in range(3)], key=lambda member: member.id)
    low, middle, high = (member.id for member in members)
    purchases = [world.purchase(member, 100) for member in (members[1], members[2], members[0])]

    async with admin.transaction():
        recording = await held_up_by(admin, middle, world.records(*purchases))
        async with world.database.tenant(world.tenant_id) as other:
            free = await other.fetch(FREE, [low, high])

    assert [row["id"] for row in free] == [high]
    assert all(isinstance(outcome, Recorded) for outcome in await recording)


async def test_of_a_pair_the_lower_tenant_is_locked_first_however_the_legs_are_given(
    make_world: Any, admin: Any
) -> None:
    worlds = sorted([await make_world(), await make_world()], key=lambda world: world.tenant_id)
    members = [await world.member() for world in worlds]
    low, high = (
        Leg(world.tenant_id, world.request(world.purchase(member, 100)))
        for world, member in zip(worlds, members, strict=True)
    )

    async with admin.transaction():
        pair = record_pair(worlds[0].recorder, high, low)
        recording = await held_up_by(admin, members[1].id, pair)
        async with worlds[0].database.tenant(worlds[0].tenant_id) as other:
            free = await other.fetch(FREE, [members[0].id])

    assert free == []
    assert [recorded.replayed for recorded in await recording] == [False, False]
