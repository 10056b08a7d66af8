import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis

from loyalty.cache.cluster import Cluster
from loyalty.cache.connection import Link
from loyalty.cache.hub import Closing, Hints, Hub, SlowConsumer, Subscription, member_channel
from loyalty.cache.local_hub import LocalHub
from loyalty.cache.nodes import is_cluster, named_nodes, url_of

TENANT = uuid4()


@pytest.fixture
async def redis_hub(link: Link | Cluster) -> AsyncIterator[Hub]:
    hub = Hub(link)
    yield hub
    await hub.close()


@pytest.fixture(params=["redis", "local"])
async def hub(request: pytest.FixtureRequest, link: Link | Cluster) -> AsyncIterator[Hints]:
    hub: Hints = Hub(link) if request.param == "redis" else LocalHub()
    yield hub
    await hub.close()


async def next_of(subscription: Subscription) -> bytes:
    async with asyncio.timeout(5):
        return await anext(subscription)


async def until(condition: Any) -> None:
    async with asyncio.timeout(10):
        while not await condition():
            await asyncio.sleep(0.01)


async def test_who_has_subscribed_hears_what_comes_next(hub: Hints) -> None:
    channel = member_channel(uuid4())
    async with hub.subscribe(TENANT, channel) as payloads:
        assert await hub.publish(TENANT, channel, b"\x00one")
        assert await hub.publish(TENANT, channel, b"two")
        assert [await next_of(payloads), await next_of(payloads)] == [b"\x00one", b"two"]


async def test_nobody_hears_another_tenant_or_another_member(hub: Hints) -> None:
    member, other = uuid4(), uuid4()
    async with hub.subscribe(TENANT, member_channel(member)) as payloads:
        await hub.publish(uuid4(), member_channel(member), b"another tenant's")
        await hub.publish(TENANT, member_channel(other), b"another member's")
        await hub.publish(TENANT, member_channel(member), b"mine")
        assert await next_of(payloads) == b"mine"


async def test_the_hints_of_a_batch_reach_their_members_in_order(hub: Hints) -> None:
    ada, bob = member_channel(uuid4()), member_channel(uuid4())
    hints = [((ada, bob)[n % 2], str(n).encode()) for n in range(600)]
    async with hub.subscribe(TENANT, ada) as hers, hub.subscribe(TENANT, bob) as his:
        for start in range(0, 600, 60):  # few enough for who listens not to be too slow
            assert await hub.publish_many(TENANT, hints[start : start + 60])
            for n in range(start, start + 60):
                assert await next_of((hers, his)[n % 2]) == str(n).encode()


async def test_more_hints_than_fit_one_call_are_all_sent(redis_hub: Hub) -> None:
    channel = member_channel(uuid4())
    async with redis_hub.subscribe(TENANT, channel) as payloads:
        others = [(member_channel(uuid4()), b"-") for _ in range(520)]
        assert await redis_hub.publish_many(TENANT, [*others, (channel, b"last")])
        assert await next_of(payloads) == b"last"


async def test_a_changed_setup_is_told_to_all(hub: Hints) -> None:
    async with hub.subscribe_config() as changed, hub.subscribe_config() as too:
        tenant = uuid4()
        assert await hub.publish_config(tenant)
        assert UUID((await next_of(changed)).decode()) == tenant
        assert UUID((await next_of(too)).decode()) == tenant


async def test_one_listener_hears_what_is_said_to_all_tenants(redis_hub: Hub) -> None:
    tenants = [uuid4() for _ in range(30)]  # in a cluster they live on all its nodes
    async with AsyncExitStack() as stack:
        listening = [
            await stack.enter_async_context(redis_hub.subscribe(tenant, "news"))
            for tenant in tenants
        ]
        for tenant in tenants:
            assert await redis_hub.publish(tenant, "news", str(tenant).encode())
            assert await redis_hub.publish_many(tenant, [("news", b"more")])
        for tenant, payloads in zip(tenants, listening, strict=True):
            heard = [await next_of(payloads), await next_of(payloads)]
            assert heard == [str(tenant).encode(), b"more"]
    assert redis_hub.counts.connects == 1


async def test_a_slow_reader_is_closed_and_the_others_go_on(hub: Hints) -> None:
    channel = member_channel(uuid4())
    async with hub.subscribe(TENANT, channel) as slow, hub.subscribe(TENANT, channel) as quick:
        watcher = asyncio.create_task(slow.wait_closed())
        heard = []
        for n in range(102):
            await hub.publish(TENANT, channel, str(n).encode())
            heard.append(int(await next_of(quick)))
        assert heard == list(range(102))
        async with asyncio.timeout(5):
            assert await watcher is Closing.SLOW
        for _ in range(2):
            with pytest.raises(SlowConsumer):
                await next_of(slow)
        assert quick.closing is None
        assert hub.counts.slow == 1


