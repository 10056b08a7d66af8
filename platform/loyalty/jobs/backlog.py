"""How long what is due has waited, and when ledgers were audited: looked at now and then, for
whoever watches."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from loyalty.clock import Clock
from loyalty.database import Database
from loyalty.jobs.rounds import go_round
from loyalty.meters import (
    AUDIT_AGE_SECONDS,
    AUDIT_FINDINGS,
    BACKLOG_SECONDS,
    OUTSIDE_SECONDS,
)
from loyalty.plugin import Plugin

LOOK_SECONDS = 15.0


class Backlog:
    """Any worker may look: all of them see the same."""

    def __init__(self, database: Database, clock: Clock, plugins: Sequence[Plugin] = ()) -> None:
        self._database = database
        self._clock = clock
        self._waiting = {
            errand.name: errand.waiting
            for plugin in plugins
            for errand in plugin.errands
            if errand.waiting is not None
        }

    async def run(self, stopping: asyncio.Event) -> None:
        await go_round(self.round, stopping, poll=LOOK_SECONDS, name="the look at the backlog")

    async def round(self) -> int:
        now = self._clock.now()
        for queue, since in await self._database.unscoped_rows(
            "select queue, since from loyalty.backlog($1)", now
        ):
            BACKLOG_SECONDS.labels(queue).set(_age(now, since))
        for errand, query in self._waiting.items():
            OUTSIDE_SECONDS.labels(errand).set(_age(now, await self._database.unscoped(query)))
        for oldest, findings in await self._database.unscoped_rows(
            "select oldest, findings from loyalty.audits()"
        ):
            AUDIT_AGE_SECONDS.set(_age(now, oldest))
            AUDIT_FINDINGS.set(findings)
        return 0


def _age(now: datetime, since: datetime | None) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())
