"""The worker process: the write path on the worker's own login, and webhooks, until stopped."""

import asyncio
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from loyalty.clock import Clock
from loyalty.database import UnsafeLogin
from loyalty.jobs.auditing import Auditing
from loyalty.jobs.backlog import Backlog
from loyalty.jobs.cleaning import TERMS
from loyalty.jobs.errands import Errands, outside
from loyalty.jobs.scheduled import ScheduledJob
from loyalty.jobs.worker import Worker
from loyalty.plugin import Connection, Plugin
from loyalty_app.backtests.walker import Walker
from loyalty_app.keeping import retention
from loyalty_app.ledger import Ledger, open_ledger
from loyalty_app.probes import probes
from loyalty_app.problem import Problem
from loyalty_app.readiness import Readiness
from loyalty_app.settings import Settings
from loyalty_app.watchdog import watchdog
from loyalty_app.webhooks import open_webhooks, way_out
from loyalty_tenants.desk.bulk import JOB as BULK
from loyalty_tenants.desk.settling import BulkJob
from loyalty_tenants.principal import Actor
from loyalty_tenants.privacy.erasures import JOB as ERASURE
from loyalty_tenants.privacy.erasures import ErasureJob
from loyalty_tenants.publishing import activate_version

# The duties take two connections, telling and cleaning one each, the post three, a probe one,
# errands two.
POOL = 10
# Nobody asks a worker for anything: what it does at once is bounded already, whichever tenant it is
# for, and a share would only have its post wait for its own duties.
SHARE = POOL
JOBS: dict[str, ScheduledJob] = {BULK: BulkJob(), ERASURE: ErasureJob()}  # of the tenants' floor
ACTOR = Actor(role="WORKER", subject="backfill")


class PublishedVersions:
    """Versions of programs as the tenants' floor keeps them."""

    async def activate(self, connection: Connection, version_id: UUID, now: datetime) -> bool:
        return await activate_version(connection, version_id, by=ACTOR, now=now)


async def work(
    settings: Settings, *, plugins: Sequence[Plugin] | None = None, clock: Clock | None = None
) -> None:
    """Work until SIGTERM or SIGINT; the slice that is under way then is finished.

    :raises Problem: the database login is missing or not safe to serve with
    """
    dsn = settings.need("worker_database_url")
    try:
        opening_ledger = open_ledger(
            settings, dsn, plugins=plugins, clock=clock, pool=POOL, share=SHARE
        )
        async with opening_ledger as ledger:
            worker = Worker(
                ledger.recorder, PublishedVersions(), jobs=JOBS, passing_by=False,
                walker=Walker(settings), retention=retention(settings, TERMS),
            )  # fmt: skip
            opening = open_webhooks(
                settings, ledger.database, ledger.plugins, ledger.recorder.clock
            )
            stopping = asyncio.Event()
            readiness = Readiness(ledger.database, stopping)
            async with opening as webhooks, probes(settings.host, settings.probe_port, readiness):
                with watchdog(settings.watchdog_seconds):
                    beside = _watching(settings, ledger, worker)
                    async with _errands(settings, ledger) as errands:
                        await _until_told(worker, stopping, webhooks, errands, *beside)
    except UnsafeLogin as unsafe:
        raise Problem(
            str(unsafe).rstrip("."), "Give LOYALTY_WORKER_DATABASE_URL the login loyalty_worker"
        ) from None


class Running(Protocol):
    """What a worker runs beside its duties."""

    async def run(self, stopping: asyncio.Event) -> None: ...


@asynccontextmanager
async def _errands(settings: Settings, ledger: Ledger) -> AsyncIterator[Errands]:
    way = way_out(settings)
    try:
        yield Errands(ledger.plugins.plugins, outside(ledger.recorder, way))
    finally:
        await way.close()


def _watching(settings: Settings, ledger: Ledger, worker: Worker) -> list[Running]:
    clock = ledger.recorder.clock
    watching: list[Running] = [Backlog(ledger.database, clock, ledger.plugins.plugins)]
    if settings.audit_database_url and settings.audit_hours:
        every = timedelta(hours=settings.audit_hours)
        dsn, plugins = settings.audit_database_url, ledger.plugins.plugins
        watching.append(
            Auditing(
                ledger.database, dsn, every, clock, plugins, busy_since=lambda: worker.busy_since
            )
        )
    return watching


async def _until_told(worker: Worker, stopping: asyncio.Event, *beside: Running) -> None:
    """Run all of them until a signal says to stop, which sets `stopping`."""

    def stop() -> None:
        worker.stop()
        stopping.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    async with asyncio.TaskGroup() as group:
        group.create_task(worker.run())
        for one in beside:
            group.create_task(one.run(stopping))
