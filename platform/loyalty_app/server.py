"""The HTTP server of an API process: uvicorn, patient with nobody, and with an end seen coming."""

import asyncio
import socket
from typing import Any

import uvicorn
from starlette.responses import JSONResponse
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from loyalty.errors import Code
from loyalty_app.bounded_http import BoundedHttp
from loyalty_app.bounded_sockets import BoundedSocket
from loyalty_app.gate import Doorway, Gate
from loyalty_graphql.complaints import complaint

HEAD_SECONDS = 10.0
IN_FLIGHT_MAX = 1_000  # connections, and requests of them
# A connection waits so long for its next request: longer than load balancers and clients keep
# theirs (usually 60 s and less), or they send into one that is being closed. Of many, less.
IDLE_SECONDS = 75
IDLE_SECONDS_CROWDED = 5
CROWD = IN_FLIGHT_MAX // 2  # connections
GRACE_SECONDS = 20
# Between SIGTERM and the closed door: sockets say goodbye, and whoever asks hears "not ready".
NOTICE_SECONDS = 1.0
PING_SECONDS = 15.0  # a peer that is gone without a word is noticed after two of these
FULL = JSONResponse(
    {
        "errors": [
            complaint(
                Code.OVERLOADED.value,
                "this process has as many connections as it takes: wait a moment",
                retryAfter=1,
            )
        ]
    },
    503,
    {"retry-after": "1"},
)


class Protocol(BoundedHttp):
    """Cuts a connection on which the head of a request does not come to its end in time, keeps idle
    ones for as long as there is room, and asks whoever is one too many to come again: uvicorn would
    not say when."""

    head_seconds = HEAD_SECONDS
    _due: asyncio.TimerHandle | None = None
    _next: tuple[RequestResponseCycle, Any] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_head()

    def on_message_begin(self) -> None:
        self._expect_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._head_came()
        app = self.app
        if max(len(self.connections), len(self.tasks)) >= IN_FLIGHT_MAX:
            self.app = FULL
        try:
            super().on_headers_complete()
        finally:
            self.app = app

    def on_response_complete(self) -> None:
        crowded = len(self.connections) > CROWD
        self.timeout_keep_alive = IDLE_SECONDS_CROWDED if crowded else IDLE_SECONDS
        super().on_response_complete()
        if self.pipeline:  # those first: uvicorn would read hundreds more for each that is answered
            self.flow.pause_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._next is not None:
            (cycle, app), self._next = self._next, None
            self._start_asgi_task(cycle, app)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """What was sent ahead waits until the answer before it is read: till then nothing more of
        it is taken, and who answers it would call that late."""
        if self.flow.write_paused:
            self._next = cycle, app
        else:
            super()._start_asgi_task(cycle, app)

    def connection_lost(self, exc: Exception | None) -> None:
        self._next = None
        self._head_came()
        super().connection_lost(exc)

    def _expect_head(self) -> None:
        if self._due is None:
            self._due = self.loop.call_later(self.head_seconds, self._late)

    def _late(self) -> None:
        """The rest may be here while it is we who do not read: what counts is the time since."""
        self._due = None
        if (left := self.head_seconds - self._heard_seconds()) > 0:
            self._due = self.loop.call_later(left, self._late)
        else:
            self.transport.abort()

    def timeout_keep_alive_handler(self) -> None:
        """As with a head: who still reads its answer is not idle, nor is who has begun to ask."""
        left = self.timeout_keep_alive - self._heard_seconds()
        if self._due is None and left > 0:
            self.timeout_keep_alive_task = self.loop.call_later(
                left, self.timeout_keep_alive_handler
            )
        elif self._due is None:
            super().timeout_keep_alive_handler()

    def _heard_seconds(self) -> float:
        assert isinstance(self.transport, Doorway)
        return self.transport.heard_seconds

    def _head_came(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None


class Gated(Gate):
    """A connection of the server; uvicorn makes one for each."""

    def __init__(self, **given: Any) -> None:
        super().__init__(Protocol(**given))


class Server(uvicorn.Server):
    """Sets `leaving` as soon as it is told to stop, and stops a moment later."""

    def __init__(self, config: uvicorn.Config, leaving: asyncio.Event) -> None:
        super().__init__(config)
        self._leaving = leaving

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._leaving.set()
        await asyncio.sleep(NOTICE_SECONDS)
        await super().shutdown(sockets)


def server(app: ASGIApp, leaving: asyncio.Event, **options: Any) -> Server:
    """A server of this application; `options` are uvicorn's: host, port."""
    config = uvicorn.Config(
        app,
        http=Gated,
        ws=BoundedSocket,
        log_config=None,  # the process's own
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        ws_max_size=256 * 1024,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        reset_contextvars=True,
        **options,
    )
    return Server(config, leaving)
