"""The other end of a websocket."""

import asyncio
from typing import Any

import orjson

from loyalty_graphql.endpoint import Endpoint


class Peer:
    """The other end of a websocket, speaking ASGI itself, so that a test can stop reading."""

    def __init__(self, endpoint: Endpoint, **scope: Any) -> None:
        self.sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.reads = asyncio.Event()
        self.reads.set()
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        headers = scope.pop("headers", {})
        self._scope = {
            "type": "websocket",
            "path": "/graphql",
            "query_string": b"",
            "headers": [
                (k.encode(), v.encode()) for k, v in {"host": "shop.test", **headers}.items()
            ],
            "subprotocols": ["graphql-transport-ws"],
            **scope,
        }
        self.app = asyncio.create_task(endpoint(self._scope, self._to_app.get, self._send))
        self._to_app.put_nowait({"type": "websocket.connect"})

    async def _send(self, message: Any) -> None:
        await self.reads.wait()
        self.sent.put_nowait(message)

    def say(self, **message: Any) -> None:
        self.say_raw(orjson.dumps(message).decode())

    def say_raw(self, text: str) -> None:
        self._to_app.put_nowait({"type": "websocket.receive", "text": text})

    def leave(self) -> None:
        self._to_app.put_nowait({"type": "websocket.disconnect", "code": 1001})

    async def event(self, seconds: float = 5) -> dict[str, Any]:
        async with asyncio.timeout(seconds):
            return await self.sent.get()

    async def hear(self) -> Any:
        """The next message, or the code the socket was closed with."""
        event = await self.event()
        return event["code"] if event["type"] == "websocket.close" else orjson.loads(event["text"])

    async def greet(self, caller: str = "service") -> None:
        assert (await self.event())["type"] == "websocket.accept"
        self.say(type="connection_init", payload={"authorization": f"Bearer {caller}"})
        assert await self.hear() == {"type": "connection_ack"}

    def subscribe(self, name: str, query: str, **more: Any) -> None:
        self.say(type="subscribe", id=name, payload={"query": query, **more})
