"""Who am I? What the credential of a request stands for."""

from datetime import datetime

import strawberry

from loyalty.facts import MemberRef
from loyalty_graphql.access import allow, reached
from loyalty_graphql.admin.roles import EVERYONE, Role
from loyalty_graphql.admin.tenants import Tenant, own_tenant
from loyalty_graphql.context import RequestInfo
from loyalty_graphql.members import Member, visible_member


@strawberry.type
@reached
class Viewer:
    """Whoever sent the request, as their credential says."""

    role: Role
    """What they are to the platform."""
    subject: str
    """Who they are: a member's external id, else the name of an account."""
    scopes: list[str]
    """What they may do, by name."""
    expires_at: datetime | None
    """When their credential ends by itself; null: never."""

    @strawberry.field
    async def tenant(self, info: RequestInfo) -> Tenant | None:
        """The tenant they act for; null for an operator whose token names none."""
        return await own_tenant(info.context)

    @strawberry.field
    async def member(self, info: RequestInfo) -> Member | None:
        """Themselves, where they are a member of the tenant; null for anybody else."""
        context = info.context
        if not context.is_member:
            return None
        return await visible_member(context, MemberRef(external_id=context.who.subject))


@strawberry.type
class ViewerQuery:
    @strawberry.field
    @allow(*EVERYONE)
    def viewer(self, info: RequestInfo) -> Viewer:
        """Whoever asks."""
        who = info.context.who
        return Viewer(
            role=who.role,
            subject=who.subject,
            scopes=sorted(who.scopes),
            expires_at=who.expires_at,
        )
