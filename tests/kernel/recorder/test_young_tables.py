"""What a batch reads grows with the batch and not with the tenant, whatever the statistics say."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from loyalty.database import Database
from loyalty.facts import LotsDue
from loyalty_app.logins import Addresses
from tests.kernel.recorder.capped_program import CAPPED

BATCH = 100
READ = """
select coalesce(sum(t.seq_tup_read), 0)::bigint + (
    select coalesce(sum(i.idx_tup_read), 0)::bigint
      from pg_stat_user_indexes i where i.schemaname = 'loyalty')
  from pg_stat_user_tables t where t.schemaname = 'loyalty'
"""


@pytest.fixture
async def dsn(new_dsn: Callable[[], Awaitable[Addresses]]) -> Addresses:
    return await new_dsn()


@pytest.fixture
async def database(dsn: Addresses) -> AsyncIterator[Database]:
    opened = await Database.open(dsn.app, size=1)  # one session, so that its plans are kept
    yield opened
    await opened.close()


@pytest.fixture
async def admin(dsn: Addresses) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(dsn.admin)
    tables = await connection.fetch("select tablename from pg_tables where schemaname = 'loyalty'")
    for table in tables:  # no statistics but those that a test makes
        name = table["tablename"]
        await connection.execute(f'alter table loyalty."{name}" set (autovacuum_enabled = off)')
    yield connection
    await connection.close()


class Reading:
    """How many rows and index entries the batches of a world read."""

    def __init__(self, world: Any, admin: Any) -> None:
        self._world, self._admin = world, admin

    async def of(self, batch: Callable[[], Awaitable[object]]) -> int:
        before = await self._sum()
        await batch()
        return await self._sum() - before

    async def _sum(self) -> int:
        await self._world.database.unscoped("select pg_stat_force_next_flush()")
        await self._world.database.unscoped("select 1")  # what was counted is handed over after it
        return int(await self._admin.fetchval(READ))


async def purchases(world: Any, member: Any) -> None:
    await world.records(*(world.purchase(member, 1000) for _ in range(BATCH)))


async def test_the_first_facts_of_an_empty_database(
    make_world: Callable[..., Awaitable[Any]], admin: Any
) -> None:
    world = await make_world()
    member, reading = await world.member(), Reading(world, admin)
    await purchases(world, member)

    early = await reading.of(lambda: purchases(world, member))
    for _ in range(8):
        await purchases(world, member)
    late = await reading.of(lambda: purchases(world, member))

    assert late < 1.2 * early, (early, late)


async def test_one_that_grows_where_statistics_know_many_small_tenants(
    make_world: Callable[..., Awaitable[Any]], admin: Any
) -> None:
    for _ in range(20):
        small = await make_world()
        await small.record(small.purchase(await small.member(), 1000))
    await admin.execute("analyze")
    world = await make_world()
    member, reading = await world.member(), Reading(world, admin)
    await purchases(world, member)

    early = await reading.of(lambda: purchases(world, member))
    for _ in range(8):
        await purchases(world, member)
    late = await reading.of(lambda: purchases(world, member))

    assert late < 1.2 * early, (early, late)


async def test_burns_returns_and_sweeps_look_only_at_their_own_lots(
    make_world: Callable[..., Awaitable[Any]], admin: Any
) -> None:
    world = await make_world()
    reading = Reading(world, admin)

    async def once(number: int) -> None:
        member = await world.member()
        bought = [world.purchase(member, 1000) for _ in range(10)]
        await world.records(*bought)
        await world.records(*(world.back(purchase) for purchase in bought[:5]))
        await world.redeem(member, 20, capture=True)

    await once(0)
    early = await reading.of(lambda: once(1))
    for number in range(2, 12):
        await once(number)
    late = await reading.of(lambda: once(12))

    assert late < 1.2 * early, (early, late)


async def test_whose_lots_are_wanted_is_looked_up_and_not_searched(
    make_world: Callable[..., Awaitable[Any]], admin: Any
) -> None:
    world = await make_world()
    reading = Reading(world, admin)

    async def once() -> None:
        member = await world.member()
        await world.give(member, 10, days=1)
        await world.redeem(member, 5)
        ends = world.clock.now() + timedelta(days=1)
        world.clock.advance(timedelta(days=2))
        await world.record(LotsDue(member=member, occurred_at=ends, unit="points", version=2))

    await once()
    early = await reading.of(once)
    members = [await world.member() for _ in range(BATCH)]
    await world.records(*(world.purchase(member, 1000) for member in members))
    late = await reading.of(once)

    assert late < early + BATCH, (early, late)


async def test_a_counter_is_looked_up_and_not_searched_among_those_of_all_members(
    make_world: Callable[..., Awaitable[Any]], admin: Any
) -> None:
    world = await make_world(config=None, plugins=(CAPPED,))
    await world.run_program("capped", {}, kind="capped")
    reading = Reading(world, admin)

    async def once() -> None:
        member = await world.member()
        await world.record(world.purchase(member, 1000))
        await world.record(world.purchase(member, 1000))

    await once()
    early = await reading.of(once)
    members = [await world.member() for _ in range(BATCH)]
    await world.records(*(world.purchase(member, 1000) for member in members))
    late = await reading.of(once)

    assert late < early + BATCH, (early, late)
