"""The audit trail: who changed what, and when."""

from datetime import datetime

import strawberry

from loyalty.setup import Setup
from loyalty_graphql import texts
from loyalty_graphql.access import allow, reached
from loyalty_graphql.context import RequestInfo
from loyalty_graphql.ids import node_id, uuid_of
from loyalty_graphql.kept_amounts import in_decimals
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
    """Further facts by name, amounts as decimals of their unit; never a secret."""
    request_id: str | None
    """The request that did it, as its answer named it in `x-request-id`."""


@strawberry.input
class AuditFilter:
    """Which entries of the audit trail; what is given must all hold."""

    actor: str | None = None
    """Who made the change, by the subject of their credential."""
    action: str | None = None
    """What was done, such as `program.publish`, to the letter."""
    subject: str | None = None
    """What it was done to, such as `program:points`, to the letter."""
    member: strawberry.ID | None = None
    """The member that it was done to, by id; instead of `subject`."""
    since: datetime | None = None
    """From this instant on."""
    before: datetime | None = None
    """Before this instant."""


@strawberry.type
class AuditQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="audit:read")
    async def audit_trail(
        self,
        info: RequestInfo,
        filter: AuditFilter | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[AuditEntry]:
        """Every change of the tenant's setup and every one made by hand, newest first.

        :param filter: which entries; default: all of them
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
                connection,
                wanted=_wanted(filter),
                beyond=beyond(page.beyond),
                count=page.fetch,
                backward=page.backward,
            )
        setup = await context.setup()
        return context.api.paging.connection(
            page,
            found,
            node=lambda entry: _shown(entry, setup),
            position=lambda entry: (str(entry.id),),
        )


def _wanted(given: AuditFilter | None) -> audit.Wanted:
    """:raises Refused: BAD_USER_INPUT where both a subject and a member are given"""
    if given is None:
        return audit.Wanted()
    subject = given.subject
    if given.member is not None:
        if subject is not None:
            raise texts.bad("filter.member", "give a member or a subject, not both")
        subject = f"member:{uuid_of(given.member, 'Member', field='filter.member')}"
    return audit.Wanted(
        actor=given.actor,
        action=given.action,
        subject=subject,
        since=given.since,
        before=given.before,
    )


def _shown(entry: audit.AuditEntry, setup: Setup) -> AuditEntry:
    return AuditEntry(
        id=node_id("AuditEntry", entry.id),
        at=entry.at,
        actor=entry.actor,
        role=entry.role,
        action=entry.action,
        subject=entry.subject,
        details=Json(in_decimals(entry.details, setup)),
        request_id=entry.request_id,
    )