async def test_a_hundred_unread_messages_are_kept(hub: Hints) -> None:
    channel = member_channel(uuid4())
    async with hub.subscribe(TENANT, channel) as payloads:
        for n in range(100):
            await hub.publish(TENANT, channel, str(n).encode())
        assert [int(await next_of(payloads)) for _ in range(100)] == list(range(100))
        assert payloads.closing is None


async def test_closing_the_hub_ends_all_subscriptions(hub: Hints) -> None:
    async def read_all(entered: asyncio.Event) -> list[bytes]:
        async with hub.subscribe(TENANT, member_channel(uuid4())) as payloads:
            entered.set()
            return [payload async for payload in payloads]

    entered = [asyncio.Event() for _ in range(5)]
    readers = [asyncio.create_task(read_all(event)) for event in entered]
    await asyncio.gather(*(event.wait() for event in entered))
    await hub.close()
    async with asyncio.timeout(5):
        assert await asyncio.gather(*readers) == [[]] * 5
        assert await read_all(asyncio.Event()) == []


async def test_five_hundred_readers_share_two_connections(own_server: Any) -> None:
    url = own_server().connection_url
    link, probe = Link(url, budget=10), Redis.from_url(url, legacy_responses=False)
    hub = Hub(link)
    channels = [member_channel(uuid4()) for _ in range(10)]

    async def read(payloads: Subscription) -> list[bytes]:
        return [await anext(payloads) for _ in range(50)]

    async with AsyncExitStack() as stack:
        subscriptions = [
            await stack.enter_async_context(hub.subscribe(TENANT, channels[n % 10]))
            for n in range(500)
        ]
        readers = [asyncio.create_task(read(subscription)) for subscription in subscriptions]
        for n in range(50):
            for channel in channels:
                await hub.publish(TENANT, channel, f"{channel} {n}".encode())
        async with asyncio.timeout(20):
            heard = await asyncio.gather(*readers)
        for n, payloads in enumerate(heard):
            assert payloads == [f"{channels[n % 10]} {m}".encode() for m in range(50)]
        assert hub.counts.delivered == 25_000
        assert len(await probe.client_list()) == 2 + 1
    await hub.close()
    await link.close()
    await probe.aclose()


async def test_the_last_to_leave_a_channel_unsubscribes(redis_hub: Hub, place: str) -> None:
    channel = member_channel(uuid4())
    name = f"l1:{{{TENANT}}}:{channel}"
    urls = [url_of(place, n) for n in named_nodes(place)] if is_cluster(place) else [place]

    async def listeners() -> int:
        return sum([await numsub(url, name) for url in urls])

    async def nobody_listens() -> bool:
        return await listeners() == 0

    async with redis_hub.subscribe(TENANT, channel):
        async with redis_hub.subscribe(TENANT, channel):
            assert await listeners() == 1
        await asyncio.sleep(0.05)
        assert await listeners() == 1
    await until(nobody_listens)

    reader = asyncio.create_task(consume(redis_hub.subscribe(TENANT, channel)))

    async def somebody_listens() -> bool:
        return await listeners() == 1

    await until(somebody_listens)
    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)
    await until(nobody_listens)


async def numsub(url: str, name: str) -> int:
    """How many connections listen to a channel at one server."""
    async with Redis.from_url(url, legacy_responses=False) as client:
        return int((await client.pubsub_numsub(name))[0][1])


async def consume(subscription: Subscription) -> None:
    async with subscription as payloads:
        async for _ in payloads:
            pass


async def test_leaving_and_coming_back_at_once_loses_nothing(redis_hub: Hub) -> None:
    channel = member_channel(uuid4())
    for n in range(100):
        async with redis_hub.subscribe(TENANT, channel) as payloads:
            await redis_hub.publish(TENANT, channel, str(n).encode())
            assert await next_of(payloads) == str(n).encode()
        if n % 3 == 0:
            await asyncio.sleep(0)


async def test_no_task_outlives_the_hub(link: Link | Cluster) -> None:
    before = asyncio.all_tasks()
    hub = Hub(link)
    async with hub.subscribe(TENANT, "config"):
        assert len(asyncio.all_tasks()) > len(before)
    await hub.close()
    assert asyncio.all_tasks() <= before


async def test_a_hub_that_nobody_asked_opens_no_connection(link: Link | Cluster) -> None:
    before = asyncio.all_tasks()
    hub = Hub(link)
    assert asyncio.all_tasks() <= before
    await hub.close()
