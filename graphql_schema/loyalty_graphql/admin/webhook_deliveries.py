"""Webhook deliveries: what was sent where, what is dead, and sending it again."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import strawberry

from loyalty.ids import NIL
from loyalty_graphql.access import allow, reached
from loyalty_graphql.admin.webhook_mutations import WebhookEndpointInput, endpoint_of
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.ids import node_id, read_node_id, uuid_of
from loyalty_graphql.members import beyond
from loyalty_graphql.outcomes import attempted
from loyalty_graphql.paging import Connection
from loyalty_tenants.principal import Role
from loyalty_tenants.webhooks import deliveries
from loyalty_tenants.webhooks.deliveries import Delivery


@strawberry.enum
class WebhookDeliveryState(StrEnum):
    """What became of a delivery."""

    PENDING = "PENDING"
    """It waits for its first try, for another one, or for what comes before it."""
    DELIVERED = "DELIVERED"
    """The endpoint took it: it answered 2xx."""
    DEAD = "DEAD"
    """Ten tries failed, over about three days. `replayWebhookDeliveries` sends it again."""


@strawberry.type
@reached
class WebhookDelivery:
    """One event on its way to one endpoint."""

    id: strawberry.ID
    """Opaque and globally unique."""
    endpoint_id: strawberry.ID
    """The endpoint that it is for."""
    event_id: str
    """The event's id: the header `webhook-id`, the same on every try."""
    topic: str
    """What it tells."""
    state: WebhookDeliveryState
    """What became of it."""
    attempts: int
    """How often it was tried."""
    attempted_at: datetime | None
    """When it was tried last."""
    http_status: int | None
    """What the endpoint answered last; null where it answered nothing."""
    problem: str | None
    """Why the last try failed."""
    created_at: datetime
    """When it began to wait."""
    finished_at: datetime | None
    """When it was delivered, or given up."""


@strawberry.input
class ReplayWebhookDeliveriesInput:
    """What to send again."""

    ids: list[strawberry.ID]
    """Of the deliveries, at most 100."""


@strawberry.type
@reached
class ReplayWebhookDeliveriesPayload:
    """Deliveries that are sent again."""

    deliveries: list[WebhookDelivery] | None
    """The deliveries, in the order of the ids; null where nothing was done."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
@reached
class PingWebhookEndpointPayload:
    """A ping on its way."""

    delivery: WebhookDelivery | None
    """Its delivery, to be looked up in `webhookDeliveries`; null where nothing was done."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
class WebhookDeliveryQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.OPERATOR, scope="webhooks:read")
    async def webhook_deliveries(
        self,
        info: RequestInfo,
        endpoint_id: strawberry.ID | None = None,
        state: WebhookDeliveryState | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[WebhookDelivery]:
        """What was sent and what waits, newest first. Kept for 7 days, dead ones for 30.

        :param endpoint_id: only those for an endpoint
        :param state: only those of a state
        :param first: how many, at most 100
        :param after: a cursor of this list
        :param last: how many from the end, at most 100
        :param before: a cursor of this list
        """
        context = info.context
        wanted = None if endpoint_id is None else _endpoint(endpoint_id)
        field = f"Query.webhookDeliveries:{wanted}:{state}"
        page = context.api.paging.page(
            context.tenant_id, field, first=first, after=after, last=last, before=before
        )
        async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
            found = await deliveries.page(
                connection,
                endpoint_id=wanted,
                state=None if state is None else state.value,
                beyond=beyond(page.beyond),
                count=page.fetch,
                backward=page.backward,
            )
        return context.api.paging.connection(
            page, found, node=_shown, position=lambda one: (str(one.id),)
        )


@strawberry.type
class WebhookDeliveryMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="webhooks:write")
    async def replay_webhook_deliveries(
        self, info: RequestInfo, input: ReplayWebhookDeliveriesInput
    ) -> ReplayWebhookDeliveriesPayload:
        """Send deliveries again that are dead, or that were delivered: the same id and body.

        :param input: which ones
        """
        made, refused = await attempted(_replayed(info.context, input))
        return ReplayWebhookDeliveriesPayload(
            deliveries=None if made is None else [_shown(one) for one in made],
            user_errors=user_errors(refused),
        )

    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="webhooks:write")
    async def ping_webhook_endpoint(
        self, info: RequestInfo, input: WebhookEndpointInput
    ) -> PingWebhookEndpointPayload:
        """Send an event of the topic `webhook.ping.v1` to an endpoint, whatever it subscribes to.

        :param input: which endpoint
        """
        made, refused = await attempted(_pinged(info.context, input))
        return PingWebhookEndpointPayload(
            delivery=None if made is None else _shown(made), user_errors=user_errors(refused)
        )


def _endpoint(ident: str) -> UUID:
    """What is not the id of an endpoint is that of none: there is nothing to list."""
    found = read_node_id(ident)
    return found[1] if found is not None and found[0] == "WebhookEndpoint" else NIL


async def _replayed(context: Context, given: ReplayWebhookDeliveriesInput) -> list[Delivery]:
    async with context.api.database.tenant(context.tenant_id) as connection:
        ids = [
            uuid_of(ident, "WebhookDelivery", field=f"ids.{index}")
            for index, ident in enumerate(given.ids)
        ]
        now = context.api.clock.now()
        return list(await deliveries.replay(connection, context.actor, ids, now=now))


async def _pinged(context: Context, given: WebhookEndpointInput) -> Delivery:
    async with context.api.database.tenant(context.tenant_id) as connection:
        endpoint_id = endpoint_of(given.id)
        now = context.api.clock.now()
        return await deliveries.ping(connection, context.actor, endpoint_id, now=now)


def _shown(delivery: Delivery) -> WebhookDelivery:
    return WebhookDelivery(
        id=node_id("WebhookDelivery", delivery.id),
        endpoint_id=node_id("WebhookEndpoint", delivery.endpoint_id),
        event_id=str(delivery.event_id),
        topic=delivery.topic,
        state=WebhookDeliveryState(delivery.state),
        attempts=delivery.attempts,
        attempted_at=delivery.tried_at,
        http_status=delivery.answered,
        problem=delivery.problem,
        created_at=delivery.created_at,
        finished_at=delivery.finished_at,
    )
