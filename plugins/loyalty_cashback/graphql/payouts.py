"""Payouts as they are shown, and lists of them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from loyalty.facts import MemberRef as Ref
from loyalty.setup import Program, Setup
from loyalty.units import format_minor
from loyalty_cashback import reading
from loyalty_cashback.payout import State, Way
from loyalty_cashback.reading import PayoutView, Place
from loyalty_graphql.access import allow, only, reached
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.cursors import Position
from loyalty_graphql.enums import exposed
from loyalty_graphql.ids import node_id
from loyalty_graphql.members import Member, shown_member
from loyalty_graphql.paging import Connection
from loyalty_graphql.scalars import Decimal
from loyalty_tenants.principal import Role

exposed(
    State,
    name="PayoutState",
    description="Where a payout stands. It never goes back to a state before.",
    values={
        State.REQUESTED: "It is out of the member's balance and not known to be paid.",
        State.PAID: "It was paid.",
        State.FAILED: "It could not be paid: the member has the money again.",
        State.RETURNED: "It was paid and came back: the member has the money again.",
    },
)
exposed(
    Way,
    name="PayoutWay",
    description="What a payout was caused by.",
    values={
        Way.STATEMENT: "A day of the program's statements.",
        Way.REQUEST: "Somebody asked for it.",
    },
)


@strawberry.type
@reached
class Payout:
    """Money of a member that leaves the program."""

    id: strawberry.ID
    """Opaque and globally unique; names it in `recordPayout`."""
    program: str | None
    """Slug of the program."""
    way: Way
    """What it was caused by."""
    day: str | None
    """Of a statement: its local day, such as 2026-04-01."""
    unit: str
    """Code of the unit that it was taken from."""
    currency: str
    """ISO 4217 code of what is paid."""
    amount: Decimal
    """How much."""
    state: State
    """Where it stands."""
    destination: str | None
    """Where it goes, as whoever asked for it calls it."""
    reference: Annotated[
        str | None, only(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="redemptions:read")
    ]
    """What who pays it calls it."""
    reason: str | None
    """Why it could not be paid or came back."""
    requested_at: datetime
    """When it was asked for, or its statement fell due."""
    changed_at: datetime
    """Since when it is in its state."""
    member_id: strawberry.Private[UUID]

    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="members:read")
    @allow(Role.MEMBER, scope="self:read")
    async def member(self, info: RequestInfo) -> Member | None:
        """Whose it is."""
        found = await info.context.loaders.member.load(Ref(id=self.member_id))
        return None if found is None else shown_member(found)


@strawberry.field
async def payouts(
    root: strawberry.Parent[Member],
    info: RequestInfo,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
) -> Connection[Payout]:
    """What of the member's cashback was paid out, newest first.

    :param first: how many, at most 100
    :param after: a cursor of this list
    :param last: how many from the end, at most 100
    :param before: a cursor of this list
    """
    context, setup = info.context, await info.context.setup()
    page = context.api.paging.page(
        context.tenant_id, f"Member.payouts:{root.key}",
        first=first, after=after, last=last, before=before,
    )  # fmt: skip
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        found = await reading.of_member(
            connection, root.key, beyond=_place(page.beyond), count=page.fetch,
            backward=page.backward,
        )  # fmt: skip
    return context.api.paging.connection(
        page, found, node=lambda view: shown_payout(view, setup), position=lambda view: view.place
    )


@strawberry.type
class PayoutQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="redemptions:read")
    async def payouts(
        self,
        info: RequestInfo,
        program: str,
        state: State | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Payout] | None:
        """The payouts of a program, newest first; null where there is no such cashback program.

        :param program: slug of the program
        :param state: only those of a state
        :param first: how many, at most 100
        :param after: a cursor of this list
        :param last: how many from the end, at most 100
        :param before: a cursor of this list
        """
        context, setup = info.context, await info.context.setup()
        page = context.api.paging.page(
            context.tenant_id, f"Query.payouts:{program}:{state}",
            first=first, after=after, last=last, before=before,
        )  # fmt: skip
        if (asked := _cashback(setup, program)) is None:
            return None
        async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
            found = await reading.of_program(
                connection, asked.id, None if state is None else state.value,
                beyond=_place(page.beyond), count=page.fetch, backward=page.backward,
            )  # fmt: skip
        return context.api.paging.connection(
            page, found, node=lambda view: shown_payout(view, setup),
            position=lambda view: view.place,
        )  # fmt: skip


async def payout_of(context: Context, ident: UUID) -> PayoutView | None:
    """A payout of the tenant, as it is now."""
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        return (await reading.by_ids(connection, [ident])).get(ident)


def shown_payout(view: PayoutView, setup: Setup) -> Payout:
    program = setup.program_by_id(view.program_id)
    return Payout(
        id=node_id("Payout", view.id),
        program=program.slug if program else None,
        way=Way(view.way),
        day=view.day,
        unit=view.unit,
        currency=view.currency,
        amount=Decimal(format_minor(view.amount, setup.places(view.unit) or 0)),
        state=State(view.state),
        destination=view.destination,
        reference=view.reference,
        reason=view.reason,
        requested_at=view.requested_at,
        changed_at=view.changed_at,
        member_id=view.member_id,
    )


def _cashback(setup: Setup, slug: str) -> Program | None:
    program = setup.program(slug)
    return program if program is not None and program.kind == "cashback" else None


def _place(beyond: Position | None) -> Place | None:
    if beyond is None:
        return None
    at, ident = beyond
    return datetime.fromisoformat(str(at)), UUID(str(ident))
