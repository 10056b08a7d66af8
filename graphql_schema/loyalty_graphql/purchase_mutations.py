"""Recording purchases and returns, one at a time."""

from datetime import datetime

import strawberry

from loyalty import journal
from loyalty.errors import Code, Refused
from loyalty.facts import Fact
from loyalty.purchase import LineKind, TenderKind
from loyalty.settlement.request import Recorded
from loyalty.units import currency_places
from loyalty_graphql.access import allow, money, reached
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.enums import exposed
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.inputs import compiled
from loyalty_graphql.member_ref import MemberRef, member_ref
from loyalty_graphql.outcomes import attempted
from loyalty_graphql.purchase_input import ReturnGiven, purchase_fact, return_fact
from loyalty_graphql.purchases import Purchase, PurchaseReturn, shown_purchase, shown_return
from loyalty_graphql.scalars import Decimal, Json
from loyalty_tenants.principal import Role

exposed(
    LineKind,
    description="What a line of a basket is.",
    values={
        LineKind.PRODUCT: "Goods.",
        LineKind.SHIPPING: "Carriage.",
        LineKind.FEE: "A fee.",
        LineKind.TIP: "A tip.",
        LineKind.GIFT_CARD: "A gift card that is bought.",
    },
)
exposed(
    TenderKind,
    description="How a part of the total was paid.",
    values={
        TenderKind.CARD: "A payment card.",
        TenderKind.CASH: "Cash.",
        TenderKind.STORED_VALUE: "The tenant's own preloaded card or wallet.",
        TenderKind.GIFT_CARD: "A gift card that is redeemed.",
        TenderKind.POINTS: "Points; names the redemption.",
        TenderKind.OTHER: "Anything else.",
    },
)


@compiled
@strawberry.input
class LineInput:
    """A line of a basket. Amounts are of the whole line, not of one piece."""

    amount: Decimal
    """What the line costs before its discount."""
    id: str | None = None
    """Unique in the purchase; default: its position, from 1. Returns name it."""
    sku: str | None = None
    """Stock keeping unit."""
    category: str | None = None
    """Category path, such as `grocery/coffee`."""
    brand: str | None = None
    """Brand."""
    kind: LineKind = LineKind.PRODUCT
    """What it is."""
    quantity: Decimal | None = None
    """How many or how much, with up to 3 decimal places; default: 1."""
    discount: Decimal | None = None
    """What was taken off the line."""
    tax: Decimal | None = None
    """Tax on the line: contained in `amount` or not, as `taxIncluded` says."""
    attributes: Json | None = None
    """Whatever else rules may look at: an object."""


@compiled
@strawberry.input
class TenderInput:
    """A part of the payment."""

    kind: TenderKind
    """How it was paid."""
    amount: Decimal
    """How much of the total."""
    name: str | None = None
    """Which card, voucher or wallet, in the tenant's words."""
    redemption: strawberry.ID | None = None
    """The redemption that pays a tender of kind POINTS."""


@compiled
@strawberry.input
class RecordPurchaseInput:
    """A basket that was paid: total = sum of (amount - discount), plus tax that is not included."""

    member: MemberRef
    """Who bought."""
    source: str
    """The system it comes from; with `externalId` it makes the purchase's key for ever."""
    external_id: str
    """Its id in that system."""
    occurred_at: datetime
    """When it was paid."""
    currency: str
    """ISO 4217, one of the tenant's."""
    total: Decimal
    """What was paid."""
    revision: int = 1
    """A corrected purchase is sent again with the next revision and replaces the one before."""
    tax_included: bool = True
    """Whether the amounts contain the tax."""
    lines: list[LineInput] = strawberry.field(default_factory=list)
    """At most 500; none: one line of the total."""
    tenders: list[TenderInput] = strawberry.field(default_factory=list)
    """At most 20, which sum to the total; none: one of kind OTHER."""
    attributes: Json | None = None
    """Whatever else rules may look at: an object."""


@compiled
@strawberry.input
class ReturnedLineInput:
    """What came back of a line: a quantity or an amount."""

    id: str
    """Id of the line in the purchase."""
    quantity: Decimal | None = None
    """How many came back."""
    amount: Decimal | None = None
    """Or how much of what was charged for it."""


