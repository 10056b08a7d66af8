"""One turn of a worker in one tenant, and what may be done in it."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from loyalty.jobs.pace import ALONE, Pace
from loyalty.jobs.postponed import Postponed
from loyalty.recorder.each import Outcome
from loyalty.recorder.recorder import Recorder
from loyalty.settlement.request import Request

ACTOR = "worker"
SLICE = 500  # so much at once, so that no tenant keeps the others waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """`now` is what everything of this turn is due by; the recorder's clock must say the same."""

    recorder: Recorder
    tenant_id: UUID
    now: datetime
    postponed: Postponed
    pace: Pace = ALONE

    def transaction(self, *, read_only: bool = False) -> AbstractAsyncContextManager[Any]:
        return self.recorder.database.tenant(self.tenant_id, read_only=read_only)

    async def record(self, requests: Sequence[Request], *, whole: bool = False) -> list[Outcome]:
        return await self.recorder.record_many(self.tenant_id, requests, whole=whole)


class Duty(Protocol):
    """Something a worker sees to in every tenant."""

    name: str

    async def slice(self, visit: Visit) -> int:
        """Do a slice of what is due; answers how much was done, 0 where nothing was left."""
