"""One socket speaking graphql-transport-ws: its life from the first message to the last.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md has the messages and close codes.
"""

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from contextlib import ExitStack, suppress
from typing import Any
from urllib.parse import urlsplit

import orjson
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from loyalty.errors import TROUBLE, Refused
from loyalty_graphql.body import parse
from loyalty_graphql.meters import SOCKETS
from loyalty_graphql.rejection import Rejected
from loyalty_graphql.runner import Runner
from loyalty_graphql.streams import Streams
from loyalty_graphql.wiring import Wiring
from loyalty_tenants.principal import Principal

log = logging.getLogger("loyalty.graphql")

PROTOCOL = "graphql-transport-ws"
# How long a peer that does not read may hold us up after we said goodbye.
_GOODBYE_SECONDS = 1.0

Message = dict[str, Any]


class Closing(Exception):
    """Ends the socket with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Socket:
    """A reader, a writer, a watchman, and an ear for the end of the process; whichever ends first
    ends the socket."""

    def __init__(
        self, wiring: Wiring, runner: Runner, scope: Scope, receive: Receive, send: Send
    ) -> None:
        self._wiring = wiring
        self._numbers = wiring.numbers
        self._peer = WebSocket(scope, receive, send)
        self._initialised = asyncio.Event()
        self._principal: Principal | None = None
        self._waiting: asyncio.Queue[Message] = asyncio.Queue(self._numbers.waiting_messages)
        self._ending: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._streams = Streams(wiring, runner, self._put)
        self._counted = ExitStack()

    async def serve(self) -> None:
        if not _is_known_origin(self._peer, self._wiring.origins):
            await self._peer.close(4403, "Forbidden")
            return
        if PROTOCOL not in self._peer.scope["subprotocols"]:
            await self._peer.accept()
            await self._peer.close(4406, "Subprotocol not acceptable")
            return
        await self._peer.accept(PROTOCOL)
        with self._counted, SOCKETS.track_inprogress():
            closing = await self._live()
        if closing is not None:
            with suppress(TimeoutError, RuntimeError, WebSocketDisconnect):
                async with asyncio.timeout(_GOODBYE_SECONDS):
                    await self._peer.close(closing.code, closing.reason)

    async def _live(self) -> Closing | None:
        """Until something ends it; None where the peer went away by itself."""
        parts = (self._read(), self._write(), self._watch(), self._leave())
        tasks = [asyncio.create_task(self._part(part)) for part in parts]
        try:
            await self._ending
        except Closing as closing:
            return closing
        except WebSocketDisconnect:
            return None
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._streams.stop()
        return None

    async def _part(self, part: Coroutine[Any, Any, None]) -> None:
        try:
            await part
        except (Closing, WebSocketDisconnect) as ending:
            self._end(ending)
        except Exception:
            log.exception("a socket failed")
            self._end(Closing(4500, "Internal error"))

    def _end(self, why: Closing | WebSocketDisconnect) -> None:
        if not self._ending.done():
            self._ending.set_exception(why)

    async def _read(self) -> None:
        while True:
            message = await self._peer.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1000))
            await self._handle(self._parsed(message.get("text")))
            await asyncio.sleep(0)  # hundreds may be there already, and others wait for their turn

    def _parsed(self, text: str | None) -> Message:
        if text is None:
            raise Closing(4400, "Messages must be text")
        if len(text) > self._numbers.body:
            raise Closing(1009, "Message too large")
        try:
            message = parse(text.encode())
        except (Rejected, UnicodeEncodeError):
            raise Closing(4400, "Messages must be valid JSON") from None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise Closing(4400, "Messages must have a type")
        return message

    async def _handle(self, message: Message) -> None:
        match message["type"]:
            case "connection_init":
                await self._init(message.get("payload"))
            case "ping":
                self._put({"type": "pong"})
            case "pong":
                pass
            case "subscribe":
                self._subscribe(message)
            case "complete" if isinstance(message.get("id"), str):
                self._streams.complete(message["id"])
            case _:
                raise Closing(4400, "Unknown or malformed message")

    async def _init(self, payload: object) -> None:
        if self._initialised.is_set():
            raise Closing(4429, "Too many initialisation requests")
        if not isinstance(payload, dict | None):
            raise Closing(4400, "Invalid connection init payload")
        try:
            principal = await self._wiring.authenticate(_credentials(self._peer, payload or {}))
        except Refused as no:
            if no.code in TROUBLE:
                raise Closing(1013, "Try again later") from None
            principal = None
        if principal is None or principal.body is not None:  # what is signed is one body
            raise Closing(4403, "Forbidden")
        if not self._counted.enter_context(self._wiring.admission.socket(principal)):
            raise Closing(1013, "Too many sockets; try again later")
        self._principal = principal
        self._initialised.set()
        self._put({"type": "connection_ack"})

    def _subscribe(self, message: Message) -> None:
        if self._principal is None:
            raise Closing(4401, "Unauthorized")
        match message:
            case {"id": str() as name, "payload": dict() as payload} if 0 < len(name) <= 128:
                pass
            case _:
                raise Closing(4400, "Malformed subscribe message")
        if name in self._streams:
            raise Closing(4409, f"Subscriber for {name} already exists")
        self._streams.start(name, payload, self._principal)

    async def _write(self) -> None:
        while True:
            message = await self._waiting.get()
            await self._peer.send_text(orjson.dumps(message).decode())

    def _put(self, message: Message) -> None:
        try:
            self._waiting.put_nowait(message)
        except asyncio.QueueFull:
            self._end(Closing(4290, "Messages are not read fast enough"))

    async def _leave(self) -> None:
        await self._wiring.leaving.wait()
        raise Closing(1001, "Going away; connect again")

    async def _watch(self) -> None:
        """Ends a socket that does not say who it is, and one whose right has lapsed."""
        try:
            async with asyncio.timeout(self._numbers.init_seconds):
                await self._initialised.wait()
        except TimeoutError:
            raise Closing(4408, "Connection initialisation timeout") from None
        assert self._principal is not None
        while True:
            await asyncio.sleep(min(self._left(self._principal), self._numbers.revalidate_seconds))
            if self._left(self._principal) <= 0:
                raise Closing(4403, "Token expired")
            await self._revalidate(self._principal)

    def _left(self, principal: Principal) -> float:
        """Seconds until the principal's token expires."""
        if principal.expires_at is None:
            return self._numbers.revalidate_seconds
        left = (principal.expires_at - self._wiring.clock.now()).total_seconds()
        return max(left, 0.0)

    async def _revalidate(self, principal: Principal) -> None:
        try:
            await self._wiring.revalidate(principal)
        except Refused as no:
            # A database that does not answer for a moment must not end every socket at once.
            if no.code not in TROUBLE:
                raise Closing(4403, str(no.code)) from None
            log.warning("a socket's principal could not be checked again: %s", no)
        except Exception:
            log.warning("a socket's principal could not be checked again", exc_info=True)


def _credentials(peer: WebSocket, payload: Mapping[str, Any]) -> dict[str, str]:
    """The handshake's headers, with `authorization` of the payload, which browsers can set."""
    headers = dict(peer.headers)
    given = payload.get("authorization", payload.get("Authorization"))
    if isinstance(given, str):
        headers["authorization"] = given
    return headers


def _is_known_origin(peer: WebSocket, origins: frozenset[str]) -> bool:
    origin = peer.headers.get("origin")
    if origin is None or origin in origins:
        return True
    try:
        return urlsplit(origin).netloc == peer.headers.get("host")
    except ValueError:  # no address at all
        return False
