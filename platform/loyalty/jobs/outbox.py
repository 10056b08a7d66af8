"""The outbox's way out: rows are leased, given to every sink and acknowledged under the lease.

At least once: a worker that dies between the two has its rows sent again by another, under the same
id. A tenant's rows are taken in their order; one that fails lets the others pass.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from loyalty.database import Database
from loyalty.jobs.visit import SLICE, Visit

CLAIMED_AT_ONCE = 200
PER_TENANT = 20
LEASE = timedelta(minutes=1)
PAUSES = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
)  # after each failure; then the row is dead
log = logging.getLogger(__name__)

_CLAIM = "select coalesce(jsonb_agg(to_jsonb(c)), '[]') from loyalty.claim_outbox($1, $2, $3) c"
_DONE = """
update loyalty.outbox set state = 'DONE', lease_token = null, lease_until = null
 where id = $1 and state = 'LEASED' and lease_token = $2
"""
_FAILED = """
update loyalty.outbox
   set state = case when $3::interval is null then 'DEAD' else 'READY' end,
       ready_at = clock_timestamp() + coalesce($3::interval, '0') * (0.9 + random() / 5),
       lease_token = null, lease_until = null
 where id = $1 and state = 'LEASED' and lease_token = $2
"""
_FACT = """
select jsonb_build_object('key', jsonb_build_object('scope', scope, 'key', key),
                          'payload', payload, 'answer', answer)
  from loyalty.fact where id = $1
"""
_PASS = """
update loyalty.outbox set state = 'DONE' where id in (
    select id from loyalty.outbox where state = 'READY' order by ready_at, id limit $1
       for update skip locked)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """What happened, for the outside. `id` is the same on every try; `attempts` counts this one.

    `payload` is a published fact as it was emitted, or of the recorded one its key, payload and
    answer.
    """

    id: UUID
    topic: str
    fact_id: UUID
    member_id: UUID | None
    payload: Mapping[str, Any]
    attempts: int


class Sink(Protocol):
    """Where rows go. It is given a row again where it raises, or where nobody heard that it did."""

    async def send(self, tenant_id: UUID, row: OutboxRow) -> None: ...


class PassedBy:
    """The duty where nobody listens: rows are done in their order and do not pile up."""

    name = "outbox"

    async def slice(self, visit: Visit) -> int:
        async with visit.transaction() as connection:
            return int((await connection.execute(_PASS, SLICE)).split()[-1])


class Relay:
    """Gives rows of all tenants to the sinks; many relays may run at once."""

    def __init__(
        self, database: Database, sinks: Sequence[Sink], *, lease: timedelta = LEASE
    ) -> None:
        self._database = database
        self._sinks = tuple(sinks)
        self._lease = lease

    async def slice(self) -> int:
        """Claim some rows and send them; answers how many were claimed."""
        claimed = await self._database.unscoped(_CLAIM, CLAIMED_AT_ONCE, PER_TENANT, self._lease)
        for row in sorted(claimed, key=_order):
            await self._deliver(row)
        return len(claimed)

    async def _deliver(self, claimed: Mapping[str, Any]) -> None:
        tenant_id, token = UUID(claimed["tenant_id"]), UUID(claimed["lease_token"])
        row = _row(claimed, claimed["payload"] or await self._fact(tenant_id, claimed["fact_id"]))
        try:
            for sink in self._sinks:
                await sink.send(tenant_id, row)
        except Exception:
            log.warning("outbox row %s was not taken, try %s", row.id, row.attempts, exc_info=True)
            wait = PAUSES[row.attempts - 1] if row.attempts <= len(PAUSES) else None
            query, arguments = _FAILED, [row.id, token, wait]
        else:
            query, arguments = _DONE, [row.id, token]
        async with self._database.tenant(tenant_id) as connection:
            if await connection.execute(query, *arguments) != "UPDATE 1":
                log.warning("outbox row %s took longer than its lease", row.id)

    async def _fact(self, tenant_id: UUID, fact_id: str) -> Mapping[str, Any]:
        async with self._database.tenant(tenant_id, read_only=True) as connection:
            found: Mapping[str, Any] = await connection.fetchval(_FACT, UUID(fact_id))
        return found


def _order(claimed: Mapping[str, Any]) -> tuple[str, datetime, str]:
    return claimed["tenant_id"], datetime.fromisoformat(claimed["ready_at"]), claimed["id"]


def _row(claimed: Mapping[str, Any], payload: Mapping[str, Any]) -> OutboxRow:
    member_id = claimed["member_id"]
    return OutboxRow(
        id=UUID(claimed["id"]),
        topic=claimed["topic"],
        fact_id=UUID(claimed["fact_id"]),
        member_id=UUID(member_id) if member_id else None,
        payload=payload,
        attempts=claimed["attempts"],
    )
