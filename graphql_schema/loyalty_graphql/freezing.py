"""Freezing members: they go on earning, and spend nothing until they are unfrozen."""

import strawberry

from loyalty.facts import MemberFrozen, MemberUnfrozen
from loyalty.settlement.request import Recorded
from loyalty_graphql import texts
from loyalty_graphql.access import allow
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.member_mutations import MemberPayload, member_payload
from loyalty_graphql.member_ref import MemberRef, member_ref
from loyalty_graphql.outcomes import attempted
from loyalty_tenants import audit
from loyalty_tenants.principal import Role


@strawberry.input
class FreezeMemberInput:
    """Who is to spend nothing for now."""

    member: MemberRef
    """Who."""
    reason: str
    """Why; staff read it, the member does not."""


@strawberry.input
class UnfreezeMemberInput:
    """Who may spend again."""

    member: MemberRef
    """Who."""
    reason: str = ""
    """Why; kept with the fact."""


@strawberry.type
class FreezeMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="members:freeze")
    async def freeze_member(self, info: RequestInfo, input: FreezeMemberInput) -> MemberPayload:
        """Let a member spend nothing. What happens to them is recorded and earns as before; what
        they reserved before can still be captured.

        :param input: who, and why
        """
        reason = input.reason
        done, refused = await attempted(_recorded(info.context, input.member, reason, freeze=True))
        return await member_payload(info.context, done, refused)

    @strawberry.mutation
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="members:freeze")
    async def unfreeze_member(self, info: RequestInfo, input: UnfreezeMemberInput) -> MemberPayload:
        """Let a frozen member spend again.

        :param input: who
        """
        reason = input.reason
        done, refused = await attempted(_recorded(info.context, input.member, reason, freeze=False))
        return await member_payload(info.context, done, refused)


async def _recorded(context: Context, who: MemberRef, reason: str, *, freeze: bool) -> Recorded:
    """:raises Refused: MEMBER_FROZEN, NOT_FROZEN, MEMBER_CLOSED, MEMBER_NOT_FOUND"""
    now = context.api.clock.now()
    if freeze or reason:
        reason = texts.words(reason, field="reason", longest=1000)
    kind = MemberFrozen if freeze else MemberUnfrozen
    fact = kind(member=member_ref(who), occurred_at=now, reason=reason)
    recorded = await context.record(context.request(fact))
    async with context.api.database.tenant(context.tenant_id) as connection:
        await audit.write(
            connection,
            context.actor,
            action="member.freeze" if freeze else "member.unfreeze",
            subject=f"member:{recorded.member_id}",
            details={"reason": reason},
            now=now,
        )
    return recorded
