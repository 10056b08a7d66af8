"""Readers whose fills arrive late: what others see never grows older."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from uuid import uuid4

from loyalty.cache.balances import BalanceCache, CachedBalance
from loyalty.cache.cluster import Cluster
from loyalty.cache.connection import Link

TENANT = uuid4()
WANT = (uuid4(), "points")


async def slow_fill(cache: BalanceCache, load: Callable[[], Awaitable[CachedBalance]]) -> None:
    """A reader whose fill arrives late."""
    balance = await load()
    await asyncio.sleep(random.random() * 0.02)
    await cache.put_many(TENANT, {WANT: balance})


async def test_versions_that_a_reader_sees_never_fall_beside_late_fills(
    link: Link | Cluster,
) -> None:
    cache, newest = BalanceCache(link, epoch=7), 1
    seen: list[int] = []

    async def current() -> CachedBalance:
        return CachedBalance(version=newest)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(300):
            newest += 1
            tasks.create_task(slow_fill(cache, current))
            await cache.put_many(TENANT, {WANT: CachedBalance(version=newest)})
            seen += [entry.version for entry in (await cache.get_many(TENANT, [WANT])).values()]
    assert seen == sorted(seen)
    assert len(seen) == 300
