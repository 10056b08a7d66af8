"""What is to be sent: lines are claimed under a lease, and what came of it is noted under it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from loyalty.database import Database
from loyalty.plugin import Connection
from loyalty_tenants import audit
from loyalty_tenants.principal import Actor
from loyalty_tenants.webhooks.pauses import Pauses

PER_TENANT = 16
PER_ENDPOINT = 8
LEASE = timedelta(minutes=1)
PROBLEM_MAX = 300
ACTOR = Actor(role="WORKER", subject="webhooks")

_CLAIM = (
    "select coalesce(jsonb_agg(to_jsonb(c)), '[]') from loyalty.claim_webhooks($1, $2, $3, $4) c"
)
_FIRST = """
select l.endpoint_id, l.line, l.token, e.url, d.id, d.event_id, d.attempts, d.body,
       array(select s.secret from loyalty.webhook_secret s
              where s.endpoint_id = l.endpoint_id
                and (s.retires_at is null or s.retires_at > $4)
              order by s.retires_at desc nulls first) as keys
  from unnest($1::uuid[], $2::uuid[], $3::uuid[]) l (endpoint_id, line, token)
  join loyalty.webhook_endpoint e on e.id = l.endpoint_id
  left join lateral (
    select d.id, d.event_id, d.attempts, v.body
      from (select * from loyalty.webhook_delivery d
             where d.endpoint_id = l.endpoint_id and d.line = l.line and d.state = 'PENDING'
             order by d.seq limit 1) d
      join loyalty.webhook_event v on v.id = d.event_id) d on true
"""
_FENCE = """
select 1 from loyalty.webhook_line
 where endpoint_id = $1 and line = $2 and state = 'LEASED' and lease_token = $3 for update
"""
_NOTE = """
update loyalty.webhook_delivery
   set state = $2, attempts = attempts + 1, tried_at = $3::timestamptz, answered = $4, problem = $5,
       finished_at = case when $2 = 'PENDING' then null else $3::timestamptz end
 where id = $1
"""
_MORE = """
update loyalty.webhook_line set state = 'READY', lease_token = null, lease_until = null,
       ready_at = clock_timestamp() + coalesce($3::interval, '0')
 where endpoint_id = $1 and line = $2
   and exists (select 1 from loyalty.webhook_delivery
                where endpoint_id = $1 and line = $2 and state = 'PENDING')
"""
_NO_MORE = "delete from loyalty.webhook_line where endpoint_id = $1 and line = $2"
_WELL = """
update loyalty.webhook_endpoint set failures = 0, rest_until = null
 where id = $1 and (failures > 0 or rest_until is not null)
"""
_ILL = (
    "update loyalty.webhook_endpoint set failures = failures + 1 where id = $1 returning failures"
)
_REST = "update loyalty.webhook_endpoint set rest_until = clock_timestamp() + $2 where id = $1"
_GONE = """
update loyalty.webhook_endpoint
   set status = 'DISABLED', reason = 'GONE', failures = 0, rest_until = null, updated_at = $2
 where id = $1 and status = 'ENABLED'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One delivery to be tried now: the oldest of its line. `attempts` were made before."""

    tenant_id: UUID
    endpoint_id: UUID
    line: UUID
    token: UUID
    delivery_id: UUID
    event_id: UUID
    url: str
    body: bytes
    attempts: int
    keys: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of a try: the status that was answered, if any was, or what went wrong."""

    status: int | None = None
    problem: str | None = None
    retry_after: timedelta | None = None

    @property
    def taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        return self.status == 410


class Queue:
    """Claims and notes of any number of workers; the leases are by the database's clock."""

    def __init__(self, database: Database, pauses: Pauses, *, lease: timedelta = LEASE) -> None:
        self._database = database
        self._pauses = pauses
        self._lease = lease

    async def claim(self, count: int, now: datetime) -> list[Letter]:
        """The first delivery of each of up to `count` lines."""
        claimed = await self._database.unscoped(
            _CLAIM, count, PER_TENANT, PER_ENDPOINT, self._lease
        )
        by_tenant = defaultdict(list)
        for row in claimed:
            by_tenant[UUID(row["tenant_id"])].append(
                (UUID(row["endpoint_id"]), UUID(row["line"]), UUID(row["lease_token"]))
            )
        letters: list[Letter] = []
        for tenant_id, lines in by_tenant.items():
            letters += await self._read(tenant_id, lines, now)
        return letters

    async def _read(
        self, tenant_id: UUID, lines: Sequence[tuple[UUID, UUID, UUID]], now: datetime
    ) -> list[Letter]:
        async with self._database.tenant(tenant_id) as connection:
            rows = await connection.fetch(_FIRST, *map(list, zip(*lines, strict=True)), now)
            for row in rows:
                if row["id"] is None:  # what it waited for was cleaned away
                    await connection.execute(_NO_MORE, row["endpoint_id"], row["line"])
        return [
            Letter(
                tenant_id=tenant_id,
                endpoint_id=row["endpoint_id"],
                line=row["line"],
                token=row["token"],
                delivery_id=row["id"],
                event_id=row["event_id"],
                url=row["url"],
                body=row["body"].encode(),
                attempts=row["attempts"],
                keys=tuple(row["keys"]),
            )
            for row in rows
            if row["id"] is not None and row["keys"]  # none are left where it was just deleted
        ]

    async def note(self, letter: Letter, answer: Answer, now: datetime) -> bool:
        """Write down what came of a try; False where the lease was another's by then."""
        async with self._database.tenant(letter.tenant_id) as connection:
            place = letter.endpoint_id, letter.line
            if not await connection.fetchval(_FENCE, *place, letter.token):
                return False
            state, wait = self._verdict(letter, answer)
            problem = None if answer.problem is None else answer.problem[:PROBLEM_MAX]
            await connection.execute(_NOTE, letter.delivery_id, state, now, answer.status, problem)
            # Looked at after the lock: what a fan-out is just adding waits for it, or is seen.
            if await connection.execute(_MORE, *place, wait) == "UPDATE 0":
                await connection.execute(_NO_MORE, *place)
            await self._note_health(connection, letter, answer, now)
        return True

    def _verdict(self, letter: Letter, answer: Answer) -> tuple[str, timedelta | None]:
        """The delivery's state, and how long its line waits."""
        if answer.taken:
            return "DELIVERED", None
        wait = self._pauses.after(letter.attempts + 1, answer.retry_after)
        return ("DEAD" if wait is None and not answer.gone else "PENDING"), wait

    async def _note_health(
        self, connection: Connection, letter: Letter, answer: Answer, now: datetime
    ) -> None:
        if answer.taken:
            await connection.execute(_WELL, letter.endpoint_id)
        elif answer.gone:
            await self._disable(connection, letter.endpoint_id, now)
        else:
            failures = await connection.fetchval(_ILL, letter.endpoint_id)
            rest = self._pauses.rest(failures, answer.retry_after)
            if rest is not None:
                await connection.execute(_REST, letter.endpoint_id, rest)

    async def _disable(self, connection: Connection, endpoint_id: UUID, now: datetime) -> None:
        """Who answers 410 wants no more; what was not delivered waits for an admin."""
        if await connection.execute(_GONE, endpoint_id, now) == "UPDATE 1":
            await audit.write(
                connection,
                ACTOR,
                action="webhook.disable",
                subject=f"webhook_endpoint:{endpoint_id}",
                details={"answered": 410},
                now=now,
            )
