"""A client with a socket: watches a member's balance, and connects again where it is sent away."""

import asyncio
from collections import Counter
from collections.abc import Callable

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from tests.faults.api import Api
from tests.faults.brand import Brand

WATCH = """subscription($by: MemberRef!) { balanceChanged(member: $by) {
  balance { available version } } }"""
PROTOCOL = Subprotocol("graphql-transport-ws")
PAUSE_SECONDS = 0.05


def text(**message: object) -> str:
    return orjson.dumps(message).decode()


async def opened(api: Api, **options: float) -> ClientConnection:
    """A socket that has said nothing yet."""
    url = api.url.replace("http", "ws", 1) + "/graphql"
    return await connect(url, subprotocols=[PROTOCOL], **options)  # type: ignore[arg-type]


async def greet(socket: ClientConnection, brand: Brand) -> None:
    hello = {"authorization": f"Bearer {brand.api_key}"}
    await socket.send(text(type="connection_init", payload=hello))
    assert orjson.loads(await socket.recv())["type"] == "connection_ack"


async def watch(socket: ClientConnection, member: str, name: str = "1") -> None:
    variables = {"by": {"externalId": member}}
    asked = {"query": WATCH, "variables": variables}
    await socket.send(text(type="subscribe", id=name, payload=asked))


def code_of(closed: ConnectionClosed) -> int | None:
    """What the other side closed it with; None where it just went."""
    return closed.rcvd.code if closed.rcvd else None


class Watcher:
    """Stays connected to whichever API `choose` names, until it is ended."""

    def __init__(self, brand: Brand, member: str, choose: Callable[[], Api]) -> None:
        self.closed: Counter[int | None] = Counter()
        self.heard = 0
        self.connected = asyncio.Event()
        self._brand = brand
        self._member = member
        self._choose = choose
        self._task = asyncio.create_task(self._stay())

    async def end(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _stay(self) -> None:
        while True:
            try:
                await self._listen()
            except ConnectionClosed as closed:
                self.closed[code_of(closed)] += 1
            except (OSError, WebSocketException):
                self.closed[None] += 1
            self.connected.clear()
            await asyncio.sleep(PAUSE_SECONDS)

    async def _listen(self) -> None:
        socket = await opened(self._choose(), close_timeout=0.5)
        try:
            await greet(socket, self._brand)
            await watch(socket, self._member)
            self.connected.set()
            while True:
                self.heard += orjson.loads(await socket.recv())["type"] == "next"
        finally:
            await socket.close()
