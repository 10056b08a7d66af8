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

    `latency` seconds plus up to `jitter` for each piece; `black_hole`: pieces are swallowed and the
    connections stay open; `refuse`: new connections are closed at once. What holds `cut_answer_to`
    reaches the server, and with this `chance` the connection is cut somewhere in its answer.
    """

    latency: float = 0.0
    jitter: float = 0.0
    black_hole: bool = False
    refuse: bool = False
    cut_answer_to: bytes | None = None
    chance: float = 1.0


class Proxy:
    """Listens on `port` of this machine and passes on to `to`."""

    def __init__(self, to: int, *, seed: int = 1) -> None:
        self.weather = Weather()
        self.port = 0
        self.cuts = 0
        self.accepted = 0  # connections so far
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
        self.accepted += 1
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
            doomed = asyncio.Event()
            await asyncio.gather(
                self._ask(reader, back, doomed), self._answer(there, writer, doomed)
            )
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._open -= {writer, back}
            for end in (writer, back):
                _reset(end)

    async def _ask(
        self, client: asyncio.StreamReader, server: asyncio.StreamWriter, doomed: asyncio.Event
    ) -> None:
        while piece := await self._next(client):
            wanted = self.weather.cut_answer_to
            if wanted and wanted in piece and self._chance.random() < self.weather.chance:
                doomed.set()
            server.write(piece)
            await server.drain()
        raise ConnectionResetError  # one side is done: so is the other

    async def _answer(
        self, server: asyncio.StreamReader, client: asyncio.StreamWriter, doomed: asyncio.Event
    ) -> None:
        while piece := await self._next(server):
            if doomed.is_set():
                client.write(piece[: self._chance.randrange(len(piece))])
                with suppress(OSError):
                    await client.drain()
                self.cuts += 1
                raise ConnectionResetError
            client.write(piece)
            await client.drain()
        raise ConnectionResetError

    async def _next(self, source: asyncio.StreamReader) -> bytes:
        """The next piece that gets through, when it does; empty at the end."""
        while piece := await source.read(CHUNK):
            weather = self.weather
            if weather.latency or weather.jitter:
                await asyncio.sleep(weather.latency + self._chance.random() * weather.jitter)
            if not weather.black_hole:
                return piece
        return b""


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
