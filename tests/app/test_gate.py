"""The gate before a connection: who sends very much at once has a turn like everybody, and who does
not read is let go."""

import asyncio
import random
import socket
from typing import Any

import pytest

from loyalty_app import gate as gates
from loyalty_app import server as served
from loyalty_app.gate import SIP, Gate
from loyalty_app.server import Protocol
from tests.app.test_server import running

PIPELINED = b"GET / HTTP/1.1\r\n\r\n"
LARGE = b"x" * 8 * 1024**2  # more than sockets of both sides hold for somebody who does not read
MASKED = b"\x00\x00\x00\x00"
GREETING = (
    b"GET / HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
)


class Heard(asyncio.Protocol):
    """A protocol that keeps what it is handed, and asks for a pause after each where it is told."""

    def __init__(self, *, pauses: bool = False) -> None:
        self.sips: list[bytes] = []
        self.transport: asyncio.Transport
        self._pauses = pauses

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.sips.append(data)
        if self._pauses:
            self.transport.pause_reading()


class Wire(asyncio.Transport):
    """A transport that counts; `unread` is what the peer left of what it was sent."""

    def __init__(self) -> None:
        super().__init__()
        self.reading, self.unread, self.ended = True, 0, ""

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def write(self, data: Any) -> None:
        self.unread += len(data)

    def get_write_buffer_size(self) -> int:
        return self.unread

    def is_closing(self) -> bool:
        return bool(self.ended)

    def close(self) -> None:
        self.ended = self.ended or "closed"

    def abort(self) -> None:
        self.ended = "aborted"


def connected(*, pauses: bool = False) -> tuple[Gate, Heard, Wire]:
    inner, wire = Heard(pauses=pauses), Wire()
    gate = Gate(inner)
    gate.connection_made(wire)
    return gate, inner, wire


async def test_what_is_small_is_handed_on_at_once() -> None:
    gate, inner, wire = connected()
    for number in range(3):
        gate.data_received(b"%d" % number)
    assert (inner.sips, wire.reading) == ([b"0", b"1", b"2"], True)


async def test_what_is_large_is_handed_on_in_sips_and_others_have_their_turn() -> None:
    gate, inner, wire = connected()
    data = random.Random(1).randbytes(10 * SIP + 7)
    turns = []

    gate.data_received(data)
    while not wire.reading:
        turns.append(len(b"".join(inner.sips)))
        await asyncio.sleep(0)

    assert turns == [SIP * n for n in range(11)]
    assert b"".join(inner.sips) == data


async def test_while_the_protocol_wants_a_pause_it_is_handed_nothing() -> None:
    gate, inner, wire = connected(pauses=True)
    data = random.Random(2).randbytes(3 * SIP)

    gate.data_received(data[:9])
    gate.data_received(data[9:])
    for number in (1, 2, 3, 4):
        for _ in range(5):
            await asyncio.sleep(0)
        assert (len(inner.sips), wire.reading) == (number, False)
        inner.transport.resume_reading()
    await asyncio.sleep(0)

    assert b"".join(inner.sips) == data
    assert wire.reading


class Slow(Wire):
    """Its peer reads what it must each time that somebody looks, three times in all."""

    def __init__(self) -> None:
        super().__init__()
        self.unread, self.looks = 100_000, 0

    def get_write_buffer_size(self) -> int:
        self.looks += 1
        return self.unread - min(self.looks, 4) * gates.UNREAD_LEAST


async def test_who_does_not_read_is_heard_no_further_and_let_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gates, "UNREAD_SECONDS", 0.001)
    inner, wire = Heard(), Slow()
    gate = Gate(inner)
    gate.connection_made(wire)

    gate.pause_writing()
    gate.data_received(b"more")
    async with asyncio.timeout(10):
        while not wire.ended:
            await asyncio.sleep(0.001)

    assert (inner.sips, wire.reading, wire.ended) == ([], False, "aborted")
    assert wire.looks == 6  # it was let go at the third, which it had read nothing for


async def test_who_reads_again_is_heard_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "UNREAD_SECONDS", 0.01)
    gate, inner, wire = connected()

    wire.unread = 100_000
    gate.pause_writing()
    gate.data_received(b"more")
    wire.unread = 0
    gate.resume_writing()
    await asyncio.sleep(0.05)

    assert (inner.sips, wire.reading, wire.ended) == ([b"more"], True, "")


