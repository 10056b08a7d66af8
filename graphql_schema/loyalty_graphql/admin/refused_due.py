"""What fell due by itself and could not be done."""

from datetime import datetime
from uuid import UUID

import strawberry

from loyalty import refused_due
from loyalty.errors import Code
from loyalty.facts import MemberRef
from loyalty.refused_due import RefusedDue as View
from loyalty_graphql.access import allow, reached
from loyalty_graphql.context import RequestInfo
from loyalty_graphql.ids import node_id
from loyalty_graphql.members import Member, beyond, shown_member
from loyalty_graphql.paging import Connection
from loyalty_tenants.principal import Role


@strawberry.type
@reached
class RefusedDue:
    """Something that fell due by itself and was refused: a reward of an issuing window, a dividend,
    a payout, a step of a subscription. It held up nobody else and is tried again."""

    id: strawberry.ID
    """Opaque and globally unique."""
    job: str
    """Which job of which plugin named it, such as `points/issuing`."""
    kind: str
    """The fact that would have been recorded, such as `points.conversion_fallen_due/1`."""
    due_at: datetime
    """When it fell due. It is recorded as of then, whenever that is."""
    code: Code
    """Why it was refused, the last time."""
    message: str
    """What is wrong and what to do; wording may change."""
    attempts: int
    """How often it was tried."""
    refused_at: datetime
    """When it was refused first."""
    retry_at: datetime
    """When it is tried again: after an hour, two, four, and then once a day."""
    member_id: strawberry.Private[UUID | None]

    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="decisions:read")
    async def member(self, info: RequestInfo) -> Member | None:
        """Whom it is about; null where it is about no member."""
        if self.member_id is None:
            return None
        found = await info.context.loaders.member.load(MemberRef(id=self.member_id))
        return None if found is None else shown_member(found)


@strawberry.type
class RefusedDueQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="decisions:read")
    async def refused_due(
        self,
        info: RequestInfo,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[RefusedDue]:
        """What fell due by itself and is refused at the moment, what was refused first before the
        rest. Empty where all is well; what could be done in the end is no longer in it.

        :param first: how many, at most 100
        :param after: a cursor of this list
        :param last: how many from the end, at most 100
        :param before: a cursor of this list
        """
        context = info.context
        page = context.api.paging.page(
            context.tenant_id, "Query.refusedDue",
            first=first, after=after, last=last, before=before,
        )  # fmt: skip
        async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
            found = await refused_due.page(
                connection, beyond=beyond(page.beyond), count=page.fetch, backward=page.backward
            )
        return context.api.paging.connection(
            page, found, node=_shown, position=lambda view: (str(view.id),)
        )


def _shown(view: View) -> RefusedDue:
    return RefusedDue(
        id=node_id("RefusedDue", view.id),
        job=view.job,
        kind=view.kind,
        due_at=view.due_at,
        code=Code(view.reason["code"]),
        message=view.reason["message"],
        attempts=view.attempts,
        refused_at=view.refused_at,
        retry_at=view.retry_at,
        member_id=view.member_id,
    )
