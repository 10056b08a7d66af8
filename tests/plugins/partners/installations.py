"""Two installations as fixtures: servers of this process, on databases of their own."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from loyalty.clock import SetClock
from loyalty.recorder.recorder import Recorder
from loyalty_app.ledger import open_ledger
from loyalty_app.logins import Addresses
from loyalty_app.settings import Settings
from tests.graphql.brand import NOON, Server
from tests.plugins.partners.conftest import Shop
from tests.plugins.partners.elsewhere import Elsewhere, Post, agree


@pytest.fixture(scope="session")
async def other_dsn(new_dsn: Callable[[], Awaitable[Addresses]]) -> Addresses:
    """The database of the other installation."""
    return await new_dsn()


@pytest.fixture(scope="session")
async def installations(
    make_server: Callable[..., Awaitable[Server]], dsn: Addresses, other_dsn: Addresses,
    valkey_url: str,
) -> AsyncIterator[tuple[tuple[Server, Recorder], tuple[Server, Recorder]]]:  # fmt: skip
    """Two of them at one time of day, each with a worker's login beside its server."""
    clock = SetClock(NOON)
    async with AsyncExitStack() as stack:
        made = []
        for one in (dsn, other_dsn):
            server = await make_server(clock=clock, trusted="127.0.0.1", addresses=one)
            settings = Settings(worker_database_url=one.worker, redis_url=valkey_url)
            opening = open_ledger(settings, one.worker, clock=clock, pool=6)
            made.append((server, (await stack.enter_async_context(opening)).recorder))
        yield made[0], made[1]


@pytest.fixture
def servers(installations: Any) -> Iterator[tuple[Server, Server]]:
    (here, _), (there, _) = installations
    ways = [one.services.api.way for one in (here, there)]
    post = Post(ways[0])
    for one in (here, there):
        object.__setattr__(one.services.api, "way", post)
    here.clock.at = NOON
    yield here, there
    for one, way in zip((here, there), ways, strict=True):
        object.__setattr__(one.services.api, "way", way)


@pytest.fixture
def server(servers: tuple[Server, Server]) -> Server:
    return servers[0]


@pytest.fixture
async def make_elsewhere(
    make_shop: Callable[..., Awaitable[Shop]], servers: tuple[Server, Server], installations: Any,
    dsn: Addresses, other_dsn: Addresses,
) -> AsyncIterator[Callable[..., Awaitable[Elsewhere]]]:  # fmt: skip
    made: list[Elsewhere] = []

    async def make(**options: Any) -> Elsewhere:
        air, hotel = await make_shop(), await make_shop(on=servers[1])
        found = Elsewhere(
            air=air, hotel=hotel, agreement=await agree(air, hotel, **options),
            post=servers[0].services.api.way,  # type: ignore[arg-type]
            workers=(installations[0][1], installations[1][1]),
            audit_dsns=(dsn.audit, other_dsn.audit),
        )  # fmt: skip
        made.append(found)
        return found

    yield make
    for one in made:
        one.post.lost = None
        await one.audited()


@pytest.fixture
async def both(make_elsewhere: Callable[..., Awaitable[Elsewhere]]) -> Elsewhere:
    return await make_elsewhere()
