"""Back-tests that were asked for: one at a time in a worker, beside what else it does.

The walk itself is no slice of a turn: it takes a minute or more of a processor. A turn starts it as
a task and comes back later to see; the worker goes on with everything else.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

from loyalty.backtest import kept
from loyalty.backtest.kept import Backtest
from loyalty.jobs import schedule
from loyalty.jobs.schedule import JobRow
from loyalty.jobs.visit import Visit

LOOK_AGAIN = timedelta(seconds=5)
NOTE_SECONDS = 1.0
log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]


class Walker(Protocol):
    """Who walks: in processes of their own, so that the worker's own work goes on."""

    async def __call__(
        self, tenant_id: UUID, backtest: Backtest, progress: Progress
    ) -> Mapping[str, Any]:
        """The report."""


async def nobody(tenant_id: UUID, backtest: Backtest, progress: Progress) -> Mapping[str, Any]:
    """Where no processes can be started: it fails, and says so."""
    raise RuntimeError("this worker cannot walk a history")


@dataclass(slots=True)
class _Far:
    done: int = 0
    total: int = 0

    def __call__(self, done: int, total: int) -> None:
        self.done, self.total = done, total


class Backtests:
    def __init__(self, walker: Walker = nobody) -> None:
        self._walker = walker
        self._task: asyncio.Task[None] | None = None

    async def run(self, visit: Visit, row: JobRow) -> int:
        ident = UUID(row.which)
        async with visit.transaction() as connection:
            if await kept.over(connection, ident):
                await connection.execute("delete from loyalty.job where name = $1", row.name)
                return 1
            claimed = None
            if self._task is None or self._task.done():
                claimed = await kept.claim(connection, ident, visit.now)
            await schedule.move_on(connection, row, visit.now + LOOK_AGAIN)
        if claimed is not None:
            self._task = asyncio.create_task(self._walk(visit, *claimed))
        return 0

    async def close(self) -> None:
        """Stop what is under way; another worker begins it anew."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def wait(self) -> None:
        """Until what is under way is over."""
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    async def _walk(self, visit: Visit, backtest: Backtest, token: UUID) -> None:
        far = _Far()
        walking = asyncio.ensure_future(self._walker(visit.tenant_id, backtest, far))
        try:
            while not walking.done():
                await asyncio.wait([walking], timeout=NOTE_SECONDS)
                if not await self._noted(visit, backtest, token, far):
                    return
            await self._finish(visit, backtest, token, walking)
        except asyncio.CancelledError:
            await asyncio.shield(self._put_back(visit, backtest, token))
            raise
        finally:
            walking.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await walking

    async def _noted(self, visit: Visit, backtest: Backtest, token: UUID, far: _Far) -> bool:
        """Whether to go on: it was not cancelled, and the lease is still ours."""
        try:
            async with visit.transaction() as connection:
                return await kept.go_on(connection, backtest.id, token, far.done, far.total)
        except Exception:  # the database is away for a moment: the lease says how long it may be
            log.exception("the progress of back-test %s could not be noted", backtest.id)
            return True

    async def _finish(
        self, visit: Visit, backtest: Backtest, token: UUID,
        walking: Awaitable[Mapping[str, Any]],
    ) -> None:  # fmt: skip
        now = visit.recorder.clock.now
        try:
            report = await walking
        except Exception as error:
            log.exception("back-test %s failed", backtest.id)
            async with visit.transaction() as connection:
                text = f"{type(error).__name__}: {error}"[:500]
                await kept.finish(connection, backtest.id, token, now(), error=text)
            return
        async with visit.transaction() as connection:
            await kept.finish(connection, backtest.id, token, now(), report=report)

    async def _put_back(self, visit: Visit, backtest: Backtest, token: UUID) -> None:
        async with visit.transaction() as connection:
            await kept.put_back(connection, backtest.id, token)
