"""Lanes: concurrent requests of one tenant share a transaction.

No timer: while one batch is decided the next one gathers. It is begun when nothing is left of the
one before it but the commit, which waits for the disk, and a connection is free: so two are in
flight at most per tenant and process. Bounded queues. A lane's work belongs to no caller: a caller
that is cancelled loses its answer, not its write.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextvars import Context
from functools import partial
from uuid import UUID

from loyalty.errors import TROUBLE, Code, Refused
from loyalty.meters import LANE_WAITING
from loyalty.recorder.recorder import Outcome, Recorder
from loyalty.recorder.waiting import Call, Part, Waiting
from loyalty.settlement.request import Recorded, Request
from loyalty.tracing import after, here, tracer

WAITING_MAX = 2_000  # requests that came alone, and as many again in calls of several
SIZE_MAX = 200
IN_FLIGHT = 2
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
        while tasks := [task for lane in self._lanes.values() for task in lane.tasks]:
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
        self._deciding: asyncio.Task[None] | None = None
        self.tasks: set[asyncio.Task[None]] = set()

    async def enqueue(self, requests: Sequence[Request]) -> list[Outcome]:
        call = Call(requests, asyncio.get_running_loop().create_future(), span=here())
        self._waiting.put(call)
        LANE_WAITING.inc(len(requests))
        self._begin()
        return await call.answer

    def _begin(self) -> None:
        """Begin a batch, unless one is being decided, or the one before that is still committed."""
        if self._deciding is None and self._waiting and self._has_room():
            # In a context of its own: the batch belongs to no request that happens to start it.
            task = asyncio.get_running_loop().create_task(self._batch(), context=Context())
            self._deciding = task
            self.tasks.add(task)

    def _has_room(self) -> bool:
        """The first one waits for a connection. The next one would have it sooner, but might be
        refused for want of one while its own tenant has it: it waits here instead."""
        if not self.tasks:
            return True
        database = self._lanes.recorder.database
        return len(self.tasks) < IN_FLIGHT and database.has_room(self._tenant_id)

    def _decided(self, batch: "asyncio.Task[None]") -> None:
        if self._deciding is batch:
            self._deciding = None
        self._begin()

    async def _batch(self) -> None:
        batch = asyncio.current_task()
        assert batch is not None
        try:
            await self._record(self._waiting.take(), partial(self._decided, batch))
        finally:
            self.tasks.discard(batch)
            self._decided(batch)
            if not self.tasks:
                self._lanes.drop(self._tenant_id)

    async def _record(self, parts: Sequence[Part], decided: Callable[[], None]) -> None:
        LANE_WAITING.dec(sum(len(part) for _, part in parts))
        # The rest of a call must not overtake what came before it: whether that stands is known
        # only after the commit.
        whole = all(not call.waiting for call, _ in parts)
        outcomes = iter(await self._traced(parts, decided if whole else None))
        for call, part in parts:
            call.came_to(next(outcomes) for _ in part)
            last = call.outcomes[-1]
            if isinstance(last, Refused) and last.code in TROUBLE:
                LANE_WAITING.dec(call.waiting)
                self._waiting.give_up(call, last)

    async def _traced(
        self, parts: Sequence[Part], decided: Callable[[], None] | None
    ) -> list[Outcome]:
        requests = [one for _, part in parts for one in part]
        context, links = after([call.span for call, _ in parts if call.span is not None])
        if context is None:
            return await self._outcomes(requests, decided)
        with tracer.start_as_current_span("record", context, links=links) as span:
            span.set_attribute("loyalty.requests", len(requests))
            return await self._outcomes(requests, decided)

    async def _outcomes(
        self, requests: list[Request], decided: Callable[[], None] | None
    ) -> list[Outcome]:
        """A failure of the batch as a whole is every caller's outcome; the lane goes on."""
        try:
            return await self._lanes.recorder.record_many(
                self._tenant_id, requests, decided=decided
            )
        except Refused as refused:
            return [refused] * len(requests)
        except Exception:
            log.exception("a batch of tenant %s failed", self._tenant_id)
            return [Refused(Code.INTERNAL, "an error of ours: try again")] * len(requests)
