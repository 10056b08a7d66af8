"""Who reads an answer slowly and asks on meanwhile: nothing of that is late, and it is answered."""

import asyncio
import socket
from typing import Any

import pytest

from loyalty_app import server as served
from loyalty_app.server import Protocol
from tests.app.test_gate import PIPELINED, large
from tests.app.test_server import running

END = b"\r\n0\r\n\r\n"


@pytest.mark.parametrize("begun", [0, 9], ids=["whole", "half"])
async def test_a_request_is_not_late_while_an_answer_is_read(
    begun: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes while a slow peer reads is left where it is: nothing of it is overdue, and the
    connection is not idle."""
    monkeypatch.setattr(Protocol, "head_seconds", 0.2)
    monkeypatch.setattr(served, "IDLE_SECONDS", 0.2)
    async with running(asyncio.Event(), large) as (_, port):
        reader, writer = await slow_peer(port)
        writer.write(PIPELINED + PIPELINED[:begun])
        await reader.readuntil(b"\r\n\r\n")
        writer.write(PIPELINED[begun:])
        await asyncio.sleep(1.0)
        async with asyncio.timeout(20):
            assert (await ends_heard(reader, 2))[0] == 2
        writer.close()


async def test_what_was_asked_next_begins_when_the_answer_before_it_is_read() -> None:
    """Else who answers it waits for the rest of a body that nobody takes, and calls it late."""
    async with running(asyncio.Event(), patient) as (_, port):
        reader, writer = await slow_peer(port)
        writer.write(PIPELINED + b"POST / HTTP/1.1\r\ncontent-length: 10\r\n\r\nhalf,")
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"whole")
        await asyncio.sleep(1.0)
        async with asyncio.timeout(20):
            heard, last = await ends_heard(reader, 2)
        assert (heard, b"HTTP/1.1 200 OK\r\n" in last) == (2, True)
        writer.close()


async def patient(scope: Any, receive: Any, send: Any) -> None:
    """Much for who asks with nothing; who sends something has half a second for it."""
    if scope["method"] == "GET":
        return await large(scope, receive, send)
    status, more = 200, True
    try:
        async with asyncio.timeout(0.5):
            while more:
                more = (await receive())["more_body"]
    except TimeoutError:
        status = 408
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def test_a_head_has_its_time_from_when_it_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Protocol, "head_seconds", 1.0)
    async with running(asyncio.Event(), large) as (_, port):
        reader, writer = await slow_peer(port)
        writer.write(PIPELINED + PIPELINED[:9])
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(1.5)
        async with asyncio.timeout(20):
            assert (await ends_heard(reader, 2))[0] == 1  # and then it is cut
        writer.close()


async def ends_heard(reader: asyncio.StreamReader, wanted: int) -> tuple[int, bytes]:
    """How many answers came to an end, of so many or until the connection did; the last of it."""
    heard, last = 0, b""
    while heard < wanted and (piece := await reader.read(65_536)):
        heard += (last[1 - len(END) :] + piece).count(END)
        last = (last + piece)[-200:]
    return heard, last


async def slow_peer(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection that holds little of what is not read yet."""
    own = socket.socket()
    own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    own.setblocking(False)
    await asyncio.get_running_loop().sock_connect(own, ("127.0.0.1", port))
    return await asyncio.open_connection(sock=own)
