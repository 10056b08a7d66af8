"""One life of the connection that listens: it ends, and is begun anew, at the first trouble."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from redis.asyncio.client import PubSub
from redis.exceptions import ConnectionError as RedisConnectionError

from loyalty.cache.connection import CONNECT_SECONDS

PING_SECONDS = 5.0
SILENCE_SECONDS = 15.0  # Pings are answered in between: whoever is silent for so long is gone.
NAMES_PER_COMMAND = 500


class Listening:
    """What one connection is subscribed to, as the server has acknowledged it.

    One task writes and one reads, so no command waits for a message. `is_wanted(name)` says whether
    anybody listens to a channel now; `touch(names)` says that this may have changed.
    """

    def __init__(
        self,
        pubsub: PubSub,
        *,
        is_wanted: Callable[[str], bool],
        on_live: Callable[[str], None],
        on_message: Callable[[str, bytes], None],
    ) -> None:
        self.live: set[str] = set()
        self.answered = False
        self._pubsub = pubsub
        self._is_wanted = is_wanted
        self._on_live = on_live
        self._on_message = on_message
        self._asked: set[str] = set()
        self._unacknowledged: Counter[str] = Counter()
        self._touched: set[str] = set()
        self._wake = asyncio.Event()

    def touch(self, names: Iterable[str]) -> None:
        self._touched.update(names)
        self._wake.set()

    async def run(self) -> None:
        """Runs until the connection breaks; raises what broke it, in an exception group."""
        async with asyncio.timeout(CONNECT_SECONDS):
            await self._pubsub.ping()  # connects
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._write())
            tasks.create_task(self._read())

    async def _write(self) -> None:
        while True:
            try:
                async with asyncio.timeout(PING_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                await self._pubsub.ping()
                continue
            self._wake.clear()
            touched, self._touched = self._touched, set()
            await self._send(touched)

    async def _send(self, touched: set[str]) -> None:
        join = [name for name in touched if self._is_wanted(name) and name not in self._asked]
        leave = [name for name in touched if not self._is_wanted(name) and name in self._asked]
        self._asked.update(join)
        self._asked.difference_update(leave)
        self.live.difference_update(leave)
        self._unacknowledged.update(join)
        for names in _parts(leave):
            await self._pubsub.unsubscribe(*names)
        for names in _parts(join):
            await self._pubsub.subscribe(*names)

    async def _read(self) -> None:
        while True:
            message = await self._pubsub.get_message(timeout=SILENCE_SECONDS)
            if message is None:
                raise RedisConnectionError("nothing was heard, not even an answer to a ping")
            self.answered = True
            self._take(message)

    def _take(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "message":
                self._on_message(message["channel"].decode(), message["data"])
            case "subscribe":
                self._acknowledge(message["channel"].decode())

    def _acknowledge(self, name: str) -> None:
        # Left and joined again at once, a channel has two answers to come: the last one counts.
        self._unacknowledged[name] -= 1
        if self._unacknowledged[name] <= 0:
            del self._unacknowledged[name]
            if name in self._asked:
                self.live.add(name)
                self._on_live(name)


def _parts(names: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(names), NAMES_PER_COMMAND):
        yield names[start : start + NAMES_PER_COMMAND]
