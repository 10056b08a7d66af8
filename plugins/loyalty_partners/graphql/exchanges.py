"""Exchanges as members and shops ask for them: a quote, then the exchange, perhaps its reversal."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from loyalty.plugin import Connection
from loyalty.setup import Setup
from loyalty.units import format_minor
from loyalty_graphql import texts
from loyalty_graphql.access import allow, money, reached
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.ids import node_id, uuid_of
from loyalty_graphql.member_ref import MemberRef, member_ref
from loyalty_graphql.members import Member
from loyalty_graphql.outcomes import attempted
from loyalty_graphql.scalars import Decimal
from loyalty_partners.graphql import exchanging, taking_back
from loyalty_partners.graphql.agreements import NODE, agreement_key
from loyalty_partners.graphql.quoting import Promised, promise
from loyalty_tenants.principal import Role

QUOTE, EXCHANGE = "ExchangeQuote", "PartnerExchange"
NO_EXCHANGES: Sequence[Any] = ()
SHOWN_MAX = 100


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


@strawberry.field
async def partner_exchanges(
    root: strawberry.Parent[Member], info: RequestInfo
) -> list[PartnerExchange]:
    """The member's exchanges with partners, newest first, at most 100."""
    rows = await info.context.loaders.of(exchanges_of, NO_EXCHANGES).load(root.key)
    setup = await info.context.setup()
    return [shown_exchange(row, setup) for row in rows]


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
        """Take a quote up: the points leave here and arrive at the partner, or neither.

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
        reversed=line["reversed"],
        at=line["occurred_at"],
    )


async def exchanges_of(
    connection: Connection, members: Sequence[UUID]
) -> Mapping[UUID, Sequence[Any]]:
    """The newest exchanges of each of these members."""
    rows = await connection.fetch(
        """select m.*, a.partner,
                  exists (select from loyalty.partners_movement r
                           where r.tenant_id = m.tenant_id and r.of_id = m.id
                             and r.kind = 'REVERSAL') as reversed
             from unnest($1::uuid[]) w (id)
             cross join lateral (
               select * from loyalty.partners_movement m
                where m.tenant_id = (select loyalty.tenant()) and m.member_id = w.id
                  and m.kind = 'EXCHANGE' order by m.occurred_at desc, m.id desc limit $2) m
             join loyalty.partners_agreement a
               on (a.tenant_id, a.id) = (m.tenant_id, m.agreement_id)
            order by m.occurred_at desc, m.id desc""",
        list(members),
        SHOWN_MAX,
    )
    found: dict[UUID, list[Any]] = {}
    for row in rows:
        found.setdefault(row["member_id"], []).append(row)
    return found
