"""The edge under a real server, spoken to by real clients."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest
import uvicorn
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from loyalty_app.fresh_context import FreshContext

TICKS = "subscription { ticks(upto: 2) }"


@pytest.fixture
async def port(edge: Any) -> AsyncIterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            FreshContext(edge.endpoint()),
            log_level="error",
            lifespan="off",
            ws="websockets-sansio",
        )
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:
            await asyncio.sleep(0.005)
        yield listener.getsockname()[1]
        server.should_exit = True
        await task


def speak(port: int) -> connect:
    return connect(
        f"ws://127.0.0.1:{port}/graphql",
        subprotocols=[Subprotocol("graphql-transport-ws")],
        origin=None,
        proxy=None,
    )


def said(**message: Any) -> str:
    return orjson.dumps(message).decode()


GREETING = said(type="connection_init", payload={"authorization": "Bearer service"})


async def test_a_query_is_answered(port: int) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        response = await client.post(
            f"http://127.0.0.1:{port}/graphql",
            json={"query": "{ member { name } }"},
            headers={"authorization": "Bearer service"},
        )
    assert response.json() == {"data": {"member": {"name": "Ada"}}}


async def test_a_subscription_is_delivered(port: int) -> None:
    async with speak(port) as peer:
        assert peer.subprotocol == "graphql-transport-ws"
        await peer.send(GREETING)
        assert orjson.loads(await peer.recv()) == {"type": "connection_ack"}
        await peer.send(said(type="subscribe", id="1", payload={"query": TICKS}))
        heard = [orjson.loads(await peer.recv()) for _ in range(3)]
    assert [message["type"] for message in heard] == ["next", "next", "complete"]


async def test_a_peer_that_hangs_up_leaves_nothing_behind(edge: Any, port: int) -> None:
    peer = await speak(port)
    await peer.send(GREETING)
    endless = "subscription { ticks(upto: 1000000000) }"
    await peer.send(said(type="subscribe", id="1", payload={"query": endless}))
    for _ in range(5):
        await peer.recv()
    peer.transport.abort()
    async with asyncio.timeout(5):
        while edge.ran != ["open", "closed"]:
            await asyncio.sleep(0.01)


async def test_the_reason_of_a_close_arrives(port: int) -> None:
    async with speak(port) as peer:
        await peer.send(said(type="connection_init", payload={}))
        with pytest.raises(ConnectionClosed) as caught:
            await peer.recv()
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 4403
