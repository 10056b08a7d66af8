"""What waits at one level of an answer, awaited as graphql-core awaits it.

One awaitable is awaited as it is, several are gathered: so tasks, ticks, the batches of dataloaders
and cancellation are those of the stock executor.
"""

from asyncio import gather
from types import CoroutineType
from typing import Any

from graphql.pyutils import gather_with_cancel

Coroutine = CoroutineType

# A level's awaitables, the last first: (those before it, its key or index, it).
Waiting = tuple[Any, Any, Any]


async def settle(found: Any, waiting: Waiting) -> Any:
    """Fill in what a dict or list still waits for, and answer it."""
    before, key, awaitable = waiting
    if before is None:
        found[key] = await awaitable
        return found
    keys, awaitables = unrolled(waiting)
    for each, value in zip(keys, await gather_with_cancel(*awaitables), strict=True):
        found[each] = value
    return found


def unrolled(waiting: Waiting | None) -> tuple[list[Any], list[Any]]:
    """Keys and awaitables in the order in which they came."""
    keys, awaitables = [], []
    while waiting is not None:
        waiting, key, awaitable = waiting
        keys.append(key)
        awaitables.append(awaitable)
    return keys[::-1], awaitables[::-1]


def abandon(awaitables: list[Any], kept: set[Any]) -> None:
    """Let those run to their end whose level has failed; nobody waits for them.

    `kept` holds on to them, since the event loop does not.
    """
    if awaitables:
        future = gather(*awaitables, return_exceptions=True)
        kept.add(future)
        future.add_done_callback(kept.discard)
