"""Clients that send or read a byte at a time, and floods of sockets: others are served as ever."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from statistics import median
from typing import Any

import orjson
import pytest
from websockets.exceptions import ConnectionClosed

from tests.faults import report
from tests.faults.api import Api
from tests.faults.brand import Brand
from tests.faults.caller import DOCUMENTS
from tests.faults.conftest import Loading, SizeOf
from tests.faults.journal import Kind
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
    head, body = max(took[0::3]), max(took[1::3])
    served(load.journal)
    report.within(HEAD_SECONDS, head, "a request head that does not end")
    report.within(BODY_SECONDS, body, "a body that does not end")
    report.within(2 * max(quiet, 0.02), during, "an ordinary call beside slow clients")
    assert grown < report.NOISE * MEMORY_BYTES
    report.note(
        report.Row(
            place=110,
            what="clients send and read a byte at a time",
            tried=f"{count} connections: a third dawdle in the head, in the body, in reading",
            held=(
                f"cut after {HEAD_SECONDS:g} s (head) and {BODY_SECONDS:g} s (body); other calls "
                f"take at most twice their time; {MEMORY_BYTES >> 20} MB of memory at most"
            ),
            measured=(
                f"cut after {head:.1f} s and {body:.1f} s; median call {1000 * during:.0f} ms, "
                f"before {1000 * quiet:.0f} ms; {grown / 2**20:+.0f} MB; {verdict}"
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
        await asyncio.sleep(1.0)
        grown = api.memory - before
        verdict = await judge(platform.settings, load)
    served(load.journal)
    report.within(INIT_SECONDS, max(took), "a socket that says nothing")
    assert refused == 1
    assert grown < report.NOISE * MEMORY_BYTES
    report.note(
        report.Row(
            place=111,
            what="a flood of sockets",
            tried=(
                f"{silent} that say nothing, one with {SUBSCRIPTIONS + 1} subscriptions, one with "
                f"{messages:,} messages at once"
            ),
            held=(
                f"closed with 4408 after {INIT_SECONDS:g} s, the {SUBSCRIPTIONS + 1}st "
                "subscription refused, other calls served"
            ),
            measured=f"closed after {max(took):.1f} s; {grown / 2**20:+.0f} MB; {verdict}",
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
    """Asks properly and reads the answer a byte a second, for as long as it is let."""
    asked = {
        "query": DOCUMENTS[Kind.BALANCE],
        "variables": {"by": {"externalId": brand.members[0]}},
    }
    body = orjson.dumps(asked)
    async with _connection(api) as (reader, writer):
        writer.write(_head(brand, len(body)) + body)
        for _ in range(8):
            await reader.read(1)
            await asyncio.sleep(1.0)
    return 0.0


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
