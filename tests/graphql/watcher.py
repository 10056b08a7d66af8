"""A client of subscriptions over a real socket."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from loyalty.cache.hub import Hub
from tests.graphql.brand import Brand, Client

SECONDS = 10


class Watcher:
    """Speaks graphql-transport-ws; what it hears are messages, or the code of the closing."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def say(self, **message: Any) -> None:
        await self._socket.send(orjson.dumps(message).decode())

    async def hear(self, seconds: float = SECONDS) -> Any:
        """The next message; a number where the socket was closed.

        :raises TimeoutError: nothing came
        """
        try:
            return orjson.loads(await asyncio.wait_for(self._socket.recv(), seconds))
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None

    async def ask(self, name: str, query: str, variables: Mapping[str, Any] | None = None) -> None:
        payload = {"query": query, "variables": dict(variables or {})}
        await self.say(type="subscribe", id=name, payload=payload)

    async def watch(
        self, brand: Brand, query: str, variables: Mapping[str, Any], name: str = "1"
    ) -> None:
        """Subscribe, and wait until that stands: there is no message that says so."""
        hub = brand.server.services.api.hints
        assert isinstance(hub, Hub)
        before = _subscriptions(hub, brand.tenant_id)
        await self.ask(name, query, variables)
        async with asyncio.timeout(2 * SECONDS):
            while _subscriptions(hub, brand.tenant_id) == before:
                await asyncio.sleep(0.005)

    async def next(self) -> Any:
        """The data of the next event."""
        message = await self.hear()
        assert isinstance(message, dict), message
        assert message["type"] == "next", message
        assert "errors" not in message["payload"], message
        return message["payload"]["data"]


def _subscriptions(hub: Hub, tenant_id: UUID) -> int:
    """How many of this tenant's hear what is published from now on."""
    live = hub._listening.live if hub._listening is not None else set()
    rooms = hub._rooms._rooms
    return sum(len(rooms.get(name, ())) for name in live if str(tenant_id) in name)


@asynccontextmanager
async def watching(client: Client) -> AsyncIterator[Watcher]:
    """A socket of this client, initialised where its credential is good."""
    url = client.url.replace("http://", "ws://", 1) + "/graphql"
    async with connect(url, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
        watcher = Watcher(socket)
        payload = {"authorization": f"Bearer {client.credential}"} if client.credential else {}
        await watcher.say(type="connection_init", payload=payload)
        if client.credential:
            assert await watcher.hear() == {"type": "connection_ack"}
        yield watcher
