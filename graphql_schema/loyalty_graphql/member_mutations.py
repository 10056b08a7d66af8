"""Enrolling, changing and closing members."""

from collections.abc import Sequence
from datetime import datetime

import strawberry

from loyalty import members
from loyalty.errors import Code, Refused
from loyalty.facts import MemberClosed, MemberEnrolled
from loyalty.facts import MemberRef as Ref
from loyalty.settlement.request import Recorded
from loyalty.view import MemberView
from loyalty_graphql import texts
from loyalty_graphql.access import allow, reached
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.member_ref import MemberRef, member_ref
from loyalty_graphql.members import Member, shown_member
from loyalty_graphql.outcomes import attempted
from loyalty_graphql.purchase_input import attributes
from loyalty_graphql.scalars import Json
from loyalty_tenants import audit
from loyalty_tenants.principal import Role

IDENTIFIERS_MAX = 20


@strawberry.input
class EnrollMemberInput:
    """A new member."""

    external_id: str
    """The tenant's own id of the member. Enrolling it again with the same content is a replay."""
    identifiers: list[str] = strawberry.field(default_factory=list)
    """What else the member may be named by, such as card numbers; at most 20, each one person's."""
    attributes: Json | None = None
    """What the tenant keeps about the member: an object."""
    enrolled_at: datetime | None = None
    """When the membership began, within the tenant's window for late facts; default: now."""


@strawberry.input
class UpdateMemberInput:
    """What to change of a member; what is not given stays."""

    member: MemberRef
    """Who."""
    external_id: str | None = None
    """Another external id."""
    attributes: Json | None = None
    """The attributes in their new form, as a whole."""
    add_identifiers: list[str] = strawberry.field(default_factory=list)
    """Identifiers that come."""
    remove_identifiers: list[str] = strawberry.field(default_factory=list)
    """Identifiers that go."""


@strawberry.input
class CloseMemberInput:
    """Who leaves."""

    member: MemberRef
    """Who."""
    reason: str = ""
    """Kept with the fact."""


@strawberry.type
@reached
class MemberPayload:
    """A member after what was asked."""

    member: Member | None
    """As they are now; null where nothing was done."""
    replayed: bool
    """Whether this was done before and this is the first answer."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
class MemberMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="members:write")
    async def enroll_member(self, info: RequestInfo, input: EnrollMemberInput) -> MemberPayload:
        """Enroll a member.

        :param input: who
        """
        done, refused = await attempted(_enrolled(info.context, input))
        return await member_payload(info.context, done, refused)

    @strawberry.mutation
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="members:write")
    async def update_member(self, info: RequestInfo, input: UpdateMemberInput) -> MemberPayload:
        """Change a member's names and attributes.

        :param input: who and what
        """
        view, refused = await attempted(_updated(info.context, input))
        member = None if view is None else shown_member(view)
        return MemberPayload(member=member, replayed=False, user_errors=user_errors(refused))

    @strawberry.mutation
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="members:write")
    async def close_member(self, info: RequestInfo, input: CloseMemberInput) -> MemberPayload:
        """End a membership: what is left is forfeited; the history stays.

        :param input: who
        """
        done, refused = await attempted(_closed(info.context, input))
        return await member_payload(info.context, done, refused)


async def member_payload(
    context: Context, done: Recorded | None, refused: Sequence[Refused]
) -> MemberPayload:
    if done is None:
        return MemberPayload(member=None, replayed=False, user_errors=user_errors(refused))
    found = await context.loaders.member.load(Ref(id=done.member_id))
    member = None if found is None else shown_member(found)
    return MemberPayload(member=member, replayed=done.replayed, user_errors=[])


async def _enrolled(context: Context, given: EnrollMemberInput) -> Recorded:
    fact = MemberEnrolled(
        occurred_at=given.enrolled_at or context.api.clock.now(),
        external_id=texts.name(given.external_id, field="externalId"),
        identifiers=_identifiers(given.identifiers, "identifiers"),
        attributes=attributes(given.attributes),
    )
    try:
        return await _record(context, fact)
    except Refused as refused:
        field = "enrolledAt" if refused.field == "occurredAt" else refused.field
        raise Refused(refused.code, refused.message, field=field, details=refused.details) from None


async def _closed(context: Context, given: CloseMemberInput) -> Recorded:
    reason = given.reason and texts.words(given.reason, field="reason", longest=1000)
    fact = MemberClosed(
        member=member_ref(given.member), occurred_at=context.api.clock.now(), reason=reason
    )
    return await _record(context, fact)


async def _record(context: Context, fact: MemberEnrolled | MemberClosed) -> Recorded:
    return await context.record(context.request(fact))


async def _updated(context: Context, given: UpdateMemberInput) -> MemberView:
    ref = member_ref(given.member)
    add = _identifiers(given.add_identifiers, "addIdentifiers")
    remove = _identifiers(given.remove_identifiers, "removeIdentifiers")
    external_id = given.external_id
    if external_id is not None:
        external_id = texts.name(external_id, field="externalId")
    changed = None if given.attributes is None else attributes(given.attributes)
    async with context.api.database.tenant(context.tenant_id) as connection:
        found = await members.find(connection, ref)
        if found is None:
            raise Refused(Code.MEMBER_NOT_FOUND, "there is no such member", field="member")
        if found.status == "CLOSED":
            raise Refused(Code.MEMBER_CLOSED, "the member left", field="member")
        view = await members.update(
            connection,
            found.id,
            external_id=external_id,
            attributes=changed,
            add_identifiers=add,
            remove_identifiers=remove,
        )
        await audit.write(
            connection,
            context.actor,
            action="member.update",
            subject=f"member:{found.id}",
            details={"added": len(add), "removed": len(remove), "renamed": bool(external_id)},
            now=context.api.clock.now(),
        )
    context.written()
    return view


def _identifiers(values: Sequence[str], field: str) -> tuple[str, ...]:
    if len(values) > IDENTIFIERS_MAX:
        raise Refused(Code.LIMIT_EXCEEDED, f"at most {IDENTIFIERS_MAX} identifiers", field=field)
    named = tuple(texts.name(value, field=f"{field}.{i}") for i, value in enumerate(values))
    if len(set(named)) != len(named):
        raise texts.bad(field, "names one identifier twice")
    return named
