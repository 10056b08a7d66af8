"""A web server that receives webhooks and behaves as it is told, path by path."""

import asyncio
import gzip
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cache

from standardwebhooks.webhooks import Webhook

Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One request. `at` is by the monotonic clock, when all of it was there."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def verified(self, secret: str) -> dict[str, object]:
        """The payload.

        :raises WebhookVerificationError: it was not signed with this secret
        """
        found: dict[str, object] = Webhook(secret).verify(self.body.decode(), dict(self.headers))
        return found


@dataclass(slots=True)
class Receiver:
    """`script` says how a path behaves; whatever it does not name answers 204."""

    heard: list[Heard] = field(default_factory=list)
    script: dict[str, Behaviour] = field(default_factory=dict)
    connections: int = 0
    sent: int = 0
    port: int = 0
    host: str = "127.0.0.1"
    tls: ssl.SSLContext | None = None
    _server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}"

    async def start(self) -> "Receiver":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def at(self, path: str) -> list[Heard]:
        return [one for one in self.heard if one.path == path]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {
                name.strip().lower(): value.strip()
                for name, _, value in (line.partition(":") for line in head[1:] if line)
            }
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            path = head[0].split(" ")[1]
            self.heard.append(Heard(path=path, headers=headers, body=body, at=time.monotonic()))
            await self.script.get(path, answers(204))(writer)
        except (ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            pass
        finally:
            writer.close()


def answers(status: int, *headers: str, body: bytes = b"") -> Behaviour:
    async def behave(writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status} So", f"content-length: {len(body)}", *headers]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await writer.drain()

    return behave


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """One after the other; the last one goes on."""
    waiting = list(behaviours)

    async def behave(writer: asyncio.StreamWriter) -> None:
        await (waiting.pop(0) if len(waiting) > 1 else waiting[0])(writer)

    return behave


def sleeps(seconds: float) -> Behaviour:
    async def behave(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(seconds)

    return behave


async def drips(writer: asyncio.StreamWriter) -> None:
    """The head of an answer, a byte a second."""
    for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-padding: " + b"x" * 60:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(1)


async def closes_after_headers(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 500 So\r\ncontent-length: 1000\r\n\r\n")
    await writer.drain()


async def closes_at_once(writer: asyncio.StreamWriter) -> None:
    writer.close()


async def talks_garbage(writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x16\x03\x01\x02\x00garbage" * 50)
    await writer.drain()


@cache
def _bomb() -> bytes:
    return gzip.compress(b"0" * 50_000_000)


async def gzip_bomb(writer: asyncio.StreamWriter) -> None:
    body = _bomb()
    head = f"HTTP/1.1 500 So\r\ncontent-encoding: gzip\r\ncontent-length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()


@dataclass(slots=True)
class Flood:
    """A body of 100 MB; `sent` is how much of it the other side let through."""

    status: int = 500
    size: int = 100_000_000
    sent: int = 0

    async def __call__(self, writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 {self.status} So\r\ncontent-length: {self.size}\r\n\r\n"
        writer.write(head.encode())
        while self.sent < self.size:
            writer.write(b"x" * 65_536)
            await writer.drain()
            self.sent += 65_536
