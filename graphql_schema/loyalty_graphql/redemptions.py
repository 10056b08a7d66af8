"""Redemptions: value that is spent, as it is shown."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from loyalty.facts import MemberRef as Ref
from loyalty.redemptions import RedemptionView
from loyalty.setup import Setup
from loyalty.units import format_minor
from loyalty_graphql.access import allow, reached
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.ids import node_id, read_node_id
from loyalty_graphql.nodes import Node
from loyalty_graphql.scalars import Decimal
from loyalty_tenants.principal import Role

if TYPE_CHECKING:
    from loyalty_graphql.members import Member


@strawberry.type
@reached
class Redemption(Node):
    """Value that a member spends: reserved (HELD), then CAPTURED, or given back."""

    unit: str
    """Code of the unit."""
    program: str | None
    """Slug of the program that it is spent in."""
    state: str
    """HELD, CAPTURED, RELEASED (given back on request), LAPSED (its time was over) or REVERSED."""
    amount: Decimal
    """What was asked for and reserved."""
    captured: Decimal
    """What was settled of it; the rest went back."""
    order: str | None
    """The order it pays for, as the client names it."""
    held_until: datetime | None
    """When an open reservation lapses; null for one that was captured at once."""
    created_at: datetime
    """When it was asked for."""
    member_id: strawberry.Private[UUID]

    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="members:read")
    @allow(Role.MEMBER, scope="self:read")
    async def member(
        self, info: RequestInfo
    ) -> Annotated["Member", strawberry.lazy("loyalty_graphql.members")] | None:
        """Whose it is."""
        from loyalty_graphql.members import shown_member

        found = await info.context.loaders.member.load(Ref(id=self.member_id))
        return None if found is None else shown_member(found)


def shown_redemption(view: RedemptionView, setup: Setup) -> Redemption:
    places = setup.places(view.unit) or 0
    program = setup.program_by_id(view.program_id)
    return Redemption(
        id=node_id("Redemption", view.id),
        unit=view.unit,
        program=program.slug if program else None,
        state=view.state,
        amount=Decimal(format_minor(view.amount, places)),
        captured=Decimal(format_minor(view.captured, places)),
        order=view.order_ref,
        held_until=view.held_until,
        created_at=view.created_at,
        member_id=view.member_id,
    )


@strawberry.type
class RedemptionQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="redemptions:read")
    @allow(Role.MEMBER, scope="self:read")
    async def redemption(self, info: RequestInfo, id: strawberry.ID) -> Redemption | None:
        """A redemption by its id; null where there is none, or it is somebody else's.

        :param id: of the redemption
        """
        found = read_node_id(id)
        if found is None or found[0] != "Redemption":
            return None
        return await visible_redemption(info.context, found[1])


async def visible_redemption(context: Context, ident: UUID) -> Redemption | None:
    """The redemption, if the caller may see it."""
    view = await context.loaders.redemption.load(ident)
    if view is None:
        return None
    if context.is_member:
        own = await context.loaders.member.load(Ref(external_id=context.who.subject))
        if own is None or own.id != view.member_id:
            return None
    return shown_redemption(view, await context.setup())
