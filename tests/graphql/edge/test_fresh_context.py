"""On a real server: no request sees the context variables of another."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from loyalty_app.fresh_context import FreshContext

tenant: ContextVar[str] = ContextVar("tenant", default="nobody")


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers whose context it was called in, and leaves its own behind."""
    inherited = tenant.get()
    tenant.set(scope["path"])
    await asyncio.sleep(0.01)  # so that the next request of the connection is waiting
    content = inherited.encode()
    headers = [(b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})


@asynccontextmanager
async def serving(served: ASGIApp, **options: Any) -> AsyncIterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(served, log_level="error", lifespan="off", ws="none", **options)
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            while not server.started:
                await asyncio.sleep(0.005)
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            await task


async def pipelined(port: int) -> list[str]:
    """What three requests inherit that are sent at once on one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    requests = [f"GET /{name} HTTP/1.1\r\nhost: shop.test\r\n\r\n" for name in "abc"]
    writer.write("".join(requests).encode())
    inherited = []
    async with asyncio.timeout(10):
        for _ in requests:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            inherited.append((await reader.readexactly(length)).decode())
    writer.close()
    await writer.wait_closed()
    return inherited


@pytest.mark.parametrize("http", ["httptools", "h11"])
async def test_a_request_inherits_nothing(http: str) -> None:
    async with serving(FreshContext(app), http=http) as port:
        assert await pipelined(port) == ["nobody", "nobody", "nobody"]


@pytest.mark.parametrize("http", ["httptools", "h11"])
async def test_without_the_middleware_it_would(http: str) -> None:
    """If this fails the server has mended it; the middleware still stands for other servers."""
    async with serving(app, http=http) as port:
        assert await pipelined(port) != ["nobody", "nobody", "nobody"]


async def test_an_error_and_a_cancellation_pass_through() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        await FreshContext(broken)({"type": "http"}, _never, _nowhere)

    ended = asyncio.Event()

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    task = asyncio.create_task(_called(FreshContext(endless)))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


async def test_start_up_keeps_the_context_of_the_server() -> None:
    seen: list[str] = []

    async def lifespan(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(tenant.get())

    token = tenant.set("server")
    try:
        await FreshContext(lifespan)({"type": "lifespan"}, _never, _nowhere)
    finally:
        tenant.reset(token)
    assert seen == ["server"]


async def _called(served: Callable[..., Any]) -> None:
    await served({"type": "http"}, _never, _nowhere)


async def _never() -> Any:
    raise AssertionError("nobody reads")


async def _nowhere(message: Any) -> None:
    raise AssertionError("nobody writes")
