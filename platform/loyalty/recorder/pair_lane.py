"""Lanes of pairs: concurrent movements between the same two tenants share a transaction.

As in a tenant's own lane there is no timer: while batches are under way the next one gathers. Two
are in flight per two tenants and process, so that one is decided while Postgres writes the other
(about one member, the later waits). Bounded queues; what is under way is no caller's.
"""

import asyncio
import logging
from collections import deque
from contextvars import Context
from uuid import UUID

from loyalty.errors import Code, Refused
from loyalty.recorder.pair import Leg, record_pair, record_pairs
from loyalty.recorder.recorder import Recorder
from loyalty.settlement.request import Recorded

WAITING_MAX = 1_000
IN_FLIGHT = 2
SIZE_MAX = 100  # pairs in a transaction: both tenants' members are locked until it ends
Pair = tuple[Leg, Leg]
Both = tuple[Recorded, Recorded]
log = logging.getLogger(__name__)


class PairLanes:
    """A lane per two tenants that have something to do with each other."""

    def __init__(
        self, recorder: Recorder, *, size: int = SIZE_MAX, waiting: int = WAITING_MAX
    ) -> None:
        self.recorder = recorder
        self.size = size
        self.waiting = waiting
        self._lanes: dict[frozenset[UUID], _PairLane] = {}

    async def record(self, first: Leg, second: Leg) -> Both:
        """Record both legs or none, together with whatever else waits for these two tenants.

        :raises LegRefused: the leg of one of them cannot stand
        :raises Refused: as `record_pair`, or OVERLOADED where too many wait already
        """
        tenants = frozenset((first.tenant_id, second.tenant_id))
        if len(tenants) == 1:
            return await record_pair(self.recorder, first, second)
        if (lane := self._lanes.get(tenants)) is None:
            lane = self._lanes[tenants] = _PairLane(self, tenants)
        return await lane.enqueue((first, second))

    async def close(self) -> None:
        """Let what is under way and what waits come to its end."""
        while tasks := [task for lane in self._lanes.values() for task in lane.tasks]:
            await asyncio.gather(*tasks, return_exceptions=True)

    def drop(self, tenants: frozenset[UUID]) -> None:
        self._lanes.pop(tenants, None)


class _PairLane:
    def __init__(self, lanes: PairLanes, tenants: frozenset[UUID]) -> None:
        self._lanes = lanes
        self._tenants = tenants
        self._waiting: deque[tuple[Pair, asyncio.Future[Both]]] = deque()
        self.tasks: set[asyncio.Task[None]] = set()

    async def enqueue(self, pair: Pair) -> Both:
        if len(self._waiting) >= self._lanes.waiting:
            raise Refused(Code.OVERLOADED, "too many exchanges wait for these two: try again")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Both] = loop.create_future()
        self._waiting.append((pair, answer))
        if len(self.tasks) < IN_FLIGHT:
            self.tasks.add(loop.create_task(self._emptied(), context=Context()))
        return await answer

    async def _emptied(self) -> None:
        """Who finds nothing more to take is gone at once, or what comes next would wait for it."""
        try:
            await self._drain()
        finally:
            self.tasks.discard(asyncio.current_task())
            if not self.tasks:
                self._lanes.drop(self._tenants)

    async def _drain(self) -> None:
        while self._waiting:
            count = min(len(self._waiting), self._lanes.size)
            taken = [self._waiting.popleft() for _ in range(count)]
            outcomes = await self._outcomes([pair for pair, _ in taken])
            for (_, answer), outcome in zip(taken, outcomes, strict=True):
                if answer.done():  # its caller is gone; what it asked for stands
                    continue
                if isinstance(outcome, Refused):
                    answer.set_exception(outcome)
                else:
                    answer.set_result(outcome)

    async def _outcomes(self, pairs: list[Pair]) -> list[Both | Refused]:
        """A failure of the batch as a whole is every caller's outcome; the lane goes on."""
        try:
            return await record_pairs(self._lanes.recorder, pairs)
        except Refused as refused:
            return [_again(refused) for _ in pairs]
        except Exception:
            log.exception("a batch between two tenants failed")
            return [Refused(Code.INTERNAL, "an error of ours: try again") for _ in pairs]


def _again(refused: Refused) -> Refused:
    """One for each caller: whoever raises it adds to its traceback."""
    return Refused(refused.code, refused.message, field=refused.field, details=refused.details)
