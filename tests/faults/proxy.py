"""A TCP proxy that misbehaves on demand: late, unsteady, cut in the middle, or silent."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

CHUNK = 65_536


@dataclass(slots=True)
class Weather:
    """What happens to bytes on their way. May be changed while they flow.

    `latency` seconds plus up to `jitter` for each piece; `cut_after` bytes from the server the
    connection is cut, in the middle of a message if need be; `black_hole`: pieces are swallowed and
    the connections stay open; `refuse`: new connections are closed at once.
    """

    latency: float = 0.0
    jitter: float = 0.0
    cut_after: int | None = None
    black_hole: bool = False
    refuse: bool = False


class Proxy:
    """Listens on `port` of this machine and passes on to `to`."""

    def __init__(self, to: int, *, seed: int = 1) -> None:
        self.weather = Weather()
        self.port = 0
        self.cuts = 0
        self._to = to
        self._chance = random.Random(seed)
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> int:
        """Cut every connection now, with a reset; answers how many."""
        cut = len(self._open) // 2
        for writer in list(self._open):
            _reset(writer)
        return cut

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if self.weather.refuse:
            _reset(writer)
            return
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            _reset(writer)
            return
        self._open |= {writer, back}
        try:
            await asyncio.gather(self._pass(reader, back), self._pass(there, writer, answer=True))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._open -= {writer, back}
            for end in (writer, back):
                _reset(end)

    async def _pass(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, answer: bool = False
    ) -> None:
        passed = 0
        while piece := await source.read(CHUNK):
            weather = self.weather
            if weather.latency or weather.jitter:
                await asyncio.sleep(weather.latency + self._chance.random() * weather.jitter)
            if weather.black_hole:
                continue
            end = weather.cut_after
            if answer and end is not None and passed + len(piece) > end:
                sink.write(piece[: max(0, end - passed)])
                with suppress(OSError):
                    await sink.drain()
                self.cuts += 1
                raise ConnectionResetError
            passed += len(piece)
            sink.write(piece)
            await sink.drain()
        raise ConnectionResetError  # one side is done: so is the other


def _reset(writer: asyncio.StreamWriter) -> None:
    if not writer.transport.is_closing():
        writer.transport.abort()


@asynccontextmanager
async def proxy(to: int) -> AsyncIterator[Proxy]:
    """A proxy before the port `to` while the block runs."""
    made = Proxy(to)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()
