"""Rows of this floor that are kept for a time: deliveries, events, the trail, ended secrets."""

import asyncio
import logging
from datetime import datetime
from uuid import UUID

from loyalty.clock import Clock
from loyalty.database import Database
from loyalty.jobs.rounds import go_round
from loyalty.retention import BATCH, Retention, Term

EVERY_SECONDS = 600.0
log = logging.getLogger(__name__)

# What hangs on something else goes before it.
TERMS: tuple[Term, ...] = (
    Term(
        what="webhooks_delivered",
        description="webhook deliveries that were made, and what was said",
        days=7,
        least=1,
        statements=(
            """delete from loyalty.webhook_delivery where id in (
                 select id from loyalty.webhook_delivery
                  where state = 'DELIVERED' and finished_at < $1 order by finished_at limit $2)""",
        ),
    ),
    Term(
        what="webhooks_dead",
        description="webhook deliveries that were given up",
        days=30,
        least=1,
        statements=(
            """delete from loyalty.webhook_delivery where id in (
                 select id from loyalty.webhook_delivery
                  where state = 'DEAD' and finished_at < $1 order by finished_at limit $2)""",
        ),
    ),
    Term(
        what="webhooks_waiting",
        description="webhook deliveries that wait for an endpoint that is disabled",
        days=7,
        least=1,
        statements=(
            """delete from loyalty.webhook_delivery where id in (
                 select d.id from loyalty.webhook_endpoint e
                   cross join lateral (
                     select d.id from loyalty.webhook_delivery d
                      where d.endpoint_id = e.id and d.state = 'PENDING'
                        and (e.status = 'DELETED' or d.created_at < $1)
                      limit $2) d
                  where e.status <> 'ENABLED' limit $2)""",
        ),
    ),
    Term(
        what="audit_trail",
        description="entries of the audit trail",
        days=None,
        least=90,
        statements=(
            """delete from loyalty.audit_entry where id in (
                 select id from loyalty.audit_entry where at < $1 order by at limit $2)""",
        ),
    ),
)
# What nothing refers to any more; $1 is now, $2 how many.
_ENDED = (
    """delete from loyalty.webhook_delivery where id in (
          select d.id from loyalty.webhook_delivery d
            join loyalty.webhook_endpoint e on e.id = d.endpoint_id
           where e.status = 'DELETED' limit $2) and $1::timestamptz is not null""",
    """delete from loyalty.webhook_event where id in (
          select v.id from loyalty.webhook_event v
           where v.created_at < $1::timestamptz - interval '1 day'
             and not exists (select 1 from loyalty.webhook_delivery d where d.event_id = v.id)
           order by v.created_at limit $2)""",
    """delete from loyalty.webhook_line where (endpoint_id, line) in (
          select l.endpoint_id, l.line from loyalty.webhook_line l
            join loyalty.webhook_endpoint e on e.id = l.endpoint_id
           where e.status = 'DELETED' limit $2) and $1::timestamptz is not null""",
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
    def __init__(self, database: Database, clock: Clock, retention: Retention) -> None:
        self._database = database
        self._clock = clock
        self._retention = retention

    async def run(self, stopping: asyncio.Event) -> None:
        """Clean every ten minutes until stopped."""
        await go_round(self.round, stopping, poll=EVERY_SECONDS, name="cleaning")

    async def round(self) -> int:
        """One batch of each in every tenant; how many rows went."""
        deleted = 0
        for tenant_id in await self._database.unscoped("select loyalty.tenant_ids()"):
            try:
                deleted += await clean(
                    self._database, tenant_id, self._clock.now(), self._retention
                )
            except Exception:
                log.exception("old rows of tenant %s were not deleted", tenant_id)
        return deleted


async def clean(
    database: Database,
    tenant_id: UUID,
    now: datetime,
    retention: Retention | None = None,
    *,
    batch: int = BATCH,
) -> int:
    """Delete one batch of each, in a transaction each; answers how many rows went."""
    kept = retention or Retention(TERMS)
    deleted = await kept.clean(database, tenant_id, now, batch=batch)
    for statement in _ENDED:
        async with database.tenant(tenant_id) as connection:
            status = await connection.execute(statement, now, batch)
        deleted += int(status.split()[-1])
    return deleted
