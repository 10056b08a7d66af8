"""Reads of many callers in one call: while one is under way, those that come gather for the next.

Each by itself would take a connection and a time budget of its own, and in a busy process enough of
them run out of it that the cache looks broken.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from itertools import islice
from uuid import UUID

from redis.asyncio import Redis

from loyalty.cache.connection import Unanswered, Way

KEYS_PER_CALL = 100
Raw = bytes | str | None
Waiting = tuple[Sequence[str], asyncio.Future[list[Raw]]]  # keys, and who wants what they hold


class Gathered:
    """One call in flight per tenant: its keys live on one node."""

    def __init__(self, link: Way) -> None:
        self._link = link
        self._waiting: dict[UUID, list[Waiting]] = {}
        self._tasks: dict[UUID, asyncio.Task[None]] = {}

    async def get(self, tenant: UUID, keys: Sequence[str]) -> list[Raw]:
        """What is kept under each key.

        :raises Unanswered: there is no answer; go on without
        """
        answer: asyncio.Future[list[Raw]] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(tenant, []).append((keys, answer))
        if tenant not in self._tasks:
            self._tasks[tenant] = asyncio.create_task(self._drain(tenant), context=Context())
        return await answer

    async def close(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _drain(self, tenant: UUID) -> None:
        asking: list[Waiting] = []
        try:
            while asking := self._waiting.pop(tenant, []):
                raws = iter(await self._all(tenant, [key for keys, _ in asking for key in keys]))
                for keys, answer in asking:
                    mine = list(islice(raws, len(keys)))
                    if not answer.done():
                        answer.set_result(mine)
        except BaseException as error:
            # Who waits by now would ask a Redis that has just failed to answer.
            for _, answer in [*asking, *self._waiting.pop(tenant, [])]:
                if not answer.done():
                    answer.set_exception(Unanswered(str(error)))
            if not isinstance(error, Unanswered):
                raise
        finally:
            del self._tasks[tenant]

    async def _all(self, tenant: UUID, keys: Sequence[str]) -> list[Raw]:
        raws: list[Raw] = []
        for start in range(0, len(keys), KEYS_PER_CALL):
            raws += await self._link.ask(_mget(keys[start : start + KEYS_PER_CALL]), tenant)
        return raws


def _mget(keys: Sequence[str]) -> Callable[[Redis], Awaitable[Sequence[Raw]]]:
    return lambda redis: redis.mget(keys)
