"""How every mutation about a subscription answers."""

from collections.abc import Awaitable

import strawberry

from loyalty.settlement.request import Recorded
from loyalty_graphql.access import reached
from loyalty_graphql.context import Context
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.outcomes import attempted
from loyalty_subscriptions.graphql.subscriptions import MemberSubscription, shown


@strawberry.type
@reached
class SubscriptionPayload:
    """What the member has of the program after it."""

    subscriptions: list[MemberSubscription]
    """The member's subscriptions of the program as they are now; none where nothing was done."""
    replayed: bool
    """Whether this was asked or told before, and this is the first answer."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


async def answered(
    context: Context, program: str, doing: Awaitable[Recorded]
) -> SubscriptionPayload:
    done, refused = await attempted(doing)
    if done is None:
        return SubscriptionPayload(
            subscriptions=[], replayed=False, user_errors=user_errors(refused)
        )
    assert done.member_id is not None, "it is about a member"
    return SubscriptionPayload(
        subscriptions=await shown(context, done.member_id, program),
        replayed=done.replayed,
        user_errors=[],
    )
