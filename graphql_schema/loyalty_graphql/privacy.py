"""A copy of all that is held about a member, and an end of it."""

import strawberry

from loyalty import members
from loyalty.facts import MemberClosed, MemberErased
from loyalty.facts import MemberRef as Ref
from loyalty.privacy import exporting
from loyalty.privacy.exporting import Held
from loyalty.settlement.request import Recorded
from loyalty_graphql.access import allow, reached
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.member_ref import MemberRef, member_ref
from loyalty_graphql.members import Member, shown_member
from loyalty_graphql.outcomes import attempted
from loyalty_graphql.paging import Connection, Page
from loyalty_graphql.scalars import Json
from loyalty_tenants import audit
from loyalty_tenants.principal import Role
from loyalty_tenants.privacy.erasures import Erased

PAGES = 4  # of facts, in one request


@strawberry.type
@reached
class HeldRow:
    """One row that is about a member, as the platform keeps it."""

    table: str
    """What it is one of, such as `fact`, `lot` or `subscription`."""
    row: Json
    """Its fields by name."""


@strawberry.input
class EraseMemberInput:
    """Who is to be erased."""

    member: MemberRef
    """Who. Once they are erased only their id names them."""


@strawberry.type
@reached
class EraseMemberPayload:
    """A member who is nobody any more."""

    member: Member | None
    """What stays: the id, a made-up external id, the balances' past. Null: nothing was done."""
    complete: bool
    """Whether all of it is gone; else a worker is at it, and asking again says how far it is."""
    replayed: bool
    """Whether somebody erased this member before; what came since went now."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
class PrivacyQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="members:export")
    async def member_data(
        self,
        info: RequestInfo,
        by: MemberRef,
        first: int | None = None,
        after: str | None = None,
    ) -> Connection[HeldRow] | None:
        """All that is held about a member, table by table; null where there is no such member.
        That it was asked for is in the audit trail.

        :param by: who
        :param first: how many rows, at most 100
        :param after: a cursor of this list
        """
        context = info.context
        page = context.api.paging.page(
            context.tenant_id, "Query.memberData", first=first, after=after
        )
        found = await _held(context, member_ref(by, "by"), page)
        if found is None:
            return None
        return context.api.paging.connection(
            page, found, node=_shown, position=lambda held: held.position
        )


@strawberry.type
class PrivacyMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="members:erase")
    async def erase_member(self, info: RequestInfo, input: EraseMemberInput) -> EraseMemberPayload:
        """Erase a member for good. The membership ends as `closeMember` ends it; then names,
        identifiers, attributes and free text are taken away wherever they are kept. What was
        posted stays under the member's id. Nobody can take it back.

        :param input: who
        """
        context = info.context
        done, refused = await attempted(_erased(context, member_ref(input.member)))
        if done is None:
            return EraseMemberPayload(
                member=None, complete=False, replayed=False, user_errors=user_errors(refused)
            )
        context.written()
        member = await context.loaders.member.load(Ref(id=done.member_id))
        return EraseMemberPayload(
            member=None if member is None else shown_member(member),
            complete=done.complete,
            replayed=done.replayed,
            user_errors=[],
        )


async def _erased(context: Context, ref: Ref) -> Erased:
    async def record(fact: MemberClosed | MemberErased) -> Recorded:
        return await context.record(context.request(fact))

    return await context.api.erasures.erase(
        context.tenant_id, ref, context.actor, record, pages=PAGES
    )


async def _held(context: Context, ref: Ref, page: Page) -> list[Held] | None:
    """A page of rows; the first one leaves its entry in the audit trail."""
    beyond = None if page.beyond is None else (int(page.beyond[0]), int(page.beyond[1]))  # type: ignore[arg-type]
    async with context.api.database.tenant(context.tenant_id) as connection:
        found = await members.find(connection, ref)
        if found is None:
            return None
        if beyond is None:
            await audit.write(
                connection,
                context.actor,
                action="member.export",
                subject=f"member:{found.id}",
                now=context.api.clock.now(),
            )
        registry = context.api.erasures.registry
        return await exporting.page(connection, registry, found.id, beyond=beyond, count=page.fetch)


def _shown(held: Held) -> HeldRow:
    return HeldRow(table=held.table, row=Json(held.row))
