"""A member's choice of what becomes of what ends."""

import strawberry

from loyalty.settlement.request import Recorded
from loyalty_graphql import texts
from loyalty_graphql.access import allow, reached
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.member_ref import MemberRef, member_ref
from loyalty_graphql.outcomes import attempted
from loyalty_points.commands import ChooseDonation
from loyalty_points.graphql.programs import named
from loyalty_tenants.principal import Role


@strawberry.input
class ChooseDonationInput:
    """Whose choice it is, and which."""

    member: MemberRef
    """Whose."""
    program: str
    """Slug of the program."""
    donates: bool
    """Whether what ends is donated from now on."""
    idempotency_key: str
    """A new UUID for each choice; sent again it gives the first answer."""


@strawberry.type
@reached
class ChooseDonationPayload:
    """A choice that was made."""

    donates: bool | None
    """Whether what ends is donated from now on; null where nothing was done."""
    replayed: bool
    """Whether this key was used before and this is the first answer."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
class DonationMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="members:write")
    @allow(Role.MEMBER, scope="self:write")
    async def choose_donation(
        self, info: RequestInfo, input: ChooseDonationInput
    ) -> ChooseDonationPayload:
        """Choose whether what ends of a member's points or rewards is donated instead.

        :param input: whose choice, and which
        """
        done, refused = await attempted(_chosen(info.context, input))
        return ChooseDonationPayload(
            donates=None if done is None else input.donates,
            replayed=done is not None and done.replayed,
            user_errors=user_errors(refused),
        )


async def _chosen(context: Context, given: ChooseDonationInput) -> Recorded:
    _, program, _ = await named(context, given.program)
    command = ChooseDonation(
        member=await context.own(member_ref(given.member)),
        occurred_at=context.api.clock.now(),
        program=program.slug,
        donates=given.donates,
    )
    key = texts.idempotency_key(given.idempotency_key)
    return await context.record(context.request(command, key))
