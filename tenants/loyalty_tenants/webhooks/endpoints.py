"""Endpoints: where a tenant hears of what happens. Every change leaves an audit entry."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from loyalty.errors import Code, Refused
from loyalty.ids import new_id
from loyalty.orm import bound
from loyalty.plugin import Connection
from loyalty_tenants import audit, models
from loyalty_tenants.egress import Blocked, Reach
from loyalty_tenants.epoch import raise_epoch
from loyalty_tenants.principal import Actor
from loyalty_tenants.webhooks.signature import new_secret, shown
from loyalty_tenants.webhooks.topics import EVERYTHING, Topics

ENDPOINTS_MAX = 20
TOPICS_MAX = 100
DESCRIPTION_MAX = 200
OVERLAP = timedelta(hours=24)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """`reason` says why it is DISABLED: BY_HAND, or GONE where it answered with 410."""

    id: UUID
    url: str
    topics: tuple[str, ...]
    description: str
    status: str
    reason: str | None
    failures: int
    rest_until: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSecret:
    """`text` is shown this once. The secret before it is good until `previous_until`."""

    endpoint: Endpoint
    text: str = field(repr=False)
    previous_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What endpoints may be: which topics there are, and where we go."""

    topics: Topics
    reach: Reach

    def check(self, url: str | None, topics: Sequence[str] | None, description: str | None) -> None:
        """Refuse what is malformed; None is left alone.

        :raises Refused: BAD_USER_INPUT with the field
        """
        if url is not None:
            self._check_url(url)
        if topics is not None:
            self._check_topics(topics)
        if description is not None and (
            len(description) > DESCRIPTION_MAX or _CONTROL.search(description)
        ):
            raise _bad("description", f"must be one line of at most {DESCRIPTION_MAX} characters")

    def _check_url(self, url: str) -> None:
        try:
            self.reach.url(url)
        except Blocked as blocked:
            raise _bad(
                "url",
                f"must be a public https address such as https://shop.example/hooks: {blocked}",
            ) from None

    def _check_topics(self, topics: Sequence[str]) -> None:
        if not 1 <= len(topics) <= TOPICS_MAX:
            raise _bad("topics", f'name 1 to {TOPICS_MAX} topics, or "{EVERYTHING}" for all')
        for index, topic in enumerate(topics):
            if topic != EVERYTHING and topic not in self.topics.by_name:
                raise _bad(f"topics.{index}", "is no topic; the query webhookTopics lists them")


async def create(
    connection: Connection,
    by: Actor,
    rules: Rules,
    *,
    url: str,
    topics: Sequence[str],
    description: str,
    now: datetime,
) -> NewSecret:
    """Tell this address of what happens from now on.

    :raises Refused: BAD_USER_INPUT with the field, or LIMIT_EXCEEDED
    """
    rules.check(url, topics, description)
    await raise_epoch(connection)
    count = await connection.fetchval(
        "select count(*) from loyalty.webhook_endpoint where status <> 'DELETED'"
    )
    if count >= ENDPOINTS_MAX:
        raise Refused(Code.LIMIT_EXCEEDED, f"a tenant has at most {ENDPOINTS_MAX} endpoints")
    endpoint_id, chosen = new_id(), sorted(set(topics))
    await connection.execute(
        """insert into loyalty.webhook_endpoint
             (tenant_id, id, url, topics, description, created_at, updated_at)
           values (loyalty.tenant(), $1, $2, $3, $4, $5, $5)""",
        endpoint_id, url, chosen, description, now,
    )  # fmt: skip
    text = await _keep_new(connection, endpoint_id, now)
    await _note(connection, by, "create", endpoint_id, now, url=url, topics=chosen)
    return NewSecret(endpoint=await of(connection, endpoint_id), text=text)


async def update(
    connection: Connection,
    by: Actor,
    rules: Rules,
    endpoint_id: UUID,
    *,
    url: str | None = None,
    topics: Sequence[str] | None = None,
    description: str | None = None,
    now: datetime,
) -> Endpoint:
    """Change what is given. A new address also gets what is still to be delivered.

    :raises Refused: NOT_FOUND, or BAD_USER_INPUT with the field
    """
    rules.check(url, topics, description)
    await raise_epoch(connection)
    before = await of(connection, endpoint_id)
    chosen = None if topics is None else sorted(set(topics))
    await connection.execute(
        """update loyalty.webhook_endpoint set url = coalesce($2, url),
                  topics = coalesce($3, topics), description = coalesce($4, description),
                  failures = case when $2 is null then failures else 0 end,
                  rest_until = case when $2 is null then rest_until end, updated_at = $5
            where id = $1""",
        endpoint_id, url, chosen, description, now,
    )  # fmt: skip
    changed: dict[str, Any] = {"url": url, "topics": chosen, "description": description}
    details = {name: value for name, value in changed.items() if value is not None}
    await _note(connection, by, "update", endpoint_id, now, before=before.url, **details)
    return await of(connection, endpoint_id)


