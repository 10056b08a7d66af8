"""Activities: what members do besides buying."""

from datetime import datetime

import strawberry

from loyalty.facts import ActivityRecorded
from loyalty.settlement.request import Recorded
from loyalty_graphql import texts
from loyalty_graphql.access import allow, money, reached
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.inputs import compiled
from loyalty_graphql.member_mutations import attributes_of
from loyalty_graphql.member_ref import MemberRef, member_ref
from loyalty_graphql.outcomes import attempted
from loyalty_graphql.purchases import Earned, UnitVersion, shown_earned, shown_versions
from loyalty_graphql.scalars import Json
from loyalty_tenants.principal import Role


@compiled
@strawberry.input
class RecordActivityInput:
    """Something that a member did."""

    member: MemberRef
    """Who."""
    source: str
    """The system it comes from; with `externalId` it makes the activity's key for ever."""
    external_id: str
    """Its id in that system."""
    type: str
    """What it was, such as `check_in`."""
    occurred_at: datetime
    """When."""
    attributes: Json | None = None
    """Whatever rules may look at: an object."""


@strawberry.type
@reached
class RecordActivityPayload:
    """An activity after it was recorded."""

    earned: list[Earned]
    """What the member was given for it."""
    versions: list[UnitVersion]
    """The balances that it moved."""
    replayed: bool
    """Whether it was recorded before and this is the first answer."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
class ActivityMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.SERVICE, Role.PARTNER, Role.OPERATOR, scope="activities:write")
    @money
    async def record_activity(
        self, info: RequestInfo, input: RecordActivityInput
    ) -> RecordActivityPayload:
        """Record an activity once; the tenant's programs react to it.

        :param input: who did what
        """
        done, refused = await attempted(_recorded(info.context, input))
        if done is None:
            return RecordActivityPayload(
                earned=[], versions=[], replayed=False, user_errors=user_errors(refused)
            )
        return RecordActivityPayload(
            earned=shown_earned(done.answer, await info.context.setup()),
            versions=shown_versions(done.answer),
            replayed=done.replayed,
            user_errors=[],
        )


async def _recorded(context: Context, given: RecordActivityInput) -> Recorded:
    fact = ActivityRecorded(
        member=member_ref(given.member),
        occurred_at=given.occurred_at,
        source=texts.name(given.source, field="source", longest=64),
        external_id=texts.name(given.external_id, field="externalId"),
        type=texts.name(given.type, field="type", longest=64),
        attributes=attributes_of(given.attributes),
    )
    return await context.record(context.request(fact))