@pytest.mark.parametrize(("unread", "ended"), [(0, "closed"), (100, "aborted")])
async def test_a_connection_that_is_closed_does_not_wait_for_ever(
    unread: int, ended: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gates, "UNREAD_SECONDS", 0.01)
    _, inner, wire = connected()
    wire.unread = unread

    inner.transport.close()
    await asyncio.sleep(0.05)

    assert wire.ended == ended


async def test_a_protocol_that_fails_ends_its_connection() -> None:
    gate, inner, wire = connected()
    said: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: said.append(told))
    inner.data_received = lambda data: 1 / 0  # type: ignore[assignment, method-assign]

    gate.data_received(b"x" * (SIP + 1))
    await asyncio.sleep(0.001)

    assert wire.ended == "aborted"
    assert isinstance(said[0]["exception"], ZeroDivisionError)


async def test_pipelined_requests_are_taken_apart_when_it_is_their_turn() -> None:
    waiting = []
    async with running(asyncio.Event()) as (made, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(PIPELINED * 5_000)
        for _ in range(5_000):
            await reader.readuntil(b"here\r\n0\r\n\r\n")
            [protocol] = made.server_state.connections
            assert isinstance(protocol, Protocol)
            waiting.append(len(protocol.pipeline))
        writer.close()
    assert max(waiting) <= 2 * SIP / len(PIPELINED)


@pytest.mark.parametrize("asked", [PIPELINED, GREETING], ids=["answer", "socket"])
async def test_who_reads_nothing_of_what_it_asked_for_is_let_go(
    asked: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gates, "UNREAD_SECONDS", 0.2)
    monkeypatch.setattr(served, "PING_SECONDS", 0.2)
    async with running(asyncio.Event(), large) as (made, port):
        with socket.create_connection(("127.0.0.1", port)) as silent:
            silent.sendall(asked)
            while not made.server_state.connections:
                await asyncio.sleep(0.01)
            async with asyncio.timeout(10):
                while made.server_state.connections:
                    await asyncio.sleep(0.01)


async def test_pings_of_who_reads_no_pong_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "UNREAD_SECONDS", 0.2)
    async with running(asyncio.Event(), silent_socket) as (made, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1_024)
        writer.write(GREETING)
        await reader.readuntil(b"\r\n\r\n")
        with pytest.raises(ConnectionError):
            await _ping_on(writer)
        writer.close()
        while made.server_state.connections:
            await asyncio.sleep(0.01)


GOODBYE = b"\x88\x82" + MASKED + b"\x03\xe8"


@pytest.mark.parametrize(
    ("pieces", "then", "heard"),
    [
        (1_000, b"\x80\x80" + MASKED + GOODBYE, b"\x88\x02\x03\xe8"),
        (1_001, b"", b"\x88\x11\x03\xf1too many"),
    ],
    ids=["many", "too many"],
)
async def test_a_message_comes_in_so_many_pieces(pieces: int, then: bytes, heard: bytes) -> None:
    """Who sends as many says goodbye (1000); more is too much (1009)."""
    async with running(asyncio.Event(), silent_socket) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(GREETING)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"\x01\x80" + MASKED + (b"\x00\x80" + MASKED) * (pieces - 1) + then)
        assert (await asyncio.wait_for(reader.readexactly(len(heard)), 10)) == heard
        writer.close()


async def test_a_peer_that_is_gone_without_a_word_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(served, "PING_SECONDS", 0.05)
    async with running(asyncio.Event(), silent_socket) as (made, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(GREETING)
        await reader.readuntil(b"\r\n\r\n")
        async with asyncio.timeout(10):
            while made.server_state.connections:  # it answers no ping
                await asyncio.sleep(0.01)
        writer.close()


async def _ping_on(writer: asyncio.StreamWriter) -> None:
    for _ in range(200):
        writer.write((b"\x89\xfd" + MASKED + b"p" * 125) * 2_000)
        await asyncio.wait_for(writer.drain(), 10)


async def large(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": LARGE})
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        for start in range(0, len(LARGE), 100_000):
            await send({"type": "websocket.send", "bytes": LARGE[start : start + 100_000]})


async def silent_socket(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] != "websocket.disconnect":
        pass
