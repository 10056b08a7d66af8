"""The HTTP server: patient with nobody, and its end is told beforehand."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import pytest

from loyalty.database import Database
from loyalty_app import server as served
from loyalty_app.logins import Addresses
from loyalty_app.readiness import Readiness
from loyalty_app.server import Protocol, Server, server


async def echo(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"here"})


@asynccontextmanager
async def running(leaving: asyncio.Event, app: Any = echo) -> AsyncIterator[tuple[Server, int]]:
    listener = socket.create_server(("127.0.0.1", 0))
    made = server(app, leaving, lifespan="off")
    task = asyncio.create_task(made.serve(sockets=[listener]))
    while not made.started:
        await asyncio.sleep(0.01)
    yield made, listener.getsockname()[1]
    made.should_exit = True
    await task


@pytest.mark.parametrize("sent", [b"", b"GET / HTT", b"GET / HTTP/1.1\r\nhost: x\r\nx-slow: "])
async def test_a_head_that_does_not_come_ends_the_connection(
    sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Protocol, "head_seconds", 0.1)
    monkeypatch.setattr(served, "NOTICE_SECONDS", 0.0)
    async with running(asyncio.Event()) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        with suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), 10) == b""
        writer.close()


async def test_connections_that_are_kept_are_served_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Protocol, "head_seconds", 0.2)
    monkeypatch.setattr(served, "NOTICE_SECONDS", 0.0)
    async with running(asyncio.Event()) as (_, port), httpx.AsyncClient(trust_env=False) as http:
        for _ in range(3):
            assert (await http.get(f"http://127.0.0.1:{port}/")).text == "here"
            await asyncio.sleep(0.15)


async def test_an_idle_connection_is_kept_while_there_is_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Longer than who keeps it at the other end: else they send into one that is being closed."""
    monkeypatch.setattr(served, "NOTICE_SECONDS", 0.0)
    monkeypatch.setattr(served, "CROWD", 1)
    monkeypatch.setattr(served, "IDLE_SECONDS_CROWDED", 0.1)
    async with running(asyncio.Event()) as (_, port):
        reader, writer = await _asked(port)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.5)
        more, other = await _asked(port)
        assert await asyncio.wait_for(more.read(), 10) == b""
        for one in (writer, other):
            one.close()


async def _asked(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection after its first answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
    assert (await asyncio.wait_for(reader.readuntil(b"here\r\n0\r\n\r\n"), 10)).startswith(b"HTTP")
    return reader, writer


async def test_the_end_is_told_before_the_door_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    leaving = asyncio.Event()
    monkeypatch.setattr(served, "NOTICE_SECONDS", 0.5)
    async with running(leaving) as (made, port), httpx.AsyncClient(trust_env=False) as http:
        made.should_exit = True
        await asyncio.wait_for(leaving.wait(), 10)
        assert (await http.get(f"http://127.0.0.1:{port}/")).text == "here"


async def test_a_process_is_ready_while_its_database_answers(dsn: Addresses) -> None:
    now, leaving = [0.0], asyncio.Event()
    database = await Database.open(dsn.app, size=1)
    readiness = Readiness(database, leaving, monotonic=lambda: now[0])
    first = await readiness.reason_against()
    await database.close()
    kept = await readiness.reason_against()
    now[0] = 1.0
    later = await readiness.reason_against()
    leaving.set()

    assert (first, kept, later) == ("", "", "the database does not answer")
    assert await readiness.reason_against() == "this process is about to end"


async def test_who_is_one_too_many_is_told_when_to_come_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(served, "IN_FLIGHT_MAX", 3)
    async with running(asyncio.Event()) as (made, port), httpx.AsyncClient(trust_env=False) as http:
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        while len(made.server_state.connections) < 3:
            await asyncio.sleep(0.01)
        refused = await http.get(f"http://127.0.0.1:{port}/")
        for _, writer in silent:
            writer.close()
        while len(made.server_state.connections) > 1:
            await asyncio.sleep(0.01)
        taken = await http.get(f"http://127.0.0.1:{port}/")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert refused.json()["errors"][0]["extensions"] == {"code": "OVERLOADED", "retryAfter": 1}
    assert taken.text == "here"
