"""Going round: again at once while there is something to do, else after a moment; until stopped."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)


async def go_round(
    turn: Callable[[], Awaitable[int]],
    stopping: asyncio.Event,
    *,
    poll: float,
    name: str,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Call `turn`, which answers how much was done, until `stopping`; wait `poll` s for nothing."""
    while not stopping.is_set():
        try:
            done = await turn()
        except Exception:  # the database is away, perhaps: who goes round waits for it
            log.exception("a round of %s failed", name)
            done = 0
        if not done:
            await _idle(sleep, poll, stopping)


async def _idle(
    sleep: Callable[[float], Awaitable[None]], seconds: float, stopping: asyncio.Event
) -> None:
    waiting = [asyncio.ensure_future(sleep(seconds)), asyncio.ensure_future(stopping.wait())]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
