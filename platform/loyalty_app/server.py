"""The HTTP server of an API process: uvicorn, patient with nobody, and with an end seen coming."""

import asyncio
import socket
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from loyalty_app.bounded_http import BoundedHttp

HEAD_SECONDS = 10.0
IN_FLIGHT_MAX = 1_000
GRACE_SECONDS = 20
# Between SIGTERM and the closed door: sockets say goodbye, and whoever asks hears "not ready".
NOTICE_SECONDS = 1.0
PING_SECONDS = 15.0  # a peer that is gone without a word is noticed after two of these


class Protocol(BoundedHttp):
    """Cuts a connection on which the head of a request does not come to its end in time."""

    head_seconds = HEAD_SECONDS
    _due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_head()

    def on_message_begin(self) -> None:
        self._expect_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._head_came()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_came()
        super().connection_lost(exc)

    def _expect_head(self) -> None:
        if self._due is None:
            self._due = self.loop.call_later(self.head_seconds, self.transport.abort)

    def _head_came(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None


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
        http=Protocol,
        log_config=None,  # the process's own
        access_log=False,
        server_header=False,
        limit_concurrency=IN_FLIGHT_MAX,
        timeout_graceful_shutdown=GRACE_SECONDS,
        ws_max_size=256 * 1024,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        reset_contextvars=True,
        **options,
    )
    return Server(config, leaving)
