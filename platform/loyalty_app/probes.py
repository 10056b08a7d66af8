"""What a worker answers whoever supervises it: a few lines of HTTP, and no framework."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus

from loyalty_app.readiness import Readiness

HEAD_BYTES = 8_192
HEAD_SECONDS = 5.0
# The loop that answers is the one that works: whoever hears this knows that it comes round.
ALIVE = ("/livez", "/startupz")
READY = "/readyz"


@asynccontextmanager
async def probes(host: str, port: int, readiness: Readiness) -> AsyncIterator[None]:
    """Answer `/livez`, `/readyz` and `/startupz` while the block runs; port 0: nobody is answered.

    To be entered once everything is open, for that is what `/startupz` says.
    """
    if not port:
        yield
        return

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, EOFError, asyncio.LimitOverrunError):
            async with asyncio.timeout(HEAD_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(_response(*await _answer(head, readiness)))
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, host, port, limit=HEAD_BYTES)
    try:
        yield
    finally:
        server.close()


async def _answer(head: bytes, readiness: Readiness) -> tuple[HTTPStatus, str]:
    method, _, rest = head.decode("latin-1").partition(" ")
    path = rest.partition(" ")[0].partition("?")[0]
    if path not in (*ALIVE, READY):
        return HTTPStatus.NOT_FOUND, "nothing is here"
    if method not in ("GET", "HEAD"):
        return HTTPStatus.METHOD_NOT_ALLOWED, "only GET is answered"
    if path == READY and (reason := await readiness.reason_against()):
        return HTTPStatus.SERVICE_UNAVAILABLE, reason
    return HTTPStatus.OK, "ready" if path == READY else "ok"


def _response(status: HTTPStatus, says: str) -> bytes:
    body = json.dumps({"status": says}).encode()
    head = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        "content-type: application/json",
        f"content-length: {len(body)}",
        "connection: close",
    ]
    return "\r\n".join([*head, "", ""]).encode() + body
