"""Exchanges as members and shops ask for them: a quote, then the exchange, perhaps its reversal."""

from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from loyalty.setup import Setup
from loyalty.units import format_minor
from loyalty_graphql import texts
from loyalty_graphql.access import allow, money, reached
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.ids import node_id, uuid_of
from loyalty_graphql.member_ref import MemberRef, member_ref
from loyalty_graphql.outcomes import attempted
from loyalty_graphql.scalars import Decimal
from loyalty_partners.graphql import exchanging, taking_back
from loyalty_partners.graphql.agreements import NODE, agreement_key
from loyalty_partners.graphql.enums import LegState
from loyalty_partners.graphql.quoting import Promised, promise
from loyalty_tenants.principal import Role

QUOTE, EXCHANGE = "ExchangeQuote", "PartnerExchange"


@strawberry.type
@reached
class ExchangeQuote:
    """What an exchange comes to, promised until it expires."""

    id: strawberry.ID
    """To be taken up by."""
    partner: str
    """The partner's slug."""
    offered: Decimal
    """What the member offers, in our unit."""
    burned: Decimal
    """What of it becomes the partner's."""
    fee: Decimal
    """What of it the exchange costs."""
    kept: Decimal
    """What of it stays with the member: too little to become anything."""
    credited: Decimal
    """What the member gets, in the partner's unit."""
    rate_burn: Decimal
    """The rate: so much of our unit ..."""
    rate_credit: Decimal
    """... becomes so much of the partner's, rounded down."""
    expires_at: datetime
    """Until when it can be taken up."""


@strawberry.type
@reached
class PartnerExchange:
    """Our half of an exchange, or of what was earned or spent at a till of a coalition."""

    id: strawberry.ID
    """Opaque; the same on both sides."""
    agreement: strawberry.ID
    """Id of the agreement with the partner."""
    partner: str
    """The partner's slug."""
    outgoing: bool
    """Whether our points became the partner's; false: the other way round."""
    unit: str
    """Code of our unit; where the partner keeps the points, of its unit."""
    points: Decimal
    """How much of it was burned, or credited."""
    fee: Decimal
    """What it cost besides, in our unit."""
    state: LegState
    """How far it has come; between brands of one installation it is settled at once."""
    reversed: bool
    """Whether it was undone."""
    at: datetime
    """When it happened."""


@strawberry.input
class QuoteExchangeInput:
    """What a member offers."""

    agreement: strawberry.ID
    """Of the agreement with the partner."""
    member: MemberRef
    """Whose points; they are linked with an account at the partner."""
    amount: Decimal
    """How much of our unit."""


@strawberry.input
class ExchangePointsInput:
    """Which quote is taken up."""

    quote: strawberry.ID
    """Of the quote. Sent again it is answered as before."""


@strawberry.input
class ReverseExchangeInput:
    """Which exchange to undo, and why."""

    exchange: strawberry.ID
    """Of the exchange."""
    reason: str = ""
    """Kept with our half."""


@strawberry.input
class GiveExchangeUpInput:
    """Which exchange to call off."""

    exchange: strawberry.ID
    """Of the exchange; one that is not PENDING stays as it is."""


@strawberry.type
@reached
class ExchangeQuotePayload:
    """A quote."""

    quote: ExchangeQuote | None
    """Null where nothing was promised."""
    user_errors: list[UserError]
    """Why not; empty where it was."""


