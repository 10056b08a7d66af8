"""A load client in a process of its own: keep-alive connections, each with one request in flight.

Run as `python -m benchmarks.client`; takes a `Load` as JSON on standard input and answers with a
`Measured` as JSON. An answer that is not 200, or lacks what it must have, ends the run. SIGTERM
ends the measured time early.
"""

import asyncio
import itertools
import re
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from statistics import quantiles
from typing import cast

import orjson
import uvloop

from benchmarks import goods


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What to send: `body`, in which `times` items stand at its place for them. Every item gets a
    number of its own and the member of that number. The answer must have `must_have` as often, or
    `count` times.

    With a `pace` (requests a second, over all connections) a request is sent when it is due and not
    when the one before it was answered, and its latency counts from then.
    """

    port: int
    path: str
    body: str
    item: str
    times: int = 1
    must_have: str
    count: int = 0
    authorization: str = ""
    connections: int
    seconds: float
    pace: float = 0.0
    first: int = 0
    members: int = goods.MEMBERS  # how many of them take part


@dataclass(slots=True)
class Measured:
    """Requests answered within the measured time, and their latencies in ms."""

    requests: int = 0
    seconds: float = 0.0
    all_requests: int = 0  # with those before the measured time
    next: int = 0  # the number to go on with
    p50: float = 0.0
    p95: float = 0.0
    p99: float = 0.0
    latencies: list[float] = field(default_factory=list)


WARM_SECONDS = 0.5


class Caller(asyncio.Protocol):
    """One connection: sends a request, reads the answer, sends the next."""

    def __init__(self, load: Load, bodies: Iterator[bytes], measured: Measured) -> None:
        self._load, self._bodies, self._measured = load, bodies, measured
        self._head = (
            f"POST {load.path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
            + (f"authorization: Bearer {load.authorization}\r\n" if load.authorization else "")
        ).encode()
        self._must_have = load.must_have.encode()
        self._count = load.count or load.times
        self._step = load.connections / load.pace if load.pace else 0.0
        self._answer = bytearray()
        self.begin = self.until = self._due = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def send(self) -> None:
        body = next(self._bodies)
        self._due = self._due + self._step if self._step and self._due else time.monotonic()
        self._transport.write(b"%scontent-length: %d\r\n\r\n%s" % (self._head, len(body), body))

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, found, body = self._answer.partition(b"\r\n\r\n")
        if not found:
            return
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        if length is None or len(body) < int(length[1]):
            return
        self._check(head, body)
        self._answer.clear()
        self._note()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the server hung up"))

    def _check(self, head: bytearray, body: bytearray) -> None:
        good = head.startswith(b"HTTP/1.1 200") and b'"errors"' not in body
        if not good or body.count(self._must_have) != self._count:
            self.done.set_exception(RuntimeError(f"answered {bytes(head + body)[:2000]!r}"))

    def _note(self) -> None:
        now = time.monotonic()
        self._measured.all_requests += 1
        if self.begin <= now < self.until:
            self._measured.requests += 1
            self._measured.latencies.append(1000 * (now - self._due))
        if not self._step:
            self._go_on()
        else:
            pause = max(0.0, self._due + self._step - now)
            asyncio.get_running_loop().call_later(pause, self._go_on)

    def _go_on(self) -> None:
        if self.done.done():
            return
        if time.monotonic() < self.until:
            self.send()
        else:
            self.done.set_result(None)


def bodies(load: Load, measured: Measured) -> Iterator[bytes]:
    """Bodies, each with the next purchases in it."""
    head, _, tail = load.body.encode().partition(goods.ITEMS.encode())
    item = load.item.encode()
    for first in itertools.count(load.first, load.times):
        measured.next = first + load.times
        items = (_filled(item, n, n % load.members) for n in range(first, measured.next))
        yield head + b",".join(items) + tail


def _filled(item: bytes, number: int, member: int) -> bytes:
    key, name = b"b%08d" % number, goods.member(member).encode()
    return item.replace(goods.NUMBER.encode(), key).replace(goods.MEMBER.encode(), name)


async def run(load: Load) -> Measured:
    measured = Measured()
    loop = asyncio.get_running_loop()
    filled = bodies(load, measured)
    callers: list[Caller] = []
    for _ in range(load.connections):
        _, caller = await loop.create_connection(
            lambda: Caller(load, filled, measured), "127.0.0.1", load.port
        )
        callers.append(caller)
    begin = time.monotonic() + WARM_SECONDS
    loop.add_signal_handler(signal.SIGTERM, _end, callers)
    for caller in callers:  # one after the other: a server opens its connections when first asked
        caller.begin, caller.until = begin, begin + load.seconds
        caller.send()
        await asyncio.sleep(WARM_SECONDS / (2 * load.connections))
    await asyncio.gather(*(caller.done for caller in callers))
    cuts = quantiles(measured.latencies, n=100) if len(measured.latencies) > 1 else [0.0] * 99
    measured.p50, measured.p95, measured.p99 = cuts[49], cuts[94], cuts[98]
    measured.seconds = callers[0].until - begin
    measured.latencies = []
    return measured


def _end(callers: Sequence[Caller]) -> None:
    for caller in callers:
        caller.until = min(caller.until, time.monotonic())


def main() -> None:
    load = Load(**orjson.loads(sys.stdin.buffer.read()))
    sys.stdout.buffer.write(orjson.dumps(asdict(uvloop.run(run(load)))))


if __name__ == "__main__":
    main()
