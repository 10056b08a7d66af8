"""The audit trail: who changed what, and when."""

from datetime import datetime

import strawberry

from loyalty_graphql.access import allow, reached
from loyalty_graphql.context import RequestInfo
from loyalty_graphql.ids import node_id
from loyalty_graphql.members import beyond
from loyalty_graphql.paging import Connection
from loyalty_graphql.scalars import Json
from loyalty_tenants import audit
from loyalty_tenants.principal import Role


@strawberry.type
@reached
class AuditEntry:
    """One change that an admin or operator made."""

    id: strawberry.ID
    """Opaque and globally unique."""
    at: datetime
    """When it was made."""
    actor: str
    """Who made it: the subject of their credential."""
    role: str
    """What they were to the platform."""
    action: str
    """What was done, such as `program.publish`."""
    subject: str
    """What it was done to, such as `program:points`."""
    details: Json
    """Further facts by name; never a secret."""
    request_id: str | None
    """The request that did it, as its answer named it in `x-request-id`."""


@strawberry.type
class AuditQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="audit:read")
    async def audit_trail(
        self,
        info: RequestInfo,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[AuditEntry]:
        """Every change of the tenant's setup and every one made by hand, newest first.

        :param first: how many, at most 100
        :param after: a cursor of this list
        :param last: how many from the end, at most 100
        :param before: a cursor of this list
        """
        context, field = info.context, "Query.auditTrail"
        page = context.api.paging.page(
            context.tenant_id, field, first=first, after=after, last=last, before=before
        )
        async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
            found = await audit.page(
                connection, beyond=beyond(page.beyond), count=page.fetch, backward=page.backward
            )
        return context.api.paging.connection(
            page, found, node=_shown, position=lambda entry: (str(entry.id),)
        )


def _shown(entry: audit.AuditEntry) -> AuditEntry:
    return AuditEntry(
        id=node_id("AuditEntry", entry.id),
        at=entry.at,
        actor=entry.actor,
        role=entry.role,
        action=entry.action,
        subject=entry.subject,
        details=Json(dict(entry.details)),
        request_id=entry.request_id,
    )
