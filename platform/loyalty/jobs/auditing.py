"""The audit of every tenant's ledger, again and again, beside a worker's duties.

It reads all there is and takes its time, so it has a login and a connection of its own and no
tenant waits for it; nor does it take more than one processor, nor begin while its worker has lots
by the thousand to end, unless that has not come to an end for a quarter of an hour. Whoever begins
says so first: two workers do not audit one tenant at a time.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from loyalty.audit import audit
from loyalty.clock import Clock
from loyalty.database import Database
from loyalty.jobs.rounds import go_round
from loyalty.meters import AUDITS
from loyalty.plugin import Plugin

LOOK_SECONDS = 60.0
BUSY_SECONDS = 1.0
PATIENCE_SECONDS = 900.0  # a worker that is never idle must not be one that never audits
log = logging.getLogger(__name__)

_BEGIN = """
insert into loyalty.ledger_audit as a (tenant_id, begun_at) values (loyalty.tenant(), $1)
on conflict (tenant_id) do update set begun_at = excluded.begun_at where a.begun_at <= $2
returning true
"""
_DONE = "update loyalty.ledger_audit set audited_at = $1, findings = $2"


class Auditing:
    """`dsn` is of the audit role; `every` how often each tenant is audited, with the invariants
    of these plugins; none is begun while the process is busy, if it is not so for long. Since when
    it is (None: it is not) is told in seconds of the clock `seconds`, which only goes forward."""

    def __init__(
        self,
        database: Database,
        dsn: str,
        every: timedelta,
        clock: Clock,
        plugins: Sequence[Plugin] = (),
        *,
        busy_since: Callable[[], float | None] = lambda: None,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._busy_since = busy_since
        self._seconds = seconds
        self._dsn = dsn
        self._every = every
        self._clock = clock
        self._plugins = plugins

    async def run(self, stopping: asyncio.Event) -> None:
        """Until stopped; an audit that is under way then is given up and begun anew by its turn."""

        async def turn() -> int:
            while self._waits() and not stopping.is_set():  # noqa: ASYNC110 - it turns either way
                await asyncio.sleep(BUSY_SECONDS)
            return 0 if stopping.is_set() else await self.round()

        await go_round(turn, stopping, poll=LOOK_SECONDS, name="the audit")

    def _waits(self) -> bool:
        since = self._busy_since()
        return since is not None and self._seconds() - since < PATIENCE_SECONDS

    async def round(self) -> int:
        """Audit one tenant whose turn it is; 0 where none is."""
        now = self._clock.now()
        since = now - self._every
        due: list[UUID] = await self._database.unscoped(
            "select loyalty.tenants_to_audit($1)", since
        )
        for tenant_id in due:
            if await self._begun(tenant_id, now, since):
                await self._audit(tenant_id)
                return 1
        return 0

    async def _begun(self, tenant_id: UUID, now: datetime, since: datetime) -> bool:
        async with self._database.tenant(tenant_id) as connection:
            return bool(await connection.fetchval(_BEGIN, now, since))

    async def _audit(self, tenant_id: UUID) -> None:
        found = await audit(self._dsn, [tenant_id], self._plugins, beside=True)
        for one in found:
            log.error("tenant %s: the ledger breaks an invariant: %s", tenant_id, one.invariant)
        async with self._database.tenant(tenant_id) as connection:
            await connection.execute(_DONE, self._clock.now(), len(found))
        AUDITS.inc()
