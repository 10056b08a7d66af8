"""The database's pulse: whether a server that keeps its connections open still answers.

A frozen server closes nothing, so each call would wait until its own limit. While a connection is
in use for long, another one asks for a sign of life. Where none comes, those in use are ended:
whoever waits is told so then, and nobody begins anything until there is a sign again.

The one that asks is there before anybody needs it, and opened anew as soon as it is lost: opening
takes many round trips, so a database that is merely far away is given longer for it before it is
taken for silent. It is asked now and then without need, too: a way between that forgets idle
connections is found out before it matters.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import asyncpg

from loyalty.away import NOBODY_THERE, end, nobody_answers

LONG_SECONDS = 0.5  # in use; shorter than that is what calls take
EVERY_SECONDS = 0.25
PATIENCE_SECONDS = 1.0
OPENING_SECONDS = 3.0  # where a connection must be opened first, at most
OPENING_TIMES = 4  # as long as the last time
IDLE_SECONDS = 15.0
AGAIN_SECONDS = 1.0  # after one could not be opened, while nobody needs it
LATE_SECONDS = 0.25  # a loop that comes round later than that cannot tell who was silent
log = logging.getLogger(__name__)


class Pulse:
    """`connect` opens a connection of its own."""

    def __init__(self, connect: Callable[[], Awaitable[Any]]) -> None:
        self.beats = True
        self._connect = connect
        self._connection: Any = None
        self._opening = OPENING_SECONDS  # how long it took the last time
        self._asked = self._failed = float("-inf")
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> Any:
        """Open its connection, which is answered."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        self._connection = await self._connect()
        self._opening = loop.time() - begun
        return self._connection

    def watch(self, since: Callable[[], float], silent: Callable[[], None]) -> None:
        """Ask from now on. `since`: for how many seconds the longest user has had its connection, 0
        where nobody has one. `silent` ends those."""
        self._asked = asyncio.get_running_loop().time()
        self._task = asyncio.create_task(self._run(since, silent))

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._is_open():
            with suppress(*NOBODY_THERE, asyncpg.InterfaceError):
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await self._connection.close()
        self._end()

    async def _run(self, since: Callable[[], float], silent: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            if since() >= LONG_SECONDS or self._is_due(loop.time()):
                self._tell(await self._beat(), silent)
                self._asked = loop.time()

    def _is_due(self, now: float) -> bool:
        if not self.beats:
            return True
        if self._is_open():
            return now - self._asked >= IDLE_SECONDS
        return now - self._failed >= AGAIN_SECONDS

    def _tell(self, beat: bool | None, silent: Callable[[], None]) -> None:
        if beat is False:
            if self.beats:
                log.error("the database gives no sign of life")
            self._end()
            silent()
        self.beats = self.beats if beat is None else beat

    async def _beat(self) -> bool | None:
        """Whether it answers. One that is gone says so by itself; None: nobody can tell."""
        loop = asyncio.get_running_loop()
        begun, patience = loop.time(), self._patience()
        try:
            async with asyncio.timeout(patience):
                if not self._is_open():
                    await self.open()
                await self._connection.execute("select 1")
        except TimeoutError:
            return None if loop.time() - begun > patience + LATE_SECONDS else False
        except Exception as error:  # whatever it is, asking goes on
            if not nobody_answers(error):
                log.warning("a sign of life of the database could not be asked for: %r", error)
            self._end()
            self._failed = loop.time()
        return True

    def _patience(self) -> float:
        if self._is_open():
            return PATIENCE_SECONDS
        if not self.beats:  # nobody waits for it
            return OPENING_SECONDS
        return min(max(PATIENCE_SECONDS, OPENING_TIMES * self._opening), OPENING_SECONDS)

    def _is_open(self) -> bool:
        return self._connection is not None and not self._connection.is_closed()

    def _end(self) -> None:
        if self._connection is not None:
            end(self._connection)
            self._connection = None
