"""No tenant takes the whole pool: the others find a connection however much it asks."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from loyalty.database import Database
from loyalty.errors import Code, Refused
from loyalty.pool_shares import PoolShares, share_of

SIZE = 5


@pytest.fixture
async def narrow(dsn: Any) -> Any:
    # All are there: to open one may take longer than that on a busy machine.
    database = await Database.open(dsn.app, size=SIZE, ready=SIZE, acquire_timeout=0.2)
    yield database
    await database.close()


class Holders:
    """Transactions of tenants that stay open until they are told to end."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.end = asyncio.Event()
        self.holding = 0
        self.tasks: list[asyncio.Task[None]] = []

    def begin(self, tenant_id: UUID, times: int) -> None:
        self.tasks += [asyncio.create_task(self._hold(tenant_id)) for _ in range(times)]

    async def _hold(self, tenant_id: UUID) -> None:
        async with self.database.tenant(tenant_id) as connection:
            await connection.fetchval("select 1")
            self.holding += 1
            await self.end.wait()

    async def reached(self, holding: int) -> None:
        async with asyncio.timeout(10):
            while self.holding < holding:
                await asyncio.sleep(0.01)

    async def outcomes(self) -> list[Code | None]:
        self.end.set()
        done = await asyncio.gather(*self.tasks, return_exceptions=True)
        assert all(one is None or isinstance(one, Refused) for one in done), done
        return [one.code if isinstance(one, Refused) else None for one in done]


async def test_a_tenant_that_asks_for_all_leaves_some_to_others(narrow: Database) -> None:
    greedy, modest = uuid4(), uuid4()
    holders = Holders(narrow)
    holders.begin(greedy, 20)
    await holders.reached(share_of(SIZE))

    async with narrow.tenant(modest) as connection:
        assert await connection.fetchval("select 1") == 1

    waiting = set(holders.tasks)
    async with asyncio.timeout(10):
        while len(waiting) > share_of(SIZE):
            _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    outcomes = await holders.outcomes()
    assert outcomes.count(None) == share_of(SIZE)
    assert outcomes.count(Code.OVERLOADED) == 20 - share_of(SIZE)


async def test_where_nobody_asks_one_tenant_may_have_all(dsn: Any) -> None:
    database = await Database.open(dsn.app, size=SIZE, ready=SIZE, share=SIZE)
    holders = Holders(database)
    holders.begin(uuid4(), SIZE)
    await holders.reached(SIZE)  # at once
    assert await holders.outcomes() == [None] * SIZE
    await database.close()


async def test_a_part_that_comes_free_goes_to_whoever_waits(narrow: Database) -> None:
    tenant_id = uuid4()
    holders = Holders(narrow)
    holders.begin(tenant_id, share_of(SIZE) + 1)
    await holders.reached(share_of(SIZE))
    assert await holders.outcomes() == [None] * (share_of(SIZE) + 1)


async def test_who_gives_up_waiting_takes_no_part_along() -> None:
    shares, tenant_id = PoolShares(1), uuid4()

    async def take() -> None:
        async with shares.part(tenant_id, 5):
            await asyncio.sleep(0)

    async with shares.part(tenant_id, 5):
        gone = [asyncio.create_task(take()) for _ in range(10)]
        await asyncio.sleep(0)
        for task in gone:
            task.cancel()
        await asyncio.gather(*gone, return_exceptions=True)
    await asyncio.wait_for(take(), 5)
    assert shares._shares == {}


@pytest.mark.parametrize(("size", "share"), [(1, 1), (2, 1), (5, 3), (10, 6), (50, 30)])
def test_three_of_five(size: int, share: int) -> None:
    assert share_of(size) == share
