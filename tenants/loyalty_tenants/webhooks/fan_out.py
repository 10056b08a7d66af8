"""From facts to deliveries: one for each endpoint that subscribes, in the outbox's transaction."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from loyalty.clock import Clock
from loyalty.ids import new_id
from loyalty.jobs.outbox import OutboxRow
from loyalty.plugin import Connection
from loyalty_tenants.webhooks.event import Event, events
from loyalty_tenants.webhooks.scene import read_scene
from loyalty_tenants.webhooks.topics import EVERYTHING, Topics

# A disabled one is told later: it is paused, not gone.
_ENDPOINTS = "select id, topics from loyalty.webhook_endpoint where status <> 'DELETED'"
_LISTENS = "select exists (select 1 from loyalty.webhook_endpoint where status <> 'DELETED')"
_EVENTS = """
insert into loyalty.webhook_event (tenant_id, id, topic, body, created_at)
select loyalty.tenant(), e.*, $4
  from unnest($1::uuid[], $2::text[], $3::text[]) e on conflict (tenant_id, id) do nothing
"""
_DELIVERIES = """
insert into loyalty.webhook_delivery
    (tenant_id, id, endpoint_id, event_id, line, topic, created_at, seq)
select loyalty.tenant(), d.id, d.endpoint_id, d.event_id, d.line, d.topic, $6,
       nextval('loyalty.webhook_delivery_seq')
  from (select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[])
          with ordinality x (id, endpoint_id, event_id, line, topic, n) order by x.n offset 0) d
    on conflict (tenant_id, event_id, endpoint_id) do nothing
"""
# In one order, and touching what is there: whoever is just ending a line is waited for.
_LINES = """
insert into loyalty.webhook_line (tenant_id, endpoint_id, line)
select distinct loyalty.tenant(), l.* from unnest($1::uuid[], $2::uuid[]) l order by 2, 3
on conflict (tenant_id, endpoint_id, line) do update set ready_at = loyalty.webhook_line.ready_at
"""


class FanOut:
    """Who listens to the outbox: the tenants' endpoints."""

    def __init__(self, topics: Topics, clock: Clock) -> None:
        self._topics = topics
        self._clock = clock

    async def listens(self, connection: Connection) -> bool:
        """Whether the tenant has an endpoint. One that is made later hears of what comes then."""
        return bool(await connection.fetchval(_LISTENS))

    async def hear(
        self, connection: Connection, tenant_id: UUID, rows: Sequence[OutboxRow]
    ) -> Collection[UUID]:
        endpoints = {row["id"]: set(row["topics"]) for row in await connection.fetch(_ENDPOINTS)}
        wanted = set().union(*endpoints.values())
        if not wanted:
            return ()
        if EVERYTHING in wanted:
            wanted |= self._topics.by_name.keys()
        values = not wanted.isdisjoint(self._topics.values.values())
        scene = await read_scene(connection, rows, values=values)
        made, failed = events(rows, scene, self._topics, wanted)
        pairs = [
            (endpoint_id, event)
            for event in made
            for endpoint_id, topics in endpoints.items()
            if topics & {EVERYTHING, event.topic}
        ]
        await write(connection, made, pairs, now=self._clock.now())
        return failed


async def write(
    connection: Connection,
    made: Sequence[Event],
    pairs: Iterable[tuple[UUID, Event]],
    *,
    now: datetime,
) -> list[UUID]:
    """Events, and a delivery for each pair of an endpoint and an event; the deliveries' ids."""
    if not made:
        return []
    pairs = list(pairs)
    ids = [new_id() for _ in pairs]
    endpoints, lines = [one for one, _ in pairs], [event.line for _, event in pairs]
    ident, topic, body = zip(*((one.id, one.topic, one.body) for one in made), strict=True)
    await connection.execute(_EVENTS, ident, topic, body, now)
    await connection.execute(
        _DELIVERIES, ids, endpoints, [event.id for _, event in pairs], lines,
        [event.topic for _, event in pairs], now,
    )  # fmt: skip
    await connection.execute(_LINES, endpoints, lines)
    return ids
