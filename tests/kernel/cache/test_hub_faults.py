import asyncio
import os
import signal
import socket
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from loyalty.cache import listening
from loyalty.cache.connection import Breaker, Link
from loyalty.cache.hub import Hub, Subscription, member_channel

TENANT = uuid4()
CHANNEL = member_channel(uuid4())
StartServer = Callable[..., Any]


async def heard_again(hub: Hub, payloads: Subscription) -> bytes:
    """Publish until it is heard: what is said while nobody is connected is lost."""
    async with asyncio.timeout(20):
        while True:
            await hub.publish(TENANT, CHANNEL, b"again")
            try:
                async with asyncio.timeout(0.1):
                    return await anext(payloads)
            except TimeoutError:
                continue


async def test_a_restarted_server_is_subscribed_to_again(own_server: StartServer) -> None:
    server = own_server()
    port = server.port
    link = Link(server.connection_url, breaker=Breaker(open_seconds=0.05), budget=1)
    hub = Hub(link)
    async with hub.subscribe(TENANT, CHANNEL) as payloads:
        await hub.publish(TENANT, CHANNEL, b"before")
        assert await anext(payloads) == b"before"
        server.terminate()
        assert not await hub.publish(TENANT, CHANNEL, b"lost")
        async with hub.subscribe(TENANT, member_channel(uuid4())):
            own_server(port=port)
            assert await heard_again(hub, payloads) == b"again"
        assert payloads.closing is None
    assert hub.counts.connects >= 2
    assert hub.counts.unpublished >= 1
    await hub.close()
    await link.close()


async def test_who_subscribes_before_the_server_is_there_hears_it_later(
    own_server: StartServer,
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    link = Link(f"redis://127.0.0.1:{port}", breaker=Breaker(open_seconds=0.05), budget=1)
    hub = Hub(link)
    async with hub.subscribe(TENANT, CHANNEL) as payloads:
        own_server(port=port)
        assert await heard_again(hub, payloads) == b"again"
    await hub.close()
    await link.close()


async def test_a_server_that_falls_silent_is_left_and_joined_again(
    own_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "PING_SECONDS", 0.05)
    monkeypatch.setattr(listening, "SILENCE_SECONDS", 0.3)
    server = own_server()
    link = Link(server.connection_url, breaker=Breaker(open_seconds=0.05), budget=1)
    hub = Hub(link)
    async with hub.subscribe(TENANT, CHANNEL) as payloads:
        await asyncio.sleep(1)
        assert hub.counts.connects == 1  # pings are answered, so a quiet hub stays connected
        os.kill(server._process.pid, signal.SIGSTOP)
        try:
            async with asyncio.timeout(10):
                while hub.counts.connects < 2:
                    await asyncio.sleep(0.05)
        finally:
            os.kill(server._process.pid, signal.SIGCONT)
        assert await heard_again(hub, payloads) == b"again"
    await hub.close()
    await link.close()
