"""API keys: what servers of a tenant sign in with."""

from datetime import datetime

import strawberry

from loyalty_graphql.access import allow, reached
from loyalty_graphql.admin.changes import changing
from loyalty_graphql.admin.roles import Role
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.ids import node_id, uuid_of
from loyalty_graphql.members import beyond
from loyalty_graphql.outcomes import attempted
from loyalty_graphql.paging import Connection
from loyalty_tenants import keys
from loyalty_tenants.keys import IssuedKey, KeyRecord


@strawberry.type
@reached
class ApiKey:
    """An API key: everything but the secret, of which only a hash is kept."""

    id: strawberry.ID
    """Opaque and globally unique."""
    prefix: str
    """The middle part of its text, to recognise it by."""
    role: Role
    """What it may act as."""
    scopes: list[str]
    """What it may do, by name."""
    client: str
    """The account that it belongs to; outlives its keys and owns their idempotency keys."""
    label: str
    """What people call it."""
    created_at: datetime
    """When it was issued."""
    expires_at: datetime | None
    """When it ends by itself; null: never."""
    revoked_at: datetime | None
    """When it was revoked."""
    last_used_at: datetime | None
    """When it was last used, within some minutes."""


@strawberry.input
class CreateApiKeyInput:
    """A new key."""

    role: Role
    """ADMIN, SERVICE or PARTNER."""
    client: str
    """The account that it is for, such as `web-shop`; at most two of its keys are active."""
    label: str = ""
    """What people call it."""
    scopes: list[str] | None = None
    """What it may do; null: what its role usually may, as far as the caller may."""
    expires_at: datetime | None = None
    """When it ends by itself; null: never."""


@strawberry.input
class RevokeApiKeyInput:
    """Which key to end."""

    id: strawberry.ID
    """Of the key."""


@strawberry.type
@reached
class CreateApiKeyPayload:
    """A new key."""

    api_key: ApiKey | None
    """The key; null where nothing was done."""
    secret: str | None
    """The key itself, to be sent as `x-api-key`. Shown this once; only its hash is kept."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
@reached
class RevokeApiKeyPayload:
    """A key after it was revoked."""

    api_key: ApiKey | None
    """The key; null where nothing was done."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
class ApiKeyQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.OPERATOR, scope="keys:write")
    async def api_keys(
        self,
        info: RequestInfo,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[ApiKey]:
        """The tenant's API keys, newest first, revoked ones too.

        :param first: how many, at most 100
        :param after: a cursor of this list
        :param last: how many from the end, at most 100
        :param before: a cursor of this list
        """
        context = info.context
        page = context.api.paging.page(
            context.tenant_id, "Query.apiKeys", first=first, after=after, last=last, before=before
        )
        async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
            found = await keys.page(
                connection, beyond=beyond(page.beyond), count=page.fetch, backward=page.backward
            )
        return context.api.paging.connection(
            page, found, node=shown_key, position=lambda record: (str(record.id),)
        )


@strawberry.type
class ApiKeyMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="keys:write")
    async def create_api_key(
        self, info: RequestInfo, input: CreateApiKeyInput
    ) -> CreateApiKeyPayload:
        """Issue a key. Its secret is shown in this answer and never again.

        :param input: for whom, and what it may do
        """
        issued, refused = await attempted(_issued(info.context, input))
        return CreateApiKeyPayload(
            api_key=None if issued is None else shown_key(issued.record),
            secret=None if issued is None else issued.text,
            user_errors=user_errors(refused),
        )

    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="keys:write")
    async def revoke_api_key(
        self, info: RequestInfo, input: RevokeApiKeyInput
    ) -> RevokeApiKeyPayload:
        """End a key at once. One that is revoked already stays as it is.

        :param input: which key
        """
        record, refused = await attempted(_revoked(info.context, input))
        return RevokeApiKeyPayload(
            api_key=None if record is None else shown_key(record),
            user_errors=user_errors(refused),
        )


async def _issued(context: Context, given: CreateApiKeyInput) -> IssuedKey:
    async with changing(context) as connection:
        return await keys.issue_key(
            connection,
            context.actor,
            role=given.role,
            client=given.client,
            label=given.label,
            asked=given.scopes,
            expires_at=given.expires_at,
            within=context.who.scopes,
            now=context.api.clock.now(),
        )


async def _revoked(context: Context, given: RevokeApiKeyInput) -> KeyRecord:
    key_id = uuid_of(given.id, "ApiKey", field="id")
    async with changing(context) as connection:
        return await keys.revoke_key(connection, context.actor, key_id, now=context.api.clock.now())


def shown_key(record: KeyRecord) -> ApiKey:
    return ApiKey(
        id=node_id("ApiKey", record.id),
        prefix=record.prefix,
        role=record.role,
        scopes=sorted(record.scopes),
        client=record.client,
        label=record.label,
        created_at=record.created_at,
        expires_at=record.expires_at,
        revoked_at=record.revoked_at,
        last_used_at=record.last_used_at,
    )
