"""Creating and changing webhook endpoints."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from loyalty_graphql.access import allow, reached
from loyalty_graphql.admin.changes import changing
from loyalty_graphql.admin.webhook_endpoints import WebhookEndpoint, shown_endpoint
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.ids import uuid_of
from loyalty_graphql.outcomes import attempted
from loyalty_tenants.principal import Role
from loyalty_tenants.webhooks import endpoints
from loyalty_tenants.webhooks.endpoints import Endpoint, NewSecret


@strawberry.input
class CreateWebhookEndpointInput:
    """A new endpoint."""

    url: str
    """Where to send to: a public https address on port 443 or 8443."""
    topics: list[str]
    """What to tell it, by the names of `webhookTopics`; `*` for everything, later topics too."""
    description: str = ""
    """What people call it: one line."""


@strawberry.input
class UpdateWebhookEndpointInput:
    """What to change of an endpoint; what is null stays."""

    id: strawberry.ID
    """Of the endpoint."""
    url: str | None = None
    """Where to send to from now on, also what still waits."""
    topics: list[str] | None = None
    """What to tell it of from now on."""
    description: str | None = None
    """What people call it: one line."""


@strawberry.input
class WebhookEndpointInput:
    """Which endpoint."""

    id: strawberry.ID
    """Of the endpoint."""


@strawberry.type
@reached
class WebhookEndpointPayload:
    """An endpoint as it is now."""

    endpoint: WebhookEndpoint | None
    """The endpoint; null where nothing was done."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
@reached
class WebhookSecretPayload:
    """An endpoint with a new secret."""

    endpoint: WebhookEndpoint | None
    """The endpoint; null where nothing was done."""
    secret: str | None
    """What signatures are verified with: `whsec_` and base64. Shown this once."""
    previous_secret_until: datetime | None
    """Until when everything is signed with the secret before it as well; null: there was none."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
@reached
class DeleteWebhookEndpointPayload:
    """An endpoint after it was deleted."""

    deleted_id: strawberry.ID | None
    """The id it had; null where nothing was done."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
class WebhookEndpointMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="webhooks:write")
    async def create_webhook_endpoint(
        self, info: RequestInfo, input: CreateWebhookEndpointInput
    ) -> WebhookSecretPayload:
        """Tell an address of what happens. Its secret is shown in this answer and never again.

        :param input: where, and of what
        """
        made, refused = await attempted(_created(info.context, input))
        return _with_secret(made, refused)

    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="webhooks:write")
    async def update_webhook_endpoint(
        self, info: RequestInfo, input: UpdateWebhookEndpointInput
    ) -> WebhookEndpointPayload:
        """Change where an endpoint is, what it is told of, or what it is called.

        :param input: what to change
        """
        made, refused = await attempted(_updated(info.context, input))
        return _shown(made, refused)

    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="webhooks:write")
    async def rotate_webhook_secret(
        self, info: RequestInfo, input: WebhookEndpointInput
    ) -> WebhookSecretPayload:
        """Make a new secret. For 24 hours everything is signed with both; an older one ends now.

        :param input: of which endpoint
        """
        made, refused = await attempted(_changed(info.context, input, endpoints.rotate))
        return _with_secret(made, refused)

    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="webhooks:write")
    async def disable_webhook_endpoint(
        self, info: RequestInfo, input: WebhookEndpointInput
    ) -> WebhookEndpointPayload:
        """Pause an endpoint: what happens is kept for 7 days.

        :param input: which endpoint
        """
        made, refused = await attempted(_changed(info.context, input, endpoints.disable))
        return _shown(made, refused)

    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="webhooks:write")
    async def enable_webhook_endpoint(
        self, info: RequestInfo, input: WebhookEndpointInput
    ) -> WebhookEndpointPayload:
        """Send to an endpoint again, first what was kept for it.

        :param input: which endpoint
        """
        made, refused = await attempted(_changed(info.context, input, endpoints.enable))
        return _shown(made, refused)

    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="webhooks:write")
    async def delete_webhook_endpoint(
        self, info: RequestInfo, input: WebhookEndpointInput
    ) -> DeleteWebhookEndpointPayload:
        """Forget an endpoint, with its secrets, its deliveries and what still waits for it.

        :param input: which endpoint
        """
        _, refused = await attempted(_changed(info.context, input, endpoints.delete))
        return DeleteWebhookEndpointPayload(
            deleted_id=None if refused else input.id, user_errors=user_errors(refused)
        )


async def _created(context: Context, given: CreateWebhookEndpointInput) -> NewSecret:
    async with changing(context) as connection:
        return await endpoints.create(
            connection,
            context.actor,
            context.api.webhooks,
            url=given.url,
            topics=given.topics,
            description=given.description,
            now=context.api.clock.now(),
        )


async def _updated(context: Context, given: UpdateWebhookEndpointInput) -> Endpoint:
    async with changing(context) as connection:
        endpoint_id = endpoint_of(given.id)
        return await endpoints.update(
            connection,
            context.actor,
            context.api.webhooks,
            endpoint_id,
            url=given.url,
            topics=given.topics,
            description=given.description,
            now=context.api.clock.now(),
        )


async def _changed(
    context: Context, given: WebhookEndpointInput, change: Callable[..., Awaitable[Any]]
) -> Any:
    async with changing(context) as connection:
        endpoint_id = endpoint_of(given.id)
        return await change(connection, context.actor, endpoint_id, now=context.api.clock.now())


def endpoint_of(ident: str) -> UUID:
    """:raises Refused: NOT_FOUND"""
    return uuid_of(ident, "WebhookEndpoint", field="id")


def _shown(made: Endpoint | None, refused: Any) -> WebhookEndpointPayload:
    return WebhookEndpointPayload(
        endpoint=None if made is None else shown_endpoint(made), user_errors=user_errors(refused)
    )


def _with_secret(made: NewSecret | None, refused: Any) -> WebhookSecretPayload:
    return WebhookSecretPayload(
        endpoint=None if made is None else shown_endpoint(made.endpoint),
        secret=None if made is None else made.text,
        previous_secret_until=None if made is None else made.previous_until,
        user_errors=user_errors(refused),
    )
