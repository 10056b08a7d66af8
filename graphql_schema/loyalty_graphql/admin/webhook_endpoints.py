"""Webhook endpoints: where a tenant's own servers hear of what happens."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import strawberry

from loyalty_graphql.access import allow, reached
from loyalty_graphql.context import RequestInfo
from loyalty_graphql.ids import node_id
from loyalty_graphql.scalars import Json
from loyalty_tenants.principal import Role
from loyalty_tenants.webhooks import endpoints
from loyalty_tenants.webhooks.endpoints import Endpoint


@strawberry.enum
class WebhookEndpointStatus(StrEnum):
    """Whether an endpoint is sent to."""

    ENABLED = "ENABLED"
    """It is sent to."""
    DISABLED = "DISABLED"
    """It is paused: what happens is kept for 7 days and sent once it is enabled again."""


@strawberry.enum
class WebhookDisabledReason(StrEnum):
    """Why an endpoint is disabled."""

    BY_HAND = "BY_HAND"
    """An admin disabled it."""
    GONE = "GONE"
    """It answered 410 Gone."""


@strawberry.type
@reached
class WebhookEndpoint:
    """An address that is told of what happens. Its secret is shown once, and never again."""

    id: strawberry.ID
    """Opaque and globally unique."""
    url: str
    """Where it is sent to, with POST."""
    topics: list[str]
    """What it is told of, by name; `*` is everything."""
    description: str
    """What people call it."""
    status: WebhookEndpointStatus
    """Whether it is sent to."""
    disabled_reason: WebhookDisabledReason | None
    """Why it is disabled; null where it is not."""
    failures: int
    """How many tries in a row failed."""
    resting_until: datetime | None
    """Until when it is left alone, after many failures or as it asked; null: it is not."""
    created_at: datetime
    """When it was created."""
    updated_at: datetime
    """When it was changed last."""


@strawberry.type
@reached
class WebhookTopic:
    """Something that an endpoint may be told of."""

    name: str
    """What endpoints subscribe to, and the `type` of the payload."""
    description: str
    """What it tells."""
    schema: Json
    """The JSON Schema (2020-12) of the payload. Within a version fields are only ever added."""


@strawberry.type
class WebhookEndpointQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.OPERATOR, scope="webhooks:read")
    async def webhook_endpoints(self, info: RequestInfo) -> list[WebhookEndpoint]:
        """The tenant's webhook endpoints, at most 20, oldest first."""
        context = info.context
        async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
            return [shown_endpoint(one) for one in await endpoints.endpoints(connection)]

    @strawberry.field
    @allow(Role.ADMIN, Role.OPERATOR, scope="webhooks:read")
    def webhook_topics(self, info: RequestInfo) -> list[WebhookTopic]:
        """What webhooks tell of, each with the JSON Schema of its payload, by name."""
        topics = info.context.api.webhooks.topics
        every: list[Any] = [*topics.by_name.values(), topics.ping]
        return [
            WebhookTopic(
                name=topic.name, description=topic.description, schema=Json(dict(topic.schema))
            )
            for topic in sorted(every, key=lambda topic: str(topic.name))
        ]


def shown_endpoint(endpoint: Endpoint) -> WebhookEndpoint:
    return WebhookEndpoint(
        id=node_id("WebhookEndpoint", endpoint.id),
        url=endpoint.url,
        topics=list(endpoint.topics),
        description=endpoint.description,
        status=WebhookEndpointStatus(endpoint.status),
        disabled_reason=None if endpoint.reason is None else WebhookDisabledReason(endpoint.reason),
        failures=endpoint.failures,
        resting_until=endpoint.rest_until,
        created_at=endpoint.created_at,
        updated_at=endpoint.updated_at,
    )
