"""The worker process: the write path on the worker's own login, going round until it is stopped."""

import asyncio
import signal
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from loyalty.clock import Clock
from loyalty.database import UnsafeLogin
from loyalty.jobs.worker import Worker
from loyalty.plugin import Connection, Plugin
from loyalty_app.ledger import open_ledger
from loyalty_app.problem import Problem
from loyalty_app.settings import Settings
from loyalty_app.watchdog import watchdog
from loyalty_tenants.principal import Actor
from loyalty_tenants.publishing import activate_version

POOL = 5
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
        async with open_ledger(settings, dsn, plugins=plugins, clock=clock, pool=POOL) as ledger:
            worker = Worker(ledger.recorder, PublishedVersions())
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, worker.stop)
            with watchdog(settings.watchdog_seconds):
                await worker.run()
    except UnsafeLogin as unsafe:
        raise Problem(
            str(unsafe).rstrip("."), "Give LOYALTY_WORKER_DATABASE_URL the login loyalty_worker"
        ) from None
