"""The worker: goes round the tenants that have something due and gives each a slice of its time."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from time import monotonic
from uuid import UUID

from loyalty.backtest.kept import JOB as BACKTEST
from loyalty.jobs.backfill import KIND as BACKFILL
from loyalty.jobs.backfill import Backfill, Versions
from loyalty.jobs.backtests import Backtests, Walker, nobody
from loyalty.jobs.expiry import LotExpiry
from loyalty.jobs.follow_ons import FollowOns
from loyalty.jobs.lapses import HoldLapses
from loyalty.jobs.outbox import PassedBy
from loyalty.jobs.pace import ALONE, GivingWay, Pace
from loyalty.jobs.parked import ParkedReturns
from loyalty.jobs.plugin_jobs import KIND as PLUGIN
from loyalty.jobs.plugin_jobs import PluginJobs
from loyalty.jobs.postponed import Postponed
from loyalty.jobs.refusals import KIND as AGAIN
from loyalty.jobs.refusals import Again
from loyalty.jobs.rounds import go_round
from loyalty.jobs.schedule import UPKEEP
from loyalty.jobs.scheduled import Scheduled, ScheduledJob
from loyalty.jobs.timeline import Timeline
from loyalty.jobs.upkeep import Upkeep
from loyalty.jobs.visit import SLICE, Duty, Visit
from loyalty.meters import WORKER_DONE, WORKER_FAILURES
from loyalty.recorder.recorder import Recorder
from loyalty.retention import Retention

POLL_SECONDS = 1.0
MUCH = 100  # done in a round: lots end by the thousand, and what can wait should
log = logging.getLogger(__name__)


class Worker:
    """Two of them at once, or one that comes late, do nothing twice. `busy_since`: there is so
    much to do that whatever else takes a processor for long had better wait (`monotonic` seconds;
    None: there is not).

    `jobs` runs the rows of `loyalty.job` that floors above have, by their kind.
    `size` is how many due things one slice records. `passing_by`: nobody is told what the outbox
    holds, so the worker marks it done. Time is the recorder's clock; `sleep` is what waits where
    nothing is due. `walker` walks back-tests; `retention` says how long
    what passes is kept.
    """

    def __init__(
        self,
        recorder: Recorder,
        versions: Versions,
        *,
        jobs: Mapping[str, ScheduledJob] | None = None,
        passing_by: bool = True,
        size: int = SLICE,
        poll: float = POLL_SECONDS,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        walker: Walker = nobody,
        retention: Retention | None = None,
    ) -> None:
        self._recorder = recorder
        self.backtests = Backtests(walker)
        further = {BACKTEST: self.backtests, **(jobs or {})}
        further = {UPKEEP: Upkeep(retention), **further}
        self._duties = _duties(versions, size, further, passing_by=passing_by)
        self._postponed = Postponed()
        self._pace = GivingWay(recorder.database)
        self._poll = poll
        self._sleep = sleep
        self._stopping = asyncio.Event()
        self.busy_since: float | None = monotonic()  # as long as nobody has looked

    def stop(self) -> None:
        """End `run` after the slice that is under way."""
        self._stopping.set()

    async def run(self) -> None:
        """Go round until stopped; a back-test that is under way then is left to another worker."""
        try:
            await go_round(
                self.round, self._stopping, poll=self._poll, name="the worker", sleep=self._sleep
            )
        finally:
            await self.backtests.close()

    async def round(self) -> int:
        """One slice for every tenant that has something due, in random order; what was done."""
        now = self._recorder.clock.now()
        due: list[UUID] = await self._recorder.database.unscoped(
            "select loyalty.tenants_due($1)", now
        )
        random.shuffle(due)
        done = 0
        for tenant_id in due:
            if self._stopping.is_set():
                return done
            done += await self._slice(tenant_id, now, self._postponed, self._pace)
        self.busy_since = None if done < MUCH else self.busy_since or monotonic()
        return done

    async def run_due(self, tenant_id: UUID, now: datetime | None = None) -> int:
        """Do all that is due in one tenant until nothing is left; answers how much was done.

        What fails is tried once: it stays due. `now` must be what the recorder's clock says.
        """
        now = now or self._recorder.clock.now()
        postponed, done = Postponed(), 0
        while more := await self._slice(tenant_id, now, postponed):
            done += more
        return done

    async def _slice(
        self, tenant_id: UUID, now: datetime, postponed: Postponed, pace: Pace = ALONE
    ) -> int:
        """A slice of every duty; an error is that duty's own, and it is left alone for a while."""
        visit = Visit(
            recorder=self._recorder, tenant_id=tenant_id, now=now, postponed=postponed, pace=pace
        )
        done = 0
        for duty in self._duties:
            if self._stopping.is_set() or postponed.holds(tenant_id, "duty", duty.name, now):
                continue
            try:
                slice_done = await duty.slice(visit)
            except Exception:
                WORKER_FAILURES.labels(duty.name).inc()
                log.exception("%s of tenant %s failed", duty.name, tenant_id)
                postponed.put(tenant_id, "duty", duty.name, now)
            else:
                postponed.clear(tenant_id, "duty", duty.name)
                done += slice_done
                WORKER_DONE.labels(duty.name).inc(slice_done)
        return done


def _duties(
    versions: Versions, size: int, further: Mapping[str, ScheduledJob], *, passing_by: bool
) -> Sequence[Duty]:
    jobs: dict[str, ScheduledJob] = {
        **further,
        BACKFILL: Backfill(versions),
        PLUGIN: PluginJobs(),
        AGAIN: Again(),
    }
    timeline = Timeline((HoldLapses(), LotExpiry(), FollowOns()), size=size)
    duties: list[Duty] = [timeline, ParkedReturns(), Scheduled(jobs)]
    return [*duties, PassedBy()] if passing_by else duties
