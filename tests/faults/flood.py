"""A flood in a process of its own: requests at a rate, whether or not the others were answered.

Run as `python -m tests.faults.flood`; takes a `Flood` as JSON on standard input, sends until that
is closed, and answers with the counts of what came back, by status and code. It knows nothing of
GraphQL: it sends bytes and looks for a code in what comes back, so that it needs little of the
machine itself.
"""

import asyncio
import re
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any, cast

import orjson

NUMBER = "{number}"
CONNECTIONS_MAX = 700
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_CODE = re.compile(rb'"code":"([A-Z_]+)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Flood:
    """`bodies` are sent in turn; every NUMBER in them is a number of their own."""

    authorization: str
    bodies: Sequence[str]
    rate: float
    port: int = 0
    first: int = 0  # of the numbers


class Line(asyncio.Protocol):
    """One connection, with one request under way."""

    def __init__(self, idle: list["Line"], came: Counter[str]) -> None:
        self._idle, self._came = idle, came
        self._answer = bytearray()
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, found, body = self._answer.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not found or length is None or len(body) < int(length[1]):
            return
        code = _CODE.search(body)
        self._came[" ".join([head[9:12].decode(), *([code[1].decode()] if code else [])])] += 1
        self._answer.clear()
        self._idle.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._came["hung up"] += 1
        if self in self._idle:
            self._idle.remove(self)


class Sender:
    def __init__(self, flood: Flood) -> None:
        self.flood = flood
        self.came: Counter[str] = Counter()
        self._idle: list[Line] = []
        self._open = 0
        self._opening: set[asyncio.Task[None]] = set()

    async def run(self, until: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        due, number = loop.time(), 0
        while not until.is_set():
            self._send(number)
            number += 1
            due += 1 / self.flood.rate
            await asyncio.sleep(max(0.0, due - loop.time()))

    def _send(self, number: int) -> None:
        body = self.flood.bodies[number % len(self.flood.bodies)]
        raw = body.replace(NUMBER, f"{self.flood.first + number:08d}").encode()
        if self._idle:
            self._idle.pop().transport.write(self._head(raw) + raw)
        elif self._open < CONNECTIONS_MAX:
            self._open += 1
            task = asyncio.create_task(self._first(raw))
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)
        else:
            self.came["not sent"] += 1

    async def _first(self, raw: bytes) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, line = await loop.create_connection(
                lambda: Line(self._idle, self.came), "127.0.0.1", self.flood.port
            )
        except OSError:
            self._open -= 1
            self.came["no connection"] += 1
        else:
            line.transport.write(self._head(raw) + raw)

    def _head(self, raw: bytes) -> bytes:
        return (
            "POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
            f"authorization: Bearer {self.flood.authorization}\r\n"
            f"content-length: {len(raw)}\r\n\r\n"
        ).encode()


@asynccontextmanager
async def flooding(flood: Flood) -> AsyncIterator[Counter[str]]:
    """The flood runs while the block does; what came back is told when it is over."""
    command = [sys.executable, "-m", "tests.faults.flood"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    came: Counter[str] = Counter()
    process.stdin.write(orjson.dumps(asdict(flood)) + b"\n")
    process.stdin.flush()
    try:
        yield came
        told, _ = await asyncio.to_thread(process.communicate, None, 30)
        came.update(orjson.loads(told))
    finally:
        process.kill()
        process.wait()


async def _main(flood: Flood) -> Counter[str]:
    sender, ended = Sender(flood), asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), ended.set)
    await sender.run(ended)
    return sender.came


def main() -> None:
    told: dict[str, Any] = orjson.loads(sys.stdin.buffer.readline())
    sys.stdout.buffer.write(orjson.dumps(asyncio.run(_main(Flood(**told)))))


if __name__ == "__main__":
    main()