@strawberry.type
@reached
class ExchangePayload:
    """An exchange after what was asked."""

    exchange: PartnerExchange | None
    """Null where nothing was done."""
    replayed: bool
    """Whether it had been done before."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
class ExchangeMutation:
    @strawberry.mutation
    @allow(Role.SERVICE, Role.ADMIN, Role.OPERATOR, scope="redemptions:write")
    @allow(Role.MEMBER, scope="self:redeem")
    async def quote_exchange(
        self, info: RequestInfo, input: QuoteExchangeInput
    ) -> ExchangeQuotePayload:
        """What a member would get for points at a partner, promised for some minutes.

        :param input: whose points, how many and for which partner's
        """
        done, refused = await attempted(_quoted(info.context, input))
        quote = None if done is None else await _shown_quote(info.context, done)
        return ExchangeQuotePayload(quote=quote, user_errors=user_errors(refused))

    @strawberry.mutation
    @allow(Role.SERVICE, Role.ADMIN, Role.OPERATOR, scope="redemptions:write")
    @allow(Role.MEMBER, scope="self:redeem")
    @money
    async def exchange_points(
        self, info: RequestInfo, input: ExchangePointsInput
    ) -> ExchangePayload:
        """Take a quote up: the points leave here and arrive at the partner, or neither. With a
        partner elsewhere it may be PENDING for a while: send it again, or look at the exchange.

        :param input: which quote
        """
        quote = exchanging.exchange
        return await _told(info.context, input.quote, QUOTE, "quote", quote)

    @strawberry.mutation
    @allow(Role.SERVICE, Role.ADMIN, Role.OPERATOR, scope="redemptions:write")
    @money
    async def reverse_exchange(
        self, info: RequestInfo, input: ReverseExchangeInput
    ) -> ExchangePayload:
        """Undo an exchange, or what a till of a coalition did, within its window and on both
        sides: lots are as they were.

        :param input: which exchange
        """
        context = info.context

        async def undo(context: Context, ident: UUID) -> tuple[Any, bool]:
            reason = input.reason and texts.words(input.reason, field="reason", longest=1000)
            return await taking_back.reverse(context, ident, reason)

        return await _told(context, input.exchange, EXCHANGE, "exchange", undo)

    @strawberry.mutation
    @allow(Role.SERVICE, Role.ADMIN, Role.OPERATOR, scope="redemptions:write")
    @money
    async def give_exchange_up(
        self, info: RequestInfo, input: GiveExchangeUpInput
    ) -> ExchangePayload:
        """Have an exchange called off that a partner elsewhere does not answer: the partner decides
        whether it was credited, and the points come back if it was not.

        :param input: which exchange
        """
        return await _told(info.context, input.exchange, EXCHANGE, "exchange", exchanging.give_up)


async def _quoted(context: Context, given: QuoteExchangeInput) -> Promised:
    ref = await context.own(member_ref(given.member))
    return await promise(context, agreement_key(given.agreement), ref, given.amount)


async def _shown_quote(context: Context, made: Promised) -> ExchangeQuote:
    quote, flow = made.quote, made.flow

    def ours(minor: int) -> Decimal:
        return Decimal(format_minor(minor, flow.giver_places))

    return ExchangeQuote(
        id=node_id(QUOTE, made.id),
        partner=made.half.partner,
        offered=ours(quote.offered),
        burned=ours(quote.burned),
        fee=ours(quote.fee),
        kept=ours(quote.kept),
        credited=Decimal(format_minor(quote.credited, flow.places)),
        rate_burn=ours(flow.burn),
        rate_credit=Decimal(format_minor(flow.credit, flow.places)),
        expires_at=made.expires_at,
    )


async def _told(context: Context, ident: str, kind: str, field: str, do: Any) -> ExchangePayload:
    async def doing() -> tuple[Any, bool]:
        done: tuple[Any, bool] = await do(context, uuid_of(ident, kind, field=field))
        return done

    return await told(context, doing())


async def told(context: Context, doing: Any) -> ExchangePayload:
    """What came of it: our line, and whether it was there before."""
    done, refused = await attempted(doing)
    if done is None:
        return ExchangePayload(exchange=None, replayed=False, user_errors=user_errors(refused))
    line, replayed = done
    return ExchangePayload(
        exchange=shown_exchange(line, await context.setup()), replayed=replayed, user_errors=[]
    )


def shown_exchange(line: Any, setup: Setup) -> PartnerExchange:
    places = setup.places(line["unit"] or "")
    if line["unit"] is None:  # the partner keeps the points
        places = (line["plain"]["give"] or line["plain"]["take"])["places"]
    outgoing = line["points_out"] > 0
    points = line["points_out"] or line["points_in"] or line["partner_points"]
    return PartnerExchange(
        id=node_id(EXCHANGE, line["id"]),
        agreement=node_id(NODE, line["agreement_id"]),
        partner=line["partner"],
        outgoing=outgoing,
        unit=line["unit"] or line["partner_unit"],
        points=Decimal(format_minor(points, places or 0)),
        fee=Decimal(format_minor(line["fee"], places or 0)),
        state=LegState(line["leg"]) if line["leg"] else LegState.SETTLED,
        reversed=line["reversed"],
        at=line["occurred_at"],
    )
