"""The database's pulse: whether a server that keeps its connections open still answers.

A frozen server closes nothing, so each call would wait until its own limit. While a connection is
in use for long, another one asks for a sign of life. Where none comes, those in use are ended:
whoever waits is told so then, and nobody begins anything until there is a sign again.

The one that asks is kept open: opening one takes many round trips, and a database that is merely
far away would be taken for silent. It is asked now and then without need, so that a way between
that forgets idle connections is found out before it matters.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import asyncpg

LONG_SECONDS = 0.5  # in use; shorter than that is what calls take
EVERY_SECONDS = 0.25
PATIENCE_SECONDS = 1.0
OPENING_SECONDS = 3.0  # where a connection must be opened first
IDLE_SECONDS = 15.0
LATE_SECONDS = 0.25  # a loop that comes round later than that cannot tell who was silent
log = logging.getLogger(__name__)


class Pulse:
    """`connect` opens a connection of its own. `since`: for how many seconds the longest user has
    had its connection, 0 where nobody has one. `silent` ends those."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[Any]],
        since: Callable[[], float],
        silent: Callable[[], None],
    ) -> None:
        self.beats = True
        self._connect = connect
        self._since = since
        self._silent = silent
        self._connection: Any = None
        self._asked = asyncio.get_running_loop().time()
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._end()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            needed = self._since() >= LONG_SECONDS or not self.beats
            if needed or loop.time() - self._asked >= IDLE_SECONDS:
                beat = await self._beat()
                if beat is False:
                    self._end()
                self._asked = loop.time()
                if needed:
                    self._tell(beat)

    def _tell(self, beat: bool | None) -> None:
        if beat is False:
            if self.beats:
                log.error("the database gives no sign of life")
            self._silent()
        self.beats = self.beats if beat is None else beat

    async def _beat(self) -> bool | None:
        """Whether it answers. One that is gone says so by itself; None: nobody can tell."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        patience = PATIENCE_SECONDS if self._connection is not None else OPENING_SECONDS
        try:
            async with asyncio.timeout(patience):
                if self._connection is None:
                    self._connection = await self._connect()
                await self._connection.execute("select 1")
        except TimeoutError:
            return None if loop.time() - begun > patience + LATE_SECONDS else False
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            self._end()
        return True

    def _end(self) -> None:
        if self._connection is not None:
            with suppress(asyncpg.InterfaceError):
                self._connection.terminate()
            self._connection = None
