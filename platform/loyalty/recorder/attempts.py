"""Trying again: what may pass the next time, and what was decided on too little."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg

from loyalty.ledger.book import NeedLots
from loyalty.recorder.wants import More
from loyalty.settlement.need_counter import NeedCounter
from loyalty.settlement.need_period import NeedPeriod
from loyalty.settlement.reversing import Outdated

T = TypeVar("T")

# moved, deadlock, key just taken, lock; an account that a restored database does not have
RETRIED = frozenset({"40001", "40P01", "23505", "55P03", "23503"})
TRIES = 5


class StaleSetup(Exception):
    """A tenant's setup changed: the batch is decided under the new one."""


class StaleNames(Exception):
    """A name belongs to another member than before the lock: the batch asks about that one."""


async def persistently(attempt: Callable[[More], Awaitable[T]], *, lost: Callable[[], None]) -> T:
    """Run a whole transaction, again where another process was faster or more must be loaded.

    `lost` is called before a new try after Postgres refused one.

    :raises asyncpg.PostgresError: refused for good, or several times
    """
    more = More()
    tries = 0
    while True:
        try:
            return await attempt(more)
        except NeedLots as need:
            if (need.owner, need.unit) in more.lots:
                raise RuntimeError(f"{need}: they are loaded and do not add up") from None
            more.lots.add((need.owner, need.unit))
        except NeedCounter as need:
            if need.window in more.counters:
                raise RuntimeError(f"{need}: it was asked for and is not there") from None
            more.counters.add(need.window)
        except NeedPeriod as need:
            if more.periods.issuperset(need.periods):
                raise RuntimeError(f"{need}: it was asked for and is not there") from None
            more.periods.update(need.periods)
        except (StaleSetup, StaleNames, Outdated):
            continue
        except asyncpg.PostgresError as error:
            tries += 1
            if error.sqlstate not in RETRIED or tries == TRIES:
                raise
            lost()
            await asyncio.sleep(random.uniform(0, 0.005 * 2**tries))
