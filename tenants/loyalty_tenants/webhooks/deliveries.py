"""Deliveries as a tenant sees them: what was sent where, what is dead, and sending it again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from loyalty.days import iso
from loyalty.errors import Code, Refused
from loyalty.ids import new_id, public_id
from loyalty.orm import bound
from loyalty.plugin import Connection
from loyalty_tenants import audit, models
from loyalty_tenants.principal import Actor
from loyalty_tenants.webhooks import endpoints
from loyalty_tenants.webhooks.data import Ping
from loyalty_tenants.webhooks.event import Event, envelope
from loyalty_tenants.webhooks.fan_out import write
from loyalty_tenants.webhooks.topics import PING

REPLAYED_MAX = 100
PINGS_PENDING_MAX = 10

# At the end of the member's line: what is sent again holds up nothing that is new.
_AGAIN = """
update loyalty.webhook_delivery set state = 'PENDING', attempts = 0, finished_at = null,
       seq = nextval('loyalty.webhook_delivery_seq')
 where id = any($1::uuid[]) and state <> 'PENDING' returning id, endpoint_id, line
"""
_LINES = """
insert into loyalty.webhook_line (tenant_id, endpoint_id, line)
select distinct loyalty.tenant(), l.* from unnest($1::uuid[], $2::uuid[]) l order by 2, 3
on conflict (tenant_id, endpoint_id, line) do update set ready_at = loyalty.webhook_line.ready_at
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event on its way to one endpoint.

    `event_id` is its `webhook-id`, the same on every try. `answered` is the HTTP status of the last
    try, None where there was none; `problem` says why it failed.
    """

    id: UUID
    endpoint_id: UUID
    event_id: UUID
    topic: str
    state: str
    attempts: int
    tried_at: datetime | None
    answered: int | None
    problem: str | None
    created_at: datetime
    finished_at: datetime | None


async def page(
    connection: Connection,
    *,
    endpoint_id: UUID | None = None,
    state: str | None = None,
    beyond: UUID | None = None,
    count: int,
    backward: bool = False,
) -> Sequence[Delivery]:
    """`count` deliveries older than the one of an id, newest first; backward: newer."""
    side, order = ("gt", "id") if backward else ("lt", "-id")
    asked = models.WebhookDelivery.all().using_db(bound(connection)).order_by(order)
    given = {"endpoint_id": endpoint_id, "state": state, f"id__{side}": beyond}
    asked = asked.filter(**{name: value for name, value in given.items() if value is not None})
    return [_delivery(row) for row in await asked.limit(count)]


async def replay(
    connection: Connection, by: Actor, ids: Sequence[UUID], *, now: datetime
) -> Sequence[Delivery]:
    """Send deliveries again that are done with or dead: the same id and body, a fresh schedule.

    :raises Refused: NOT_FOUND or BAD_USER_INPUT; then none is sent
    """
    if not 1 <= len(ids) <= REPLAYED_MAX:
        raise Refused(Code.BAD_USER_INPUT, f"name 1 to {REPLAYED_MAX} deliveries", field="ids")
    found = {delivery.id: delivery for delivery in await _by_id(connection, ids)}
    for index, ident in enumerate(ids):
        if ident not in found:
            raise Refused(Code.NOT_FOUND, "there is no such delivery", field=f"ids.{index}")
    lines = await connection.fetch(_AGAIN, list(found))
    await connection.execute(
        _LINES, [row["endpoint_id"] for row in lines], [row["line"] for row in lines]
    )
    await audit.write(
        connection,
        by,
        action="webhook.replay",
        subject=f"webhook_deliveries:{len(lines)}",
        details={"ids": sorted(str(row["id"]) for row in lines)},
        now=now,
    )
    again = {delivery.id: delivery for delivery in await _by_id(connection, ids)}
    return [again[ident] for ident in ids]


async def ping(connection: Connection, by: Actor, endpoint_id: UUID, *, now: datetime) -> Delivery:
    """Send an event that says nothing, by the way that all others go.

    :raises Refused: NOT_FOUND, or LIMIT_EXCEEDED while many wait
    """
    await endpoints.of(connection, endpoint_id)
    waiting = await connection.fetchval(
        """select count(*) from loyalty.webhook_delivery
            where endpoint_id = $1 and topic = $2 and state = 'PENDING'""",
        endpoint_id, PING,
    )  # fmt: skip
    if waiting >= PINGS_PENDING_MAX:
        raise Refused(Code.LIMIT_EXCEEDED, f"{waiting} pings of it wait already")
    event_id, at = new_id(), iso(now)
    assert at is not None
    said = Ping(endpoint_id=public_id("WebhookEndpoint", endpoint_id))
    event = Event(id=event_id, topic=PING, line=event_id, body=envelope(PING, at, said))
    (delivery_id,) = await write(connection, [event], [(endpoint_id, event)], now=now)
    await audit.write(
        connection,
        by,
        action="webhook.ping",
        subject=f"webhook_endpoint:{endpoint_id}",
        now=now,
    )
    (made,) = await _by_id(connection, [delivery_id])
    return made


async def _by_id(connection: Connection, ids: Sequence[UUID]) -> Sequence[Delivery]:
    """Those of endpoints that are still there."""
    asked = models.WebhookDelivery.filter(id__in=list(ids)).using_db(bound(connection))
    there = {endpoint.id for endpoint in await endpoints.endpoints(connection)}
    return [_delivery(row) for row in await asked if row.endpoint_id in there]


def _delivery(row: models.WebhookDelivery) -> Delivery:
    return Delivery(
        id=row.id,
        endpoint_id=row.endpoint_id,
        event_id=row.event_id,
        topic=row.topic,
        state=row.state,
        attempts=row.attempts,
        tried_at=row.tried_at,
        answered=row.answered,
        problem=row.problem,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )
