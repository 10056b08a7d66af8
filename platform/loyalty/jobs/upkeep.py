"""What every tenant gets every few minutes: its schedule is looked after, old rows go, and returns
that just missed their purchase meet it."""

from datetime import timedelta

from loyalty.jobs import schedule
from loyalty.jobs.cleaning import clean
from loyalty.jobs.parked import apply_arrived
from loyalty.jobs.plugin_jobs import job_names
from loyalty.jobs.schedule import JobRow
from loyalty.jobs.visit import Visit
from loyalty.retention import Retention

EVERY = timedelta(minutes=10)


class Upkeep:
    def __init__(self, retention: Retention | None = None) -> None:
        self._retention = retention

    async def run(self, visit: Visit, row: JobRow) -> int:
        applied = await apply_arrived(visit)
        deleted = await clean(visit, self._retention)
        async with visit.transaction() as connection:
            setup = await visit.recorder.setups.read(connection, visit.tenant_id)
            for name in job_names(visit.recorder.plugins, setup, visit.now):
                await schedule.begin(connection, name, visit.now)
            if not deleted:
                await schedule.move_on(connection, row, visit.now + EVERY)
        return 1 + applied + deleted
