"""Previews: what a purchase would earn, without recording it."""

import strawberry

from loyalty.errors import Refused
from loyalty.settlement.request import Recorded
from loyalty_graphql.access import allow, reached
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.input_paths import in_input_words
from loyalty_graphql.member_ref import member_ref
from loyalty_graphql.outcomes import attempted
from loyalty_graphql.purchase_input import purchase_fact
from loyalty_graphql.purchase_mutations import RecordPurchaseInput
from loyalty_graphql.purchases import Earned, shown_earned
from loyalty_tenants.principal import Role


@strawberry.type
@reached
class PurchasePreview:
    """What a purchase would earn if it were recorded now."""

    earned: list[Earned]
    """What the member would be given. Draws of luck are left out."""
    user_errors: list[UserError]
    """Why it would be refused; empty where it would not."""


@strawberry.type
class PreviewQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="purchases:read")
    @allow(Role.MEMBER, scope="self:read")
    async def preview_purchase(
        self, info: RequestInfo, input: RecordPurchaseInput
    ) -> PurchasePreview:
        """What a purchase would earn. Nothing is recorded, and no key is used.

        :param input: the basket
        """
        done, refused = await attempted(_previewed(info.context, input))
        earned = [] if done is None else shown_earned(done.answer, await info.context.setup())
        return PurchasePreview(earned=earned, user_errors=user_errors(refused))


async def _previewed(context: Context, given: RecordPurchaseInput) -> Recorded:
    member = await context.own(member_ref(given.member))
    fact = purchase_fact(given, member, await context.setup())
    outcome = await context.api.recorder.preview(
        context.tenant_id,
        context.request(fact),
    )
    if isinstance(outcome, Refused):
        raise in_input_words(outcome)
    return outcome
