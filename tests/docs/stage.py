"""A platform for one page: what `make run` gives its reader, on a database of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import orjson
import redis.asyncio
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from loyalty.clock import SetClock
from loyalty.days import iso
from loyalty_app.demo_tenant import SLUG, Demo
from loyalty_tenants.principal import Role
from loyalty_tenants.tokens import issue_token

PROTOCOL = Subprotocol("graphql-transport-ws")


@dataclass(slots=True)
class Stage:
    """A running API with its demo tenant; whoever asks is known by the title of the block."""

    url: str
    clock: SetClock
    demo: Demo
    operator_secret: str
    valkey: str
    _sockets: list[ClientConnection] = field(default_factory=list)
    _open: AsyncExitStack = field(default_factory=AsyncExitStack)

    def now(self) -> str:
        return str(iso(self.clock.now()))

    def credential(self, title: str) -> str:
        match title:
            case "" | "As the admin":
                return self.demo.api_key
            case "As ada":
                return self.demo.member_token
            case "As the operator":
                return self._token(tenant=None)
            case "As the operator in demo":
                return self._token(tenant=SLUG)
        raise AssertionError(f"nobody is called {title!r}")

    def _token(self, tenant: str | None) -> str:
        return issue_token(
            secret=self.operator_secret, issuer="loyalty", tenant=tenant, role=Role.OPERATOR,
            subject="operator", now=self.clock.now(), lifetime=timedelta(hours=1),
        )  # fmt: skip

    async def ask(self, credential: str, query: str, variables: dict[str, Any]) -> Any:
        return await self.post({"query": query, "variables": variables}, credential)

    async def post(self, body: Any, credential: str) -> Any:
        async with httpx.AsyncClient(timeout=30, trust_env=False) as http:
            answer = await http.post(
                f"{self.url}/graphql",
                content=orjson.dumps(body),
                headers={
                    "authorization": f"Bearer {credential}",
                    "content-type": "application/json",
                },
            )
        return answer.json()

    async def subscribe(self, credential: str, query: str, variables: dict[str, Any]) -> None:
        """Open a socket and wait until the process listens for this tenant."""
        address = self.url.replace("http", "ws", 1) + "/graphql"
        opening = connect(address, subprotocols=[PROTOCOL], proxy=None)
        socket = await self._open.enter_async_context(opening)
        greeting = {"type": "connection_init", "payload": {"authorization": f"Bearer {credential}"}}
        await socket.send(orjson.dumps(greeting).decode())
        assert orjson.loads(await socket.recv()) == {"type": "connection_ack"}
        payload = {"query": query, "variables": variables}
        await socket.send(
            orjson.dumps({"type": "subscribe", "id": "1", "payload": payload}).decode()
        )
        self._sockets.append(socket)
        async with redis.asyncio.Redis.from_url(self.valkey) as client, asyncio.timeout(10):
            while not await client.pubsub_channels(f"*{self.demo.tenant_id}*"):
                await asyncio.sleep(0.02)

    async def message(self) -> Any:
        """What the last socket hears next."""
        async with asyncio.timeout(10):
            heard = orjson.loads(await self._sockets[-1].recv())
        assert heard["type"] == "next", heard
        return heard["payload"]

    @asynccontextmanager
    async def closing(self) -> AsyncIterator["Stage"]:
        async with self._open:
            yield self
