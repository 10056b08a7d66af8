"""How fast what is due is recorded: with all there is while nobody else is there, else giving way.

Lots by the million end at the turn of a month, and tills go on. Beside others a worker has one
small batch under way at a time and rests after it for as long as its rate allows, so that a core
is left to them and nobody waits long for a member's lock. Whether there are others the database
says: transactions that are not this process's.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from loyalty.database import Database

SIDE_BY_SIDE = 2  # while Postgres works on one batch, Python works on the other
PART = 100  # a batch holds its members' locks: whoever buys meanwhile waits for that long at most
PART_BESIDE = 50
RATE = 720.0  # facts a second beside others, more where each is quick: one fact ends 3.3 lots or so
REST_LEAST, REST_MOST = 0.5, 1.2  # of the time that a batch took, however slow or fast that was
REST_MAX = 1.0  # seconds
OTHERS = 20.0  # transactions a second of others; workers with nothing to do make a few each
LOOK_SECONDS = 5.0  # between two looks: counts are reported up to a second late
COUNTED = """
select (xact_commit + xact_rollback)::bigint from pg_stat_database
 where datname = current_database()
"""


class Pace:
    """Alone: as fast as it goes."""

    sides = SIDE_BY_SIDE
    part = PART

    async def look(self) -> None:
        """See whether others are there now."""

    async def rest(self, took: float, facts: int) -> None:
        """Rest after a batch of so many facts that took so many seconds."""


class GivingWay(Pace):
    """Beside others one small batch at a time, and a rest after it. Until it knows, they are there.

    `seconds` is a clock that only goes forward, in seconds.
    """

    def __init__(
        self,
        database: Database,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._sleep = sleep
        self._seconds = seconds
        self._looked: tuple[float, int] | None = None  # when, and what others had done by then
        self._meet(others=True)

    async def look(self) -> None:
        now = self._seconds()
        if self._looked is not None and now - self._looked[0] < LOOK_SECONDS:
            return
        theirs = await self._database.unscoped(COUNTED) - self._database.transactions
        if self._looked is not None:
            then, before = self._looked
            self._meet(others=theirs - before > OTHERS * (now - then))
        self._looked = now, theirs

    async def rest(self, took: float, facts: int) -> None:
        if self._others:
            wanted = max(REST_LEAST * took, min(REST_MOST * took, facts / RATE - took))
            await self._sleep(min(wanted, REST_MAX))

    def _meet(self, *, others: bool) -> None:
        self._others = others
        self.sides = 1 if others else SIDE_BY_SIDE
        self.part = PART_BESIDE if others else PART


ALONE = Pace()
