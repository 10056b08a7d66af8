"""What operators do to tenants: create, suspend and resume them."""

from collections.abc import Awaitable
from datetime import datetime
from typing import Protocol

import strawberry

from loyalty.errors import Code, Refused
from loyalty.plugin import Connection
from loyalty_graphql.access import allow, reached
from loyalty_graphql.admin.changes import changed, changing, renamed
from loyalty_graphql.admin.keys import ApiKey, shown_key
from loyalty_graphql.admin.settings import FIELDS, TenantSettingsInput, settings_of
from loyalty_graphql.admin.tenants import Tenant, TenantPayload, shown_tenant
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.outcomes import attempted
from loyalty_tenants import tenants
from loyalty_tenants.onboarding import Onboarded, onboard
from loyalty_tenants.principal import Actor, Role
from loyalty_tenants.tenants import TenantRecord


@strawberry.input
class CreateTenantInput(TenantSettingsInput):
    """A new tenant."""

    slug: str
    """Its short name, 2 to 40 of a-z, 0-9 and -; never changes and never moves to another."""
    name: str
    """What people call it."""
    zone: str
    """An IANA time zone, such as `Europe/Madrid`."""
    currencies: list[str] = strawberry.field(default_factory=list)
    """The currencies it takes, as ISO 4217 codes."""


@strawberry.input
class TenantStatusInput:
    """Which tenant."""

    slug: str
    """Its slug."""


@strawberry.type
@reached
class CreateTenantPayload:
    """A new tenant and the key that its first admin begins with."""

    tenant: Tenant | None
    """The tenant; null where nothing was done."""
    api_key: ApiKey | None
    """Its first key, of role ADMIN."""
    secret: str | None
    """The key itself, to be sent as `x-api-key`. Shown this once; only its hash is kept."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
class OperatorMutation:
    @strawberry.mutation
    @allow(Role.OPERATOR, scope="tenants:write")
    async def create_tenant(
        self, info: RequestInfo, input: CreateTenantInput
    ) -> CreateTenantPayload:
        """Create a tenant, with a first API key for its admin.

        :param input: the tenant
        """
        made, refused = await attempted(_created(info.context, input))
        return CreateTenantPayload(
            tenant=None if made is None else shown_tenant(made.tenant),
            api_key=None if made is None else shown_key(made.key.record),
            secret=None if made is None else made.key.text,
            user_errors=user_errors(renamed(refused, FIELDS)),
        )

    @strawberry.mutation
    @allow(Role.OPERATOR, scope="tenants:write")
    async def suspend_tenant(self, info: RequestInfo, input: TenantStatusInput) -> TenantPayload:
        """Refuse everybody but operators from now on; open sockets are closed.

        :param input: which tenant
        """
        return await _asked(_set(info.context, input, tenants.suspend_tenant))

    @strawberry.mutation
    @allow(Role.OPERATOR, scope="tenants:write")
    async def resume_tenant(self, info: RequestInfo, input: TenantStatusInput) -> TenantPayload:
        """Serve a suspended tenant again.

        :param input: which tenant
        """
        return await _asked(_set(info.context, input, tenants.resume_tenant))


class _Setting(Protocol):
    """Sets the status of the transaction's tenant."""

    def __call__(
        self, connection: Connection, by: Actor, *, now: datetime
    ) -> Awaitable[TenantRecord]: ...


async def _created(context: Context, given: CreateTenantInput) -> Onboarded:
    made = await onboard(
        context.api.database,
        context.actor,
        slug=given.slug,
        settings=settings_of(given, name=given.name, zone=given.zone, currencies=given.currencies),
        now=context.api.clock.now(),
    )
    await changed(context, made.tenant.tenant_id)
    return made


async def _set(context: Context, given: TenantStatusInput, setting: _Setting) -> TenantRecord:
    tenant_id = await tenants.tenant_of_slug(context.api.database, given.slug)
    if tenant_id is None:
        raise Refused(Code.NOT_FOUND, "there is no such tenant", field="slug")
    async with changing(context, tenant_id) as connection:
        return await setting(connection, context.actor, now=context.api.clock.now())


async def _asked(setting: Awaitable[TenantRecord]) -> TenantPayload:
    record, refused = await attempted(setting)
    return TenantPayload(
        tenant=None if record is None else shown_tenant(record), user_errors=user_errors(refused)
    )
