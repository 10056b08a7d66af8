"""Lanes: concurrent requests of one tenant share a transaction.

No timer: while one batch is under way the next one gathers. One batch in flight per tenant and
process, a bounded queue. A lane's work belongs to no caller: a caller that is cancelled loses its
answer, not its write.
"""

import asyncio
import logging
from contextvars import Context
from uuid import UUID

from loyalty.errors import Code, Refused
from loyalty.recorder.recorder import Outcome, Recorder
from loyalty.settlement.request import Recorded, Request

WAITING_MAX = 2_000
SIZE_MAX = 200
log = logging.getLogger(__name__)


class Lanes:
    """A lane per tenant that has something to do."""

    def __init__(
        self, recorder: Recorder, *, size: int = SIZE_MAX, waiting: int = WAITING_MAX
    ) -> None:
        self.recorder = recorder
        self._size = size
        self._waiting = waiting
        self._lanes: dict[UUID, _Lane] = {}

    async def record(self, tenant_id: UUID, request: Request) -> Recorded:
        """Record one request together with whatever else waits for this tenant.

        :raises Refused: as its own outcome, or OVERLOADED where too many wait already
        """
        outcome = await self._lane(tenant_id).enqueue(request)
        if isinstance(outcome, Refused):
            raise outcome
        return outcome

    async def close(self) -> None:
        """Let what is under way and what waits come to its end."""
        while tasks := [lane.task for lane in self._lanes.values() if lane.task is not None]:
            await asyncio.gather(*tasks, return_exceptions=True)

    def _lane(self, tenant_id: UUID) -> "_Lane":
        if (lane := self._lanes.get(tenant_id)) is None:
            lane = self._lanes[tenant_id] = _Lane(self, tenant_id)
        return lane

    def drop(self, tenant_id: UUID) -> None:
        self._lanes.pop(tenant_id, None)

    @property
    def limits(self) -> tuple[int, int]:
        return self._size, self._waiting


class _Lane:
    def __init__(self, lanes: Lanes, tenant_id: UUID) -> None:
        self._lanes = lanes
        self._tenant_id = tenant_id
        self._queue: list[tuple[Request, asyncio.Future[Outcome]]] = []
        self.task: asyncio.Task[None] | None = None

    async def enqueue(self, request: Request) -> Outcome:
        _, waiting = self._lanes.limits
        if len(self._queue) >= waiting:
            raise Refused(Code.OVERLOADED, "too many requests wait for this tenant: try again")
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._queue.append((request, answer))
        if self.task is None:
            # In a context of its own: the batch belongs to no request that happens to start it.
            self.task = asyncio.get_running_loop().create_task(self._drain(), context=Context())
        return await answer

    async def _drain(self) -> None:
        size, _ = self._lanes.limits
        try:
            while self._queue:
                batch, self._queue = self._queue[:size], self._queue[size:]
                outcomes = await self._outcomes([request for request, _ in batch])
                for (_, answer), outcome in zip(batch, outcomes, strict=True):
                    if not answer.done():
                        answer.set_result(outcome)
        finally:
            self.task = None
            self._lanes.drop(self._tenant_id)

    async def _outcomes(self, requests: list[Request]) -> list[Outcome]:
        """A failure of the batch as a whole is every caller's outcome; the lane goes on."""
        try:
            return await self._lanes.recorder.record_many(self._tenant_id, requests)
        except Refused as refused:
            return [refused] * len(requests)
        except Exception:
            log.exception("a batch of tenant %s failed", self._tenant_id)
            return [Refused(Code.INTERNAL, "an error of ours: try again")] * len(requests)
