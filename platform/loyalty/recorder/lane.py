"""Lanes: concurrent requests of one tenant share a transaction.

No timer: while one batch is under way the next one gathers. One batch in flight per tenant and
process, bounded queues. A lane's work belongs to no caller: a caller that is cancelled loses its
answer, not its write.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextvars import Context
from uuid import UUID

from loyalty.errors import TROUBLE, Code, Refused
from loyalty.meters import LANE_WAITING
from loyalty.recorder.recorder import Outcome, Recorder
from loyalty.recorder.waiting import Call, Part, Waiting
from loyalty.settlement.request import Recorded, Request
from loyalty.tracing import after, here, tracer

WAITING_MAX = 2_000  # requests that came alone, and as many again in calls of several
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
        (outcome,) = await self.record_many(tenant_id, [request])
        if isinstance(outcome, Refused):
            raise outcome
        return outcome

    async def record_many(self, tenant_id: UUID, requests: Sequence[Request]) -> list[Outcome]:
        """Record requests in their order; each has its own outcome, in the same place.

        :raises Refused: OVERLOADED where too many wait already: none of them is recorded
        """
        if not requests:
            return []
        return await self._lane(tenant_id).enqueue(requests)

    async def close(self) -> None:
        """Let what is under way and what waits come to its end."""
        while tasks := [lane.task for lane in self._lanes.values() if lane.task is not None]:
            await asyncio.gather(*tasks, return_exceptions=True)

    def _lane(self, tenant_id: UUID) -> "_Lane":
        if (lane := self._lanes.get(tenant_id)) is None:
            waiting = Waiting(size=self._size, bound=self._waiting)
            lane = self._lanes[tenant_id] = _Lane(self, tenant_id, waiting)
        return lane

    def drop(self, tenant_id: UUID) -> None:
        self._lanes.pop(tenant_id, None)


class _Lane:
    def __init__(self, lanes: Lanes, tenant_id: UUID, waiting: Waiting) -> None:
        self._lanes = lanes
        self._tenant_id = tenant_id
        self._waiting = waiting
        self.task: asyncio.Task[None] | None = None

    async def enqueue(self, requests: Sequence[Request]) -> list[Outcome]:
        loop = asyncio.get_running_loop()
        call = Call(requests, loop.create_future(), span=here())
        self._waiting.put(call)
        LANE_WAITING.inc(len(requests))
        if self.task is None:
            # In a context of its own: the batch belongs to no request that happens to start it.
            self.task = loop.create_task(self._drain(), context=Context())
        return await call.answer

    async def _drain(self) -> None:
        try:
            while parts := self._waiting.take():
                LANE_WAITING.dec(sum(len(part) for _, part in parts))
                outcomes = iter(await self._traced(parts))
                for call, part in parts:
                    call.came_to(next(outcomes) for _ in part)
                    last = call.outcomes[-1]
                    if isinstance(last, Refused) and last.code in TROUBLE:
                        LANE_WAITING.dec(call.waiting)
                        self._waiting.give_up(call, last)
        finally:
            self.task = None
            self._lanes.drop(self._tenant_id)

    async def _traced(self, parts: Sequence[Part]) -> list[Outcome]:
        requests = [one for _, part in parts for one in part]
        context, links = after([call.span for call, _ in parts if call.span is not None])
        if context is None:
            return await self._outcomes(requests)
        with tracer.start_as_current_span("record", context, links=links) as span:
            span.set_attribute("loyalty.requests", len(requests))
            return await self._outcomes(requests)

    async def _outcomes(self, requests: list[Request]) -> list[Outcome]:
        """A failure of the batch as a whole is every caller's outcome; the lane goes on."""
        try:
            return await self._lanes.recorder.record_many(self._tenant_id, requests)
        except Refused as refused:
            return [refused] * len(requests)
        except Exception:
            log.exception("a batch of tenant %s failed", self._tenant_id)
            return [Refused(Code.INTERNAL, "an error of ours: try again")] * len(requests)
