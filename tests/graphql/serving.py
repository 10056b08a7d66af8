"""API servers of this process, real ones on real sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from loyalty.clock import SetClock
from loyalty_app.asgi import create_app
from loyalty_app.logins import Addresses
from loyalty_app.settings import Settings
from tests.graphql.brand import NOON, OPERATOR_SECRET, Server

Start = Callable[..., Awaitable[Server]]


@asynccontextmanager
async def serving(dsn: Addresses, valkey_url: str) -> AsyncIterator[Start]:
    """Starts servers on free ports; all of them end with the block."""
    running: list[tuple[uvicorn.Server, asyncio.Task[None]]] = []

    async def start(
        *,
        redis_url: str = valkey_url,
        addresses: Addresses = dsn,
        clock: SetClock | None = None,
        trusted: str | None = None,
        **options: Any,
    ) -> Server:
        clock = clock or SetClock(NOON)
        settings = Settings(
            app_database_url=addresses.app,
            audit_database_url=addresses.audit,
            redis_url=redis_url,
            operator_secret=OPERATOR_SECRET,
            # A test does in a moment what its brand does in a day.
            tenant_rate=0,
            member_rate=0,
            tenant_in_flight=0,
            webhook_trusted_hosts=trusted,
        )
        app = create_app(settings, clock=clock, **options)
        listener = socket.create_server(("127.0.0.1", 0))
        # asyncio does so for the listeners that it makes itself; without, an answer waits 40 ms.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        config = uvicorn.Config(app, log_level="warning", reset_contextvars=True)
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        running.append((server, task))
        while not server.started:
            await asyncio.sleep(0.01)
            assert not task.done(), task.exception()
        port = listener.getsockname()[1]
        return Server(f"http://127.0.0.1:{port}", clock, server.lifespan.state["services"])

    yield start
    for server, _ in running:
        server.should_exit = True
    for _, task in running:
        await task
