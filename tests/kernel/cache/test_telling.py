"""What is told of a commit: the cache believes nothing older, and whoever listens hears of it."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID, uuid4

from loyalty.cache.balances import BalanceCache, News
from loyalty.cache.cached_balance import CachedBalance, tombstone
from loyalty.cache.cluster import Cluster
from loyalty.cache.connection import Link
from loyalty.cache.hub import Hub, holder_channel
from loyalty.cache.local_hub import LocalHub
from loyalty.cache.no_cache import NoCache
from loyalty.owners import Owner
from loyalty.settlement.request import Change, Committed
from loyalty_app.ledger import Telling

from .test_cache_faults import fill


async def test_who_hears_of_it_finds_nothing_older(link: Link | Cluster) -> None:
    tenant, cache, hub = uuid4(), BalanceCache(link, epoch=1), Hub(link)
    house = Owner("HOUSEHOLD", uuid4())
    news: list[News] = [
        (tenant, (uuid4(), "points"), tombstone(n + 1), b"%d" % n) for n in range(270)
    ]  # of three calls
    news.append((tenant, (house, "points"), tombstone(9), b"house"))
    await cache.put_many(tenant, {news[7][1]: CachedBalance(version=3)})
    asked = link.asked

    async with AsyncExitStack() as stack:
        heard = {
            want: await stack.enter_async_context(hub.subscribe(tenant, holder_channel(want[0])))
            for _, want, _, _ in (news[0], news[7], news[150], news[-1])
        }
        assert await cache.telling(news)()
        for _, want, entry, hint in news:
            if want in heard:
                async with asyncio.timeout(5):
                    assert await anext(heard[want]) == hint
                assert await cache.get_many(tenant, [want]) == {want: entry}

    assert link.asked - asked == 3 + len(heard)
    assert (cache.counts.errors, hub.counts.unpublished) == (0, 0)
    await hub.close()


async def test_two_tenants_are_told_of_at_once(link: Link | Cluster) -> None:
    cache, hub = BalanceCache(link, epoch=1), Hub(link)
    pair = [Committed(tenant_id=uuid4(), changes=(_change(n),)) for n in (4, 7)]
    asked = link.asked

    async with AsyncExitStack() as stack:
        listening = [
            await stack.enter_async_context(
                hub.subscribe(one.tenant_id, holder_channel(one.changes[0].owner))
            )
            for one in pair
        ]
        await Telling(cache, hub)(*pair)
        for one, payloads, version in zip(pair, listening, (4, 7), strict=True):
            async with asyncio.timeout(5):
                assert b'"version":%d' % version in await anext(payloads)
            want = one.changes[0].owner, "points"
            assert await cache.get_many(one.tenant_id, [want]) == {want: tombstone(version)}

    told = link.asked - asked - 2
    assert told == 1 if link.one_server else told >= 2  # a cluster's say where the others are
    await hub.close()


def _change(version: int) -> Change:
    return Change(uuid4(), "points", version, uuid4())


def committed(tenant: UUID, member: UUID) -> Committed:
    return Committed(tenant_id=tenant, changes=(Change(member, "points", 5, uuid4()),))


async def test_a_full_server_still_passes_it_on(own_server: Any) -> None:
    server, tenant, member = own_server(**{"maxmemory-policy": "noeviction"}), uuid4(), uuid4()
    link = Link(server.connection_url, budget=10)
    cache, hub = BalanceCache(link, epoch=1), Hub(link)
    await fill(server.connection_url)

    async with hub.subscribe(tenant, holder_channel(member)) as payloads:
        await Telling(cache, hub)(committed(tenant, member))
        async with asyncio.timeout(5):
            assert b'"version":5' in await anext(payloads)

    assert (cache.counts.errors, hub.counts.unpublished) == (1, 0)
    await hub.close()
    await link.close()


async def test_without_a_server_this_process_hears_of_it() -> None:
    hub, tenant, member = LocalHub(), uuid4(), uuid4()
    async with hub.subscribe(tenant, holder_channel(member)) as payloads:
        await Telling(NoCache(), hub)(committed(tenant, member))
        assert b'"version":5' in await anext(payloads)
    await hub.close()
