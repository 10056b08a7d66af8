"""Errands: what plugins do with the outside world, beside a worker's duties.

Whoever answers late, or never, holds up the one tenant that waits for it and nobody else.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from loyalty.clock import Clock
from loyalty.database import Database
from loyalty.jobs.rounds import go_round
from loyalty.outside import Way
from loyalty.plugin import Errand, Plugin
from loyalty.recorder.recorder import Outcome, Recorder
from loyalty.recorder.setups import Setups
from loyalty.settlement.request import Request

POLL_SECONDS = 0.5
TENANTS_AT_ONCE = 8
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What reaches out needs: where things are kept, how they are recorded, and the way."""

    database: Database
    setups: Setups
    clock: Clock
    way: Way
    record: Callable[[UUID, Sequence[Request]], Awaitable[list[Outcome]]]


def outside(recorder: Recorder, way: Way) -> Outside:
    """That of a process that serves nobody."""
    return Outside(
        database=recorder.database, setups=recorder.setups, clock=recorder.clock, way=way,
        record=recorder.record_many,
    )  # fmt: skip


class Errands:
    """Any number of them at once: what is done twice changes nothing more."""

    def __init__(self, plugins: Sequence[Plugin], out: Outside) -> None:
        self._errands = [errand for plugin in plugins for errand in plugin.errands]
        self._out = out
        self._under_way: dict[tuple[str, UUID], asyncio.Task[None]] = {}

    async def run(self, stopping: asyncio.Event) -> None:
        """Until stopped; what is under way then comes to its end."""
        await go_round(self.round, stopping, poll=POLL_SECONDS, name="errands")
        await asyncio.gather(*self._under_way.values())

    async def round(self) -> int:
        """Begin what is due; how much was begun."""
        begun = 0
        for errand in self._errands:
            due: list[UUID] = await self._out.database.unscoped(errand.due, self._out.clock.now())
            for tenant_id in due:
                begun += self._begin(errand, tenant_id)
        return begun

    def _begin(self, errand: Errand, tenant_id: UUID) -> int:
        which = errand.name, tenant_id
        if which in self._under_way or len(self._under_way) >= TENANTS_AT_ONCE:
            return 0
        task = asyncio.create_task(self._go(errand, tenant_id))
        self._under_way[which] = task
        task.add_done_callback(lambda _: self._under_way.pop(which))
        return 1

    async def _go(self, errand: Errand, tenant_id: UUID) -> None:
        try:
            await errand.run(self._out, tenant_id)
        except Exception:
            log.exception("the errand %s of tenant %s failed", errand.name, tenant_id)
            await asyncio.sleep(POLL_SECONDS)