@compiled
@strawberry.input
class ReversePurchaseInput:
    """Goods that came back."""

    source: str
    """The system it comes from, the same as the purchase's."""
    return_id: str
    """Its id there; with `source` it makes the return's key for ever."""
    purchase_external_id: str
    """The purchase's id there. Where it is not here yet, the return waits for it (PARKED)."""
    occurred_at: datetime
    """When they came back."""
    purchase_revision: int | None = None
    """Which revision of the purchase; none: the newest by the time this is recorded."""
    lines: list[ReturnedLineInput] = strawberry.field(default_factory=list)
    """Which lines; none: all that is left of the purchase."""
    attributes: Json | None = None
    """Whatever the tenant wants kept with it: an object."""


@strawberry.type
@reached
class RecordPurchasePayload:
    """A purchase after it was recorded."""

    purchase: Purchase | None
    """The purchase with what it earned; null where nothing was done."""
    replayed: bool
    """Whether it was recorded before and this is the first answer."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
@reached
class ReversePurchasePayload:
    """A return after it was recorded."""

    purchase_return: PurchaseReturn | None
    """The return; null where nothing was done."""
    replayed: bool
    """Whether it was recorded before and this is the first answer."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
class PurchaseMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.SERVICE, Role.PARTNER, Role.OPERATOR, scope="purchases:write")
    @money
    async def record_purchase(
        self, info: RequestInfo, input: RecordPurchaseInput
    ) -> RecordPurchasePayload:
        """Record a purchase once; the tenant's programs react to it.

        :param input: the basket
        """
        context = info.context
        done, refused = await attempted(_purchase(context, input))
        if done is None:
            return RecordPurchasePayload(
                purchase=None, replayed=False, user_errors=user_errors(refused)
            )
        recorded, payload = done
        assert recorded.member_id is not None
        purchase = shown_purchase(
            recorded.fact_id, recorded.member_id, payload, recorded.answer, await context.setup()
        )
        return RecordPurchasePayload(purchase=purchase, replayed=recorded.replayed, user_errors=[])

    @strawberry.mutation
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="purchases:write")
    @money
    async def reverse_purchase(
        self, info: RequestInfo, input: ReversePurchaseInput
    ) -> ReversePurchasePayload:
        """Record a return: what its lines granted is taken back in proportion.

        :param input: what came back
        """
        context = info.context
        done, refused = await attempted(_return(context, input))
        if done is None:
            return ReversePurchasePayload(
                purchase_return=None, replayed=False, user_errors=user_errors(refused)
            )
        recorded, payload = done
        shown = shown_return(recorded.fact_id, payload, recorded.answer, await context.setup())
        return ReversePurchasePayload(
            purchase_return=shown, replayed=recorded.replayed, user_errors=[]
        )


async def _purchase(
    context: Context, given: RecordPurchaseInput
) -> tuple[Recorded, dict[str, object]]:
    fact = purchase_fact(given, member_ref(given.member), await context.setup())
    return await _record(context, fact)


async def _return(
    context: Context, given: ReversePurchaseInput
) -> tuple[Recorded, dict[str, object]]:
    fact = return_fact(given, await places_of(context, given))
    return await _record(context, fact)


async def _record(context: Context, fact: Fact) -> tuple[Recorded, dict[str, object]]:
    recorded = await context.record(context.request(fact))
    return recorded, context.api.plugins.codec.dump(fact)


async def places_of(context: Context, given: ReturnGiven) -> int:
    """Decimal places of the currency of a return's purchase; of the tenant's where it is not here.

    :raises Refused: an amount of a purchase that is not here, where currencies differ in places
    """
    if not any(line.amount is not None for line in given.lines):
        return 0
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        fact = await journal.purchase(
            connection, given.source, given.purchase_external_id, given.purchase_revision
        )
    if fact is not None and fact.kind == "PurchaseRecorded":
        return currency_places(fact.payload["currency"]) or 0
    setup = await context.setup()
    places = {currency_places(currency) or 0 for currency in setup.currencies}
    if len(places) != 1:
        raise Refused(
            Code.BAD_AMOUNT,
            "the purchase is not here yet and its currency unknown: return quantities",
            field="lines.0.amount",
        )
    return places.pop()