async def disable(
    connection: Connection, by: Actor, endpoint_id: UUID, *, now: datetime
) -> Endpoint:
    """Send nothing any more; what happens meanwhile is kept for 7 days.

    :raises Refused: NOT_FOUND
    """
    return await _set_status(connection, by, endpoint_id, "DISABLED", "BY_HAND", now)


async def enable(
    connection: Connection, by: Actor, endpoint_id: UUID, *, now: datetime
) -> Endpoint:
    """Send again, first what was kept.

    :raises Refused: NOT_FOUND
    """
    return await _set_status(connection, by, endpoint_id, "ENABLED", None, now)


async def delete(connection: Connection, by: Actor, endpoint_id: UUID, *, now: datetime) -> None:
    """Forget the endpoint, its secrets and what was still to be delivered.

    :raises Refused: NOT_FOUND
    """
    await raise_epoch(connection)
    endpoint = await of(connection, endpoint_id)
    await connection.execute(
        """update loyalty.webhook_endpoint set status = 'DELETED', reason = null, updated_at = $2
            where id = $1""",
        endpoint_id, now,
    )  # fmt: skip
    await connection.execute(
        "delete from loyalty.webhook_secret where endpoint_id = $1", endpoint_id
    )
    await _note(connection, by, "delete", endpoint_id, now, url=endpoint.url)


async def rotate(
    connection: Connection, by: Actor, endpoint_id: UUID, *, now: datetime
) -> NewSecret:
    """Make a new secret, shown this once. For 24 hours everything is signed with both.

    An older one that was still good ends now: two at most are.

    :raises Refused: NOT_FOUND
    """
    await raise_epoch(connection)
    endpoint = await of(connection, endpoint_id)
    until = now + OVERLAP
    await connection.execute(
        "delete from loyalty.webhook_secret where endpoint_id = $1 and retires_at is not null",
        endpoint_id,
    )
    await connection.execute(
        "update loyalty.webhook_secret set retires_at = $2 where endpoint_id = $1",
        endpoint_id, until,
    )  # fmt: skip
    text = await _keep_new(connection, endpoint_id, now)
    await _note(connection, by, "rotate", endpoint_id, now)
    return NewSecret(endpoint=endpoint, text=text, previous_until=until)


async def of(connection: Connection, endpoint_id: UUID) -> Endpoint:
    """:raises Refused: NOT_FOUND"""
    asked = models.WebhookEndpoint.exclude(status="DELETED").using_db(bound(connection))
    found = await asked.filter(id=endpoint_id).first()
    if found is None:
        raise Refused(Code.NOT_FOUND, "there is no such webhook endpoint", field="id")
    return _endpoint(found)


async def endpoints(connection: Connection) -> Sequence[Endpoint]:
    """The tenant's endpoints, oldest first."""
    asked = models.WebhookEndpoint.exclude(status="DELETED").using_db(bound(connection))
    return [_endpoint(found) for found in await asked.order_by("id")]


async def _set_status(
    connection: Connection,
    by: Actor,
    endpoint_id: UUID,
    status: str,
    reason: str | None,
    now: datetime,
) -> Endpoint:
    await raise_epoch(connection)
    endpoint = await of(connection, endpoint_id)
    if endpoint.status == status:
        return endpoint
    await connection.execute(
        """update loyalty.webhook_endpoint set status = $2, reason = $3, failures = 0,
                  rest_until = null, updated_at = $4 where id = $1""",
        endpoint_id, status, reason, now,
    )  # fmt: skip
    verb = "enable" if status == "ENABLED" else "disable"
    await _note(connection, by, verb, endpoint_id, now)
    return await of(connection, endpoint_id)


async def _keep_new(connection: Connection, endpoint_id: UUID, now: datetime) -> str:
    secret = new_secret()
    await connection.execute(
        """insert into loyalty.webhook_secret (tenant_id, id, endpoint_id, secret, created_at)
           values (loyalty.tenant(), $1, $2, $3, $4)""",
        new_id(), endpoint_id, secret, now,
    )  # fmt: skip
    return shown(secret)


async def _note(
    connection: Connection, by: Actor, verb: str, endpoint_id: UUID, now: datetime, **details: Any
) -> None:
    await audit.write(
        connection,
        by,
        action=f"webhook.{verb}",
        subject=f"webhook_endpoint:{endpoint_id}",
        details=details,
        now=now,
    )


def _endpoint(row: models.WebhookEndpoint) -> Endpoint:
    return Endpoint(
        id=row.id,
        url=row.url,
        topics=tuple(row.topics),
        description=row.description,
        status=row.status,
        reason=row.reason,
        failures=row.failures,
        rest_until=row.rest_until,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _bad(field: str, message: str) -> Refused:
    return Refused(Code.BAD_USER_INPUT, message, field=field)
