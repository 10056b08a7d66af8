"""The duty that gives each row of `loyalty.job` its turn."""

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Protocol

from loyalty.jobs import schedule
from loyalty.jobs.schedule import JobRow
from loyalty.jobs.visit import Visit

UNKNOWN_PAUSE = timedelta(minutes=10)
log = logging.getLogger(__name__)


class ScheduledJob(Protocol):
    """Runs the rows of one kind."""

    async def run(self, visit: Visit, row: JobRow) -> int:
        """Do a slice; answers how much was done. The row says itself when its next turn is."""


class Scheduled:
    """One slice of every row that is due; one that fails is tried again later, by itself."""

    name = "scheduled"

    def __init__(self, jobs: Mapping[str, ScheduledJob]) -> None:
        self._jobs = dict(jobs)

    async def slice(self, visit: Visit) -> int:
        async with visit.transaction() as connection:
            if not await connection.fetchval(
                "select exists (select 1 from loyalty.job where name = $1)", schedule.UPKEEP
            ):
                await schedule.soon(connection, schedule.UPKEEP, visit.now)
            rows = await schedule.due(connection, visit.now)
        done = 0
        for row in rows:
            done += await self._run(visit, row)
        return done

    async def _run(self, visit: Visit, row: JobRow) -> int:
        job = self._jobs.get(row.kind)
        if job is None:  # of a newer release, perhaps
            async with visit.transaction() as connection:
                await schedule.move_on(connection, row, visit.now + UNKNOWN_PAUSE)
            return 0
        try:
            return await job.run(visit, row)
        except Exception:
            log.exception("job %s of tenant %s failed", row.name, visit.tenant_id)
            async with visit.transaction() as connection:
                await schedule.failed(connection, row, visit.now)
            return 0
