"""A node in trouble costs its own tenants the cache; a slot that moved costs nobody an answer."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from operator import methodcaller
from uuid import UUID, uuid4

import pytest

from loyalty.cache import cluster as cluster_module
from loyalty.cache.balances import BalanceCache, CachedBalance, Want
from loyalty.cache.cluster import Cluster
from loyalty.cache.connection import BUDGET_SECONDS, Breaker, Unanswered
from loyalty.cache.hub import Hub
from loyalty.cache.names import channel_name
from loyalty.cache.nodes import slot_of

from .valkey_cluster import HOST, Move, ValkeyCluster, say

WANT: Want = (uuid4(), "points")
SHORT_SECONDS = 0.2
StartCluster = Callable[..., Cluster]


class Seconds:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


class Postgres:
    def __init__(self) -> None:
        self.version = 1
        self.loads = 0

    async def load(self, wants: Sequence[Want]) -> dict[Want, CachedBalance]:
        self.loads += 1
        return {want: CachedBalance(version=self.version) for want in wants}


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
async def way(valkey_cluster: ValkeyCluster, seconds: Seconds) -> AsyncIterator[StartCluster]:
    made = []

    def start(budget: float = 10.0, url: str = valkey_cluster.url) -> Cluster:
        made.append(Cluster(url, breaker=lambda: Breaker(seconds), budget=budget))
        return made[-1]

    yield start
    for cluster in made:
        await cluster.close()


def tenant_on(nodes: ValkeyCluster, number: int) -> UUID:
    """A tenant whose slot is served by that node."""
    while (tenant := uuid4()) and slot_of(tenant) * len(nodes.ports) // 16_384 != number:
        pass
    return tenant


async def learnt(cluster: Cluster, tenants: Sequence[UUID]) -> None:
    """Let it find out where the tenants live."""
    for tenant in tenants:
        key = channel_name(tenant, "x")
        await cluster.ask(methodcaller("get", key), tenant)


@contextmanager
def frozen(nodes: ValkeyCluster, number: int) -> Iterator[None]:
    pid = nodes.server(nodes.ports[number])._process.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@asynccontextmanager
async def killed(nodes: ValkeyCluster, number: int) -> AsyncIterator[None]:
    """Gone within the block; back, and empty, after it."""
    port = nodes.ports[number]
    nodes.kill(port)
    try:
        yield
    finally:
        await nodes.revive(port)


async def test_a_frozen_node_costs_its_own_tenants_the_cache_and_the_others_nothing(
    valkey_cluster: ValkeyCluster, way: StartCluster, seconds: Seconds
) -> None:
    mine, theirs = tenant_on(valkey_cluster, 0), tenant_on(valkey_cluster, 1)
    cluster, postgres, others = way(SHORT_SECONDS), Postgres(), Postgres()
    await learnt(cluster, [mine, theirs])
    cache = BalanceCache(cluster, epoch=1, seconds=seconds)
    await cache.put_many(theirs, {WANT: CachedBalance(version=1)})
    with frozen(valkey_cluster, 0):
        before = cluster.asked
        for _ in range(50):
            assert await cache.read(mine, [WANT], postgres.load) == {WANT: CachedBalance(version=1)}
            await cache.read(theirs, [WANT], others.load)
        assert postgres.loads == 1  # within 100 ms
        late = others.loads  # an answer may come late, once; what is loaded then is put, too
        assert late <= 1
        # Five budgets, then the breaker of that node.
        assert cluster.asked - before == 5 + 50 + late
        seconds.at += 1
        for _ in range(20):
            await cache.read(mine, [WANT], postgres.load)
        assert cluster.asked - before == 5 + 50 + late + 1
    seconds.at += 1
    await cache.read(mine, [WANT], postgres.load)
    assert not cluster.is_open


async def test_one_question_to_a_frozen_node_ends(
    valkey_cluster: ValkeyCluster, way: StartCluster
) -> None:
    mine = tenant_on(valkey_cluster, 2)
    cluster = way(BUDGET_SECONDS)
    for _ in range(20):
        with suppress(Unanswered):  # on a busy machine
            await learnt(cluster, [mine])
    with frozen(valkey_cluster, 2):
        # Generous: what is told apart is a budget of 50 ms from a client that retries for seconds.
        async with asyncio.timeout(2):
            with pytest.raises(Unanswered):
                await learnt(cluster, [mine])


async def test_a_killed_node_that_comes_back_empty_is_filled_again(
    valkey_cluster: ValkeyCluster,
    way: StartCluster,
    seconds: Seconds,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cluster_module, "LOOK_SECONDS", 3_600)
    mine, theirs = tenant_on(valkey_cluster, 1), tenant_on(valkey_cluster, 2)
    cluster, postgres, others = way(), Postgres(), Postgres()
    await learnt(cluster, [mine, theirs])
    cache = BalanceCache(cluster, epoch=1)
    await cache.read(mine, [WANT], postgres.load)
    await cache.put_many(theirs, {WANT: CachedBalance(version=1)})
    async with killed(valkey_cluster, 1):
        postgres.version = 2
        before = cluster.asked
        for _ in range(50):
            assert await cache.read(mine, [WANT], postgres.load) == {WANT: CachedBalance(version=2)}
            await cache.read(theirs, [WANT], others.load)
        assert (cluster.asked - before, others.loads) == (5 + 50, 0)
        assert cluster.looks == 1  # however much goes wrong, the layout is not asked for each time
    seconds.at += 1
    assert await cache.get_many(mine, [WANT]) == {}
    loads = postgres.loads
    for _ in range(10):
        await cache.read(mine, [WANT], postgres.load)
    assert postgres.loads == loads + 1


async def test_a_cluster_is_found_through_any_node_that_lives(
    valkey_cluster: ValkeyCluster, way: StartCluster
) -> None:
    with socket.socket() as nobody:
        nobody.bind((HOST, 0))
        dead, alive = nobody.getsockname()[1], valkey_cluster.ports[2]
        cluster = way(url=f"redis+cluster://{HOST}:{dead},{HOST}:{alive}")
        tenants = [tenant_on(valkey_cluster, number) for number in range(3)]
        async with asyncio.timeout(20):
            # Where a tenant lives is told by the layout, read in the background, or by a node that
            # was asked by mistake; an answer at the right place tells nothing.
            while None in [cluster._owners[slot_of(tenant)] for tenant in tenants]:
                with suppress(Unanswered):
                    await learnt(cluster, tenants)
                await asyncio.sleep(0.05)
        before = cluster.asked
        for _ in range(10):
            await learnt(cluster, tenants)
        assert cluster.asked - before == 30  # straight to the right node


@pytest.fixture
async def move(valkey_cluster: ValkeyCluster) -> AsyncIterator[tuple[Move, UUID]]:
    tenant = tenant_on(valkey_cluster, 0)
    moving = Move(valkey_cluster, slot_of(tenant))
    yield moving, tenant
    await moving.end(at=moving.here)
    await valkey_cluster.settled()


async def test_a_slot_that_moved_is_followed_and_remembered(
    way: StartCluster, move: tuple[Move, UUID]
) -> None:
    moving, tenant = move
    cluster = way()
    cache = BalanceCache(cluster, epoch=1)
    await cache.put_many(tenant, {WANT: CachedBalance(version=3)})
    await moving.begin()
    await moving.end(at=moving.there)
    before = cluster.asked
    await cache.put_many(tenant, {WANT: CachedBalance(version=4)})
    assert cluster.asked - before == 2  # MOVED, and there
    assert await cache.get_many(tenant, [WANT]) == {WANT: CachedBalance(version=4)}
    assert cluster.asked - before == 3
    assert cache.counts.errors == 0
    assert not cluster.is_open


async def test_a_slot_on_its_way_is_asked_where_it_arrives(
    way: StartCluster, move: tuple[Move, UUID]
) -> None:
    moving, tenant = move
    cluster = way()
    await learnt(cluster, [tenant])
    cache = BalanceCache(cluster, epoch=1)
    await moving.begin()
    await say(moving.there, "SCRIPT", "FLUSH")
    await cache.put_many(tenant, {WANT: CachedBalance(version=5)})
    assert await cache.get_many(tenant, [WANT]) == {WANT: CachedBalance(version=5)}
    assert await say(moving.here, "CLUSTER", "COUNTKEYSINSLOT", moving.slot) == 0
    await moving.end(at=moving.there)
    assert await cache.get_many(tenant, [WANT]) == {WANT: CachedBalance(version=5)}
    assert cache.counts.errors == 0


async def test_questions_without_a_tenant_go_where_somebody_answers(
    valkey_cluster: ValkeyCluster, way: StartCluster
) -> None:
    cluster = way()
    await learnt(cluster, [tenant_on(valkey_cluster, number) for number in range(3)])
    async with killed(valkey_cluster, 0):
        failures = 0
        for _ in range(60):
            try:
                await cluster.ask(lambda redis: redis.ping())
            except Unanswered:
                failures += 1
        assert failures <= 5  # then that node's breaker is open, and the others are asked


async def test_a_listener_whose_node_is_killed_hears_through_another(
    valkey_cluster: ValkeyCluster, way: StartCluster
) -> None:
    hub = Hub(way(budget=1))
    tenant = uuid4()
    async with hub.subscribe(tenant, "news") as payloads:
        name = channel_name(tenant, "news")
        listens = [(await say(port, "PUBSUB", "NUMSUB", name))[1] for port in valkey_cluster.ports]
        assert sorted(listens) == [0, 0, 1]
        number = listens.index(1)
        alive = tenant_on(valkey_cluster, (number + 1) % 3)
        async with hub.subscribe(alive, "news") as others, killed(valkey_cluster, number):
            async with asyncio.timeout(20):
                while True:
                    await hub.publish(alive, "news", b"again")
                    with suppress(TimeoutError):
                        async with asyncio.timeout(0.1):
                            assert await anext(others) == b"again"
                        break
            assert payloads.closing is None
    assert hub.counts.connects >= 2
    await hub.close()


async def test_no_task_outlives_the_cluster(valkey_cluster: ValkeyCluster) -> None:
    before = asyncio.all_tasks()
    cluster = Cluster(valkey_cluster.url)
    with suppress(Unanswered):
        await cluster.ask(lambda redis: redis.ping(), uuid4())
    await cluster.close()
    assert asyncio.all_tasks() <= before
