"""Terms as clients write and read them: amounts with the places of their units."""

from collections.abc import Mapping
from typing import Any

import strawberry

from loyalty.errors import Code, Refused
from loyalty.units import currency_places, format_minor, parse_minor
from loyalty_graphql import texts
from loyalty_graphql.access import reached
from loyalty_graphql.scalars import Decimal
from loyalty_partners.terms import Flow, Terms

PRICE_PLACES = 9
HOURS_MAX = 24 * 366


@strawberry.input
class FlowInput:
    """One direction of an exchange: so much of the giving brand's unit becomes so much of the other
    one's."""

    burn: Decimal
    """How much of the giver's unit."""
    credit: Decimal
    """How much of the taker's unit that becomes."""
    price: Decimal
    """Money that the giver owes the taker for one whole unit credited, such as "0.0080"."""
    charge: Decimal | None = None
    """Money that the giver owes for each exchange besides; null: none."""
    fee: Decimal | None = None
    """What one exchange costs the member, in the giver's unit; null: nothing."""
    minimum: Decimal | None = None
    """The least that may be offered, in the giver's unit; null: anything."""
    per_member_per_day: Decimal | None = None
    """What a member may exchange in a local day of the giver, without fees; null: no limit."""
    per_day: Decimal | None = None
    """What all members together may; null: no limit."""


@strawberry.input
class ExchangeTermsInput:
    """What is offered to the partner, seen from here."""

    currency: str
    """ISO 4217 code of the money that it is settled in."""
    give: FlowInput | None = None
    """Our points become the partner's; null: they do not."""
    take: FlowInput | None = None
    """The partner's points become ours; null: they do not."""
    reversal_hours: int = 24
    """For how long an exchange may be undone; 0: never."""


@strawberry.type(name="ExchangeFlow")
@reached
class ShownFlow:
    """One direction: so much of the giving brand's unit becomes so much of the other one's."""

    burn: Decimal
    """How much of the giver's unit."""
    credit: Decimal
    """How much of the taker's unit that becomes."""
    price: Decimal
    """Money that the giver owes the taker for one whole unit credited."""
    charge: Decimal
    """Money that the giver owes for each exchange besides."""
    fee: Decimal
    """What one exchange costs the member, in the giver's unit."""
    minimum: Decimal
    """The least that may be offered, in the giver's unit."""
    per_member_per_day: Decimal | None
    """What a member may exchange in a local day of the giver; null: no limit."""
    per_day: Decimal | None
    """What all members together may; null: no limit."""


class Places:
    """Decimal places of both units and the currency."""

    def __init__(self, ours: int, theirs: int, currency: str) -> None:
        self.ours, self.theirs, self.currency = ours, theirs, currency
        self.money = currency_places(currency) or 0


def read_terms(given: ExchangeTermsInput, ours: int, theirs: int) -> Terms:
    """:raises Refused: BAD_AMOUNT, BAD_USER_INPUT, CURRENCY_NOT_LISTED"""
    if currency_places(given.currency) is None:
        raise Refused(
            Code.CURRENCY_NOT_LISTED, "is not an ISO 4217 currency code", field="terms.currency"
        )
    if given.give is None and given.take is None:
        raise texts.bad("terms", "agree on one direction at least: give, take or both")
    if not 0 <= given.reversal_hours <= HOURS_MAX:
        raise texts.bad("terms.reversalHours", f"must be 0 to {HOURS_MAX} hours")
    places = Places(ours, theirs, given.currency)
    give, take = given.give, given.take
    return Terms(
        currency=given.currency,
        give=None if give is None else _flow(give, ours, theirs, places, "terms.give"),
        take=None if take is None else _flow(take, theirs, ours, places, "terms.take"),
        reversal_hours=given.reversal_hours,
    )


def _flow(given: FlowInput, giver: int, taker: int, places: Places, path: str) -> Flow:
    def minor(text: str | None, name: str, places: int, default: int | None) -> int | None:
        return default if text is None else parse_minor(text, places, field=f"{path}.{name}")

    def positive(text: str, name: str, places: int) -> int:
        if (found := parse_minor(text, places, field=f"{path}.{name}")) <= 0:
            raise texts.bad_amount(f"{path}.{name}", "must be more than nothing")
        return found

    parse_minor(given.price, PRICE_PLACES, field=f"{path}.price")
    return Flow(
        burn=positive(given.burn, "burn", giver),
        credit=positive(given.credit, "credit", taker),
        places=taker,
        giver_places=giver,
        price=given.price,
        charge=minor(given.charge, "charge", places.money, 0) or 0,
        fee=minor(given.fee, "fee", giver, 0) or 0,
        minimum=max(1, minor(given.minimum, "minimum", giver, 1) or 1),
        per_member_per_day=minor(given.per_member_per_day, "perMemberPerDay", giver, None),
        per_day=minor(given.per_day, "perDay", giver, None),
    )


def shown_flow(plain: Mapping[str, Any] | None, money: int) -> ShownFlow | None:
    """A flow as it is kept; `money` are the currency's places."""
    if plain is None:
        return None
    flow = Flow(**plain)
    giver = flow.giver_places

    def given(minor: int | None) -> Decimal | None:
        return None if minor is None else Decimal(format_minor(minor, giver))

    return ShownFlow(
        burn=Decimal(format_minor(flow.burn, giver)),
        credit=Decimal(format_minor(flow.credit, flow.places)),
        price=Decimal(flow.price),
        charge=Decimal(format_minor(flow.charge, money)),
        fee=Decimal(format_minor(flow.fee, giver)),
        minimum=Decimal(format_minor(flow.minimum, giver)),
        per_member_per_day=given(flow.per_member_per_day),
        per_day=given(flow.per_day),
    )
