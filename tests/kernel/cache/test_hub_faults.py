import asyncio
import os
import signal
import socket
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from loyalty.cache import hub as hub_module
from loyalty.cache import listening
from loyalty.cache.connection import Breaker, Link, connect
from loyalty.cache.hub import Hub, Subscription, member_channel
from loyalty.cache.listening import Listening
from loyalty_app.ports import free_port

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
    port = free_port()
    link = Link(f"redis://127.0.0.1:{port}", breaker=Breaker(open_seconds=0.05), budget=1)
    hub = Hub(link)
    async with hub.subscribe(TENANT, CHANNEL) as payloads:
        own_server(port=port)
        assert await heard_again(hub, payloads) == b"again"
    await hub.close()
    await link.close()


async def test_who_joins_others_while_the_server_is_away_waits_for_it(
    own_server: StartServer,
) -> None:
    server = own_server()
    link = Link(server.connection_url, budget=1)
    hub = Hub(link)
    async with hub.subscribe(TENANT, CHANNEL):
        server.terminate()
        async with asyncio.timeout(10):
            while hub.counts.connects < 2:
                await asyncio.sleep(0.01)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3), hub.subscribe(TENANT, CHANNEL):
                pass
    await hub.close()
    await link.close()


async def test_closing_the_hub_frees_who_waits_for_a_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hub_module, "READY_SECONDS", 60)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        link = Link(f"redis://127.0.0.1:{nobody.getsockname()[1]}", budget=1)
        hub = Hub(link)
        waiting = asyncio.create_task(first_of(hub))
        await asyncio.sleep(0.1)
        await hub.close()
        async with asyncio.timeout(10):
            assert await waiting is None
    await link.close()


async def first_of(hub: Hub) -> bytes | None:
    async with hub.subscribe(TENANT, CHANNEL) as payloads:
        return await anext(payloads, None)


async def test_a_channel_left_and_joined_again_is_live_at_its_last_answer(
    own_server: StartServer,
) -> None:
    client = connect(own_server().connection_url, timeout=10)
    wanted, live = {"x"}, list[str]()
    async with client.pubsub() as pubsub:
        listening = Listening(
            pubsub,
            is_wanted=wanted.__contains__,
            on_live=live.append,
            on_message=lambda name, payload: None,
        )
        await listening._send({"x"})
        wanted.clear()
        await listening._send({"x"})
        wanted.add("x")
        await listening._send({"x"})
        seen: list[tuple[str, int]] = []
        while len(seen) < 3:
            listening._take(message := await pubsub.get_message(timeout=10))
            seen.append((message["type"], len(live)))
    assert seen == [("subscribe", 0), ("unsubscribe", 0), ("subscribe", 1)]
    await client.aclose()
    await client.connection_pool.disconnect()


async def stays_connected(hub: Hub) -> bool:
    """For a second; who gets no processor for long may take the other side for silent, at times."""
    for _ in range(5):
        before = hub.counts.connects
        await asyncio.sleep(1)
        if hub.counts.connects == before:
            return True
    return False


async def test_a_server_that_falls_silent_is_left_and_joined_again(
    own_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "PING_SECONDS", 0.05)
    monkeypatch.setattr(listening, "SILENCE_SECONDS", 0.3)
    server = own_server()
    link = Link(server.connection_url, breaker=Breaker(open_seconds=0.05), budget=1)
    hub = Hub(link)
    async with hub.subscribe(TENANT, CHANNEL) as payloads:
        assert await stays_connected(hub)  # pings are answered
        before = hub.counts.connects
        os.kill(server._process.pid, signal.SIGSTOP)
        try:
            async with asyncio.timeout(10):
                while hub.counts.connects == before:
                    await asyncio.sleep(0.05)
        finally:
            os.kill(server._process.pid, signal.SIGCONT)
        assert await heard_again(hub, payloads) == b"again"
    await hub.close()
    await link.close()
