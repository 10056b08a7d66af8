"""Clients that send or read a byte at a time, and floods of sockets and of what is tiny: others are
served as ever."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from statistics import median
from typing import Any

import orjson
import pytest
from websockets.exceptions import ConnectionClosed

from loyalty_app.gate import UNREAD_SECONDS
from tests.faults import report
from tests.faults.api import Api
from tests.faults.brand import Brand
from tests.faults.conftest import Loading, SizeOf
from tests.faults.load import Load
from tests.faults.sizes import CLEAN_SECONDS
from tests.faults.stand import Stand
from tests.faults.verdict import judge, served
from tests.faults.watcher import code_of, greet, opened, text, watch

HEAD_SECONDS = 10.0
BODY_SECONDS = 10.0
INIT_SECONDS = 5.0
MEMORY_BYTES = 64 * 1024 * 1024
SUBSCRIPTIONS = 50
PAGES = b"GET /schema.graphql HTTP/1.1\r\nhost: x\r\n\r\n" * 20  # four megabytes
TINY_SECONDS = 1.0
HELD_UP_SECONDS = 0.5  # the slowest call of somebody else
GREETING = (
    b"GET /graphql HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-protocol: graphql-transport-ws\r\n"
    b"sec-websocket-key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
)
TINY = {  # how each begins, and what then comes without end: a quarter of a megabyte at a time
    "requests": (b"", b"GET /healthz HTTP/1.1\r\n\r\n" * 10_000),
    "pings": (GREETING, b"\x89\x80\x00\x00\x00\x00" * 40_000),
    "messages": (GREETING, b"\x81\x82\x00\x00\x00\x00{}" * 30_000),
}
Dawdle = Callable[[Api, Brand], Coroutine[Any, Any, float]]


async def test_clients_send_and_read_slowly(
    platform: Stand, brand: Brand, put_load: Loading, size: SizeOf
) -> None:
    count = size("slow clients")
    [api] = await platform.apis(1)
    async with put_load(brand, [api], rate=20) as load:
        await asyncio.sleep(size(CLEAN_SECONDS) + 1)
        quiet, before = _median(load, 0.0), api.memory
        begun = load.now
        kinds = (_slow_head, _slow_body, _slow_reader)
        cuts = [asyncio.create_task(kinds[n % 3](api, brand)) for n in range(count)]
        took = await asyncio.gather(*cuts)
        during, grown = _median(load, begun), api.memory - before
        verdict = await judge(platform.settings, load)
    head, body, unread = max(took[0::3]), max(took[1::3]), max(took[2::3])
    served(load.journal)
    report.within(HEAD_SECONDS, head, "a request head that does not end")
    report.within(BODY_SECONDS, body, "a body that does not end")
    report.within(UNREAD_SECONDS, unread, "an answer that is not read")
    report.within(2 * max(quiet, 0.02), during, "an ordinary call beside slow clients")
    assert grown < report.NOISE * MEMORY_BYTES
    report.note(
        report.Row(
            place=110,
            what="clients send and read a byte at a time",
            tried=f"{count} connections: a third dawdle in the head, in the body, in reading",
            held=(
                f"cut after {HEAD_SECONDS:g} s (head), {BODY_SECONDS:g} s (body) and "
                f"{UNREAD_SECONDS:g} s (reading); other calls take at most twice their time; "
                f"{MEMORY_BYTES >> 20} MB of memory at most"
            ),
            measured=(
                f"cut after {head:.1f}, {body:.1f} and {unread:.1f} s; median call "
                f"{1000 * during:.0f} ms, before {1000 * quiet:.0f} ms; {grown / 2**20:+.0f} MB; "
                f"{verdict}"
            ),
        )
    )


async def test_sockets_by_the_hundred(
    platform: Stand, brand: Brand, put_load: Loading, size: SizeOf
) -> None:
    silent, messages = size("sockets without a word"), size("messages on one socket")
    [api] = await platform.apis(1)
    async with put_load(brand, [api], rate=20) as load:
        await asyncio.sleep(size(CLEAN_SECONDS))
        before = api.memory
        took = await asyncio.gather(*(_say_nothing(api) for _ in range(silent)))
        refused = await _too_many_subscriptions(api, brand)
        await _flood(api, brand, messages)
        begun = load.now
        for hello, tiny in TINY.values():
            await _pour(api, hello, tiny)
        await asyncio.sleep(1.0)
        slowest, grown = load.journal.slowest(since=begun), api.memory - before
        verdict = await judge(platform.settings, load)
    served(load.journal)
    report.within(INIT_SECONDS, max(took), "a socket that says nothing")
    report.within(HELD_UP_SECONDS, slowest, "a call beside a flood of tiny requests or frames")
    assert refused == 1
    assert grown < report.NOISE * MEMORY_BYTES
    report.note(
        report.Row(
            place=111,
            what="a flood of sockets, and of what is tiny",
            tried=(
                f"{silent} that say nothing, one with {SUBSCRIPTIONS + 1} subscriptions, one with "
                f"{messages:,} messages at once; strangers that send {', '.join(TINY)} without end"
            ),
            held=(
                f"closed with 4408 after {INIT_SECONDS:g} s, the {SUBSCRIPTIONS + 1}st "
                f"subscription refused, other calls served, within {HELD_UP_SECONDS:g} s beside "
                "what is tiny"
            ),
            measured=(
                f"closed after {max(took):.1f} s; slowest call beside what is tiny "
                f"{1000 * slowest:.0f} ms; {grown / 2**20:+.0f} MB; {verdict}"
            ),
        )
    )


@asynccontextmanager
async def _connection(
    api: Api,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port, limit=1024)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def _slow_head(api: Api, brand: Brand) -> float:
    begun = time.monotonic()
    async with _connection(api) as (reader, writer):
        writer.write(b"POST /graphql HTTP/1.1\r\nx-slow: ")
        await _drip(reader, writer)
    return time.monotonic() - begun


async def _slow_body(api: Api, brand: Brand) -> float:
    begun = time.monotonic()
    async with _connection(api) as (reader, writer):
        writer.write(_head(brand, 1_000))
        await _drip(reader, writer)
    return time.monotonic() - begun


async def _slow_reader(api: Api, brand: Brand) -> float:
    """Asks properly, for much, and reads a byte a second of it."""
    begun, loop = time.monotonic(), asyncio.get_running_loop()
    with socket.socket() as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        peer.setblocking(False)
        await loop.sock_connect(peer, ("127.0.0.1", api.port))
        await loop.sock_sendall(peer, PAGES)
        # What came before the cut could be read after it: the socket knows.
        while not peer.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            assert time.monotonic() - begun < 4 * UNREAD_SECONDS, "never cut"
            await loop.sock_recv(peer, 1)
            await asyncio.sleep(1.0)
    return time.monotonic() - begun


async def _pour(api: Api, hello: bytes, tiny: bytes) -> None:
    """As fast as it is taken, for a while or until it is cut."""
    async with _connection(api) as (reader, writer):
        if hello:
            writer.write(hello)
            await reader.readuntil(b"\r\n\r\n")
        try:
            async with asyncio.timeout(TINY_SECONDS):
                while True:
                    writer.write(tiny)
                    await writer.drain()
        except (TimeoutError, ConnectionError):
            pass


async def _drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A byte a second until the other side has had enough."""
    ended = asyncio.create_task(reader.read(1))
    try:
        while not ended.done():
            writer.write(b"x")
            await asyncio.wait([ended], timeout=1.0)
    except OSError:
        pass
    await asyncio.gather(ended, return_exceptions=True)


