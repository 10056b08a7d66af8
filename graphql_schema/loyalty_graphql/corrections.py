"""Correcting a purchase that was told wrong."""

from datetime import datetime

import strawberry

from loyalty import journal
from loyalty.errors import Code, Refused
from loyalty.facts import MemberRef as Ref
from loyalty.settlement.request import Recorded
from loyalty_graphql import texts
from loyalty_graphql.access import allow, money, reached
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.inputs import compiled
from loyalty_graphql.member_ref import MemberRef, member_ref
from loyalty_graphql.outcomes import attempted
from loyalty_graphql.purchase_input import purchase_fact
from loyalty_graphql.purchase_mutations import LineInput, TenderInput
from loyalty_graphql.purchases import Purchase, shown_purchase
from loyalty_graphql.scalars import Decimal, Json, parse_instant
from loyalty_tenants.principal import Role


@compiled
@strawberry.input
class CorrectPurchaseInput:
    """A purchase as it should have been recorded: the whole basket, not what differs."""

    source: str
    """The system it came from."""
    external_id: str
    """Its id in that system."""
    revision: int
    """Higher than what is recorded; it need not be the next number."""
    currency: str
    """ISO 4217, one of the tenant's."""
    total: Decimal
    """What was paid."""
    member: MemberRef | None = None
    """Who bought; none: as recorded. Another one is refused."""
    occurred_at: datetime | None = None
    """Not used: a correction happened when its purchase did."""
    tax_included: bool = True
    """Whether the amounts contain the tax."""
    lines: list[LineInput] = strawberry.field(default_factory=list)
    """At most 500; none: one line of the total."""
    tenders: list[TenderInput] = strawberry.field(default_factory=list)
    """At most 20, which sum to the total; none: one of kind OTHER."""
    attributes: Json | None = None
    """Whatever else rules may look at: an object."""


@strawberry.type
@reached
class CorrectPurchasePayload:
    """A purchase after it was corrected."""

    purchase: Purchase | None
    """The purchase as it stands now, with what it earned and what was taken back; null where
    nothing was done."""
    replayed: bool
    """Whether this or a newer revision was recorded before and this is its first answer."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
class CorrectionMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="purchases:write")
    @money
    async def correct_purchase(
        self, info: RequestInfo, input: CorrectPurchaseInput
    ) -> CorrectPurchasePayload:
        """Replace a purchase that was told wrong: what it granted is taken back and the basket is
        judged anew, in one transaction, by the programs in force when it happened. An older or the
        same revision is a replay. Goods that came back are no correction: `reversePurchase`.

        :param input: the purchase as it should have been
        """
        context = info.context
        done, refused = await attempted(_corrected(context, input))
        if done is None:
            return CorrectPurchasePayload(
                purchase=None, replayed=False, user_errors=user_errors(refused)
            )
        fact = await context.loaders.fact.load(done.fact_id)
        assert fact is not None
        assert fact.member_id is not None
        purchase = shown_purchase(
            fact.id, fact.member_id, fact.payload, fact.answer, await context.setup()
        )
        return CorrectPurchasePayload(purchase=purchase, replayed=done.replayed, user_errors=[])


async def _corrected(context: Context, given: CorrectPurchaseInput) -> Recorded:
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        first = await journal.purchase(
            connection, texts.name(given.source, field="source", longest=64),
            texts.name(given.external_id, field="externalId"), 1,
        )  # fmt: skip
    if first is None or first.member_id is None:
        raise Refused(
            Code.NOT_FOUND,
            "there is no such purchase: record it with recordPurchase",
            field="externalId",
        )
    member = member_ref(given.member) if given.member else Ref(id=first.member_id)
    given.occurred_at = parse_instant(first.payload["occurred_at"])
    fact = purchase_fact(given, member, await context.setup())  # type: ignore[arg-type]
    return await context.record(context.request(fact))
