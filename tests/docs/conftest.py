"""For each page the platform as a newcomer has it: its own database, the demo tenant, real HTTP."""

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uvicorn

from loyalty.clock import SetClock
from loyalty_app.asgi import create_app
from loyalty_app.demo_tenant import demo_tenant
from loyalty_app.ledger import open_ledger
from loyalty_app.logins import Addresses
from loyalty_app.settings import Settings

from .stage import Stage

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
async def own_dsn(new_dsn: Callable[[], Awaitable[Addresses]]) -> Addresses:
    """The database of one page."""
    return await new_dsn()


@pytest.fixture
def worker_dsn(own_dsn: Addresses) -> str:
    return own_dsn.worker


@pytest.fixture
async def stage(own_dsn: Addresses, valkey_url: str, tmp_path: Path) -> AsyncIterator[Stage]:
    dsn = own_dsn
    secret = secrets.token_urlsafe(32)
    clock = SetClock(NOON)
    settings = Settings(app_database_url=dsn.app, redis_url=valkey_url, operator_secret=secret)
    settings = settings.unrationed()  # no reader goes through a page in a second
    async with open_ledger(settings, dsn.app, pool=2, clock=clock) as ledger:
        demo = await demo_tenant(ledger, tmp_path, clock.now())
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(create_app(settings, clock=clock), log_level="warning")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.01)
        assert not task.done(), task.exception()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with Stage(url, clock, demo, secret, valkey_url).closing() as made:
        yield made
    server.should_exit = True
    await task