def _head(brand: Brand, length: int) -> bytes:
    return (
        "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        f"authorization: Bearer {brand.api_key}\r\ncontent-length: {length}\r\n\r\n"
    ).encode()


async def _say_nothing(api: Api) -> float:
    """Seconds until it was shown out."""
    begun = time.monotonic()
    socket = await opened(api, open_timeout=60.0)
    with pytest.raises(ConnectionClosed) as raised:
        await socket.recv()
    assert code_of(raised.value) == 4408
    return time.monotonic() - begun


async def _too_many_subscriptions(api: Api, brand: Brand) -> int:
    """How many of them were refused."""
    socket = await opened(api)
    await greet(socket, brand)
    for number in range(SUBSCRIPTIONS + 1):
        await watch(socket, brand.members[0], str(number))
    refused = 0
    async with asyncio.timeout(30):
        while not refused:
            refused += orjson.loads(await socket.recv())["type"] == "error"
    await socket.close()
    return refused


async def _flood(api: Api, brand: Brand, messages: int) -> None:
    """Pings without reading a single pong: they are answered, or the socket is closed for it."""
    socket = await opened(api)
    await greet(socket, brand)
    code = None
    try:
        for _ in range(messages):
            await socket.send(text(type="ping"))
    except ConnectionClosed as closed:
        code = code_of(closed)
    await socket.close()
    assert code in (None, 4290)


def _median(load: Load, since: float) -> float:
    return median(answer.seconds for answer in load.journal.answers(since=since))
