"""Tenants: the brands."""

from datetime import datetime, timedelta
from uuid import UUID

import strawberry

from loyalty.ids import NIL
from loyalty.setup import TenantStatus
from loyalty_graphql.access import allow, reached
from loyalty_graphql.admin.changes import changing, renamed
from loyalty_graphql.admin.roles import EVERYONE
from loyalty_graphql.admin.settings import FIELDS, TenantSettingsInput, settings_of
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.enums import exposed
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.ids import node_id
from loyalty_graphql.members import beyond
from loyalty_graphql.outcomes import attempted
from loyalty_graphql.paging import Connection
from loyalty_tenants import tenants
from loyalty_tenants.principal import Role
from loyalty_tenants.tenants import TenantRecord

exposed(
    TenantStatus,
    description="Whether a tenant is served.",
    values={
        TenantStatus.ACTIVE: "It is served.",
        TenantStatus.SUSPENDED: "Everybody but operators is refused with TENANT_SUSPENDED.",
    },
)


@strawberry.type
@reached
class Tenant:
    """A brand that runs its programs here."""

    id: strawberry.ID
    """Opaque and globally unique."""
    slug: str
    """Its short name in tokens and addresses; never changes."""
    name: str
    """What people call it."""
    zone: str
    """Its IANA time zone: where its days begin."""
    currencies: list[str]
    """The ISO 4217 currencies it takes."""
    status: TenantStatus
    """Whether it is served."""
    total_tolerance: int
    """By how many minor units lines and tenders may miss a total."""
    backdating_seconds: int
    """How late a fact may be recorded."""
    ahead_seconds: int
    """How far in the future a fact may lie, for clocks that differ."""
    parking_seconds: int
    """How long a return waits for its purchase."""
    enroll_on_purchase: bool
    """Whether a purchase of an unknown member enrolls them."""
    created_at: datetime
    """When it was created."""


@strawberry.input
class UpdateTenantInput(TenantSettingsInput):
    """What to change of the tenant; what is not given stays."""

    name: str | None = None
    """What people call it."""
    zone: str | None = None
    """An IANA time zone, such as `Europe/Madrid`."""
    currencies: list[str] | None = None
    """All currencies it takes from now on, as ISO 4217 codes."""


@strawberry.type
@reached
class TenantPayload:
    """A tenant after what was asked."""

    tenant: Tenant | None
    """As it is now; null where nothing was done."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
class TenantQuery:
    @strawberry.field
    @allow(*EVERYONE)
    async def tenant(self, info: RequestInfo, slug: str | None = None) -> Tenant | None:
        """The caller's tenant, or, for operators, any; null where there is none to be seen.

        :param slug: which one; another than their own needs an operator with `tenants:read`
        """
        context = info.context
        if slug is None:
            return await own_tenant(context)
        if context.who.role is Role.OPERATOR and context.who.may("tenants:read"):
            tenant_id = await tenants.tenant_of_slug(context.api.database, slug)
            return None if tenant_id is None else await _read(context, tenant_id)
        own = await own_tenant(context)
        return own if own is not None and own.slug == slug else None

    @strawberry.field
    @allow(Role.OPERATOR, scope="tenants:read")
    async def tenants(
        self,
        info: RequestInfo,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Tenant]:
        """All tenants in the order they were created.

        :param first: how many, at most 100
        :param after: a cursor of this list
        :param last: how many from the end, at most 100
        :param before: a cursor of this list
        """
        api = info.context.api
        page = api.paging.page(
            NIL, "Query.tenants", first=first, after=after, last=last, before=before
        )
        found = await tenants.page(
            api.database, beyond=beyond(page.beyond), count=page.fetch, backward=page.backward
        )
        return api.paging.connection(
            page, found, node=shown_tenant, position=lambda record: (str(record.tenant_id),)
        )


@strawberry.type
class TenantMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="tenant:write")
    async def update_tenant(self, info: RequestInfo, input: UpdateTenantInput) -> TenantPayload:
        """Change the settings of the caller's tenant.

        :param input: what to change
        """
        record, refused = await attempted(_updated(info.context, input))
        return TenantPayload(
            tenant=None if record is None else shown_tenant(record),
            user_errors=user_errors(renamed(refused, FIELDS)),
        )


async def own_tenant(context: Context) -> Tenant | None:
    """The tenant that the caller's credential is for; None for an operator that named none."""
    tenant_id = context.who.tenant_id
    return None if tenant_id is None else await _read(context, tenant_id)


async def _read(context: Context, tenant_id: UUID) -> Tenant:
    async with context.api.database.tenant(tenant_id, read_only=True) as connection:
        return shown_tenant(await tenants.tenant(connection))


async def _updated(context: Context, given: UpdateTenantInput) -> TenantRecord:
    settings = settings_of(given, name=given.name, zone=given.zone, currencies=given.currencies)
    async with changing(context) as connection:
        return await tenants.update_tenant(
            connection, context.actor, settings, now=context.api.clock.now()
        )


def shown_tenant(record: TenantRecord) -> Tenant:
    return Tenant(
        id=node_id("Tenant", record.tenant_id),
        slug=record.slug,
        name=record.name,
        zone=record.zone,
        currencies=list(record.currencies),
        status=record.status,
        total_tolerance=record.total_tolerance,
        backdating_seconds=_seconds(record.backdating),
        ahead_seconds=_seconds(record.ahead),
        parking_seconds=_seconds(record.parking),
        enroll_on_purchase=record.enroll_on_purchase,
        created_at=record.created_at,
    )


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())
