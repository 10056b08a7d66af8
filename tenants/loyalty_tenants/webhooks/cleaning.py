"""What is kept for a time: deliveries, events, secrets that ended, endpoints that were deleted."""

import asyncio
import logging
from datetime import datetime
from uuid import UUID

from loyalty.clock import Clock
from loyalty.database import Database
from loyalty.jobs.rounds import go_round

DELIVERED_KEPT = "interval '7 days'"
DEAD_KEPT = "interval '30 days'"
WAITING_KEPT = "interval '7 days'"  # for an endpoint that is disabled
NOW = "$1::timestamptz"
EVERY_SECONDS = 600.0
BATCH = 1_000
log = logging.getLogger(__name__)

# By (tenant) batches; $1 is now, $2 how many. What hangs on something else goes before it.
_STEPS = (
    f"""delete from loyalty.webhook_delivery where id in (
          select id from loyalty.webhook_delivery
           where state = 'DELIVERED' and finished_at < {NOW} - {DELIVERED_KEPT}
           order by finished_at limit $2)""",
    f"""delete from loyalty.webhook_delivery where id in (
          select id from loyalty.webhook_delivery
           where state = 'DEAD' and finished_at < {NOW} - {DEAD_KEPT}
           order by finished_at limit $2)""",
    f"""delete from loyalty.webhook_delivery where id in (
          select d.id from loyalty.webhook_endpoint e
            cross join lateral (
              select d.id from loyalty.webhook_delivery d
               where d.endpoint_id = e.id and d.state = 'PENDING'
                 and (e.status = 'DELETED'
                      or d.created_at < {NOW} - {WAITING_KEPT})
               limit $2) d
           where e.status <> 'ENABLED' limit $2)""",
    """delete from loyalty.webhook_delivery where id in (
          select d.id from loyalty.webhook_delivery d
            join loyalty.webhook_endpoint e on e.id = d.endpoint_id
           where e.status = 'DELETED' limit $2)""",
    f"""delete from loyalty.webhook_event where id in (
          select v.id from loyalty.webhook_event v
           where v.created_at < {NOW} - {DELIVERED_KEPT}
             and not exists (select 1 from loyalty.webhook_delivery d where d.event_id = v.id)
           order by v.created_at limit $2)""",
    """delete from loyalty.webhook_line where (endpoint_id, line) in (
          select l.endpoint_id, l.line from loyalty.webhook_line l
            join loyalty.webhook_endpoint e on e.id = l.endpoint_id
           where e.status = 'DELETED' limit $2)""",
    """delete from loyalty.webhook_secret where id in (
          select id from loyalty.webhook_secret where retires_at <= $1::timestamptz limit $2)""",
    """delete from loyalty.webhook_endpoint where id in (
          select e.id from loyalty.webhook_endpoint e
           where e.status = 'DELETED' and e.updated_at < $1::timestamptz - interval '1 day'
             and not exists (select 1 from loyalty.webhook_delivery d where d.endpoint_id = e.id)
             and not exists (select 1 from loyalty.webhook_line l where l.endpoint_id = e.id)
           limit $2)""",
)


class Cleaning:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def run(self, stopping: asyncio.Event) -> None:
        """Clean every ten minutes until stopped."""
        await go_round(self.round, stopping, poll=EVERY_SECONDS, name="cleaning")

    async def round(self) -> int:
        """One batch of each in every tenant; how many rows went."""
        deleted = 0
        for tenant_id in await self._database.unscoped("select loyalty.tenant_ids()"):
            try:
                deleted += await clean(self._database, tenant_id, self._clock.now())
            except Exception:
                log.exception("webhooks of tenant %s were not cleaned", tenant_id)
        return deleted


async def clean(database: Database, tenant_id: UUID, now: datetime, *, batch: int = BATCH) -> int:
    """Delete one batch of each, in a transaction each; answers how many rows went."""
    deleted = 0
    for step in _STEPS:
        async with database.tenant(tenant_id) as connection:
            arguments = [now, batch] if "$1" in step else [batch]
            query = step if "$1" in step else step.replace("$2", "$1")
            status = await connection.execute(query, *arguments)
        deleted += int(status.split()[-1])
    return deleted
