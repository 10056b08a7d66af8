"""What an outside brand agrees to, as clients write it."""

import strawberry

from loyalty.errors import Code, Refused
from loyalty.units import currency_places, parse_minor
from loyalty_graphql import texts
from loyalty_graphql.scalars import Decimal
from loyalty_partners.graphql.terms_input import PRICE_PLACES
from loyalty_partners.issuing import Conversion, Issuing

CONVERSIONS_MAX = 100


@strawberry.input
class ConversionInput:
    """What one kind of activity is worth."""

    activity: str
    """What the brand calls it, such as `purchase`."""
    points: Decimal
    """So many of our points ..."""
    per: Decimal | None = None
    """... for every so much money, rounded down. Null: just so many."""


@strawberry.input
class IssuingTermsInput:
    """What an outside brand may give and pays."""

    currency: str
    """ISO 4217 code of the money that it pays in and its amounts are in."""
    price: Decimal
    """What it pays for one point, such as "0.012"."""
    prepaid: bool
    """Whether it buys packs ahead; false: it pays afterwards, by the statement."""
    conversions: list[ConversionInput]
    """What its activities are worth."""
    worth: Decimal | None = None
    """What a point is worth alone: the part of the price that stands against it."""
    marketing: Decimal | None = None
    """What the brand gets besides, by point: the part of the price that is earned at once."""
    per_member_per_day: Decimal | None = None
    """What it may give one member in a local day; null: no limit."""
    per_day: Decimal | None = None
    """What it may give in a local day in all; null: no limit."""
    alert_below: Decimal | None = None
    """Told as `partners.funds_low.v1` when less is left of its packs; null: never."""


def read_issuing(given: IssuingTermsInput, places: int) -> Issuing:
    """:raises Refused: BAD_AMOUNT, BAD_USER_INPUT, CURRENCY_NOT_LISTED"""
    money = currency_places(given.currency)
    if money is None:
        raise Refused(
            Code.CURRENCY_NOT_LISTED, "is not an ISO 4217 currency code", field="terms.currency"
        )
    if (given.worth is None) != (given.marketing is None):
        raise texts.bad("terms.worth", "a split needs both: worth and marketing")
    for name in ("price", "worth", "marketing"):
        if (text := getattr(given, name)) is not None:
            parse_minor(text, PRICE_PLACES, field=f"terms.{name}")

    def points(text: str | None, name: str) -> int | None:
        return None if text is None else parse_minor(text, places, field=f"terms.{name}")

    return Issuing(
        currency=given.currency,
        price=given.price,
        places=places,
        prepaid=given.prepaid,
        conversions=_conversions(given.conversions, places, money),
        worth=given.worth,
        marketing=given.marketing,
        per_member_per_day=points(given.per_member_per_day, "perMemberPerDay"),
        per_day=points(given.per_day, "perDay"),
        alert_below=points(given.alert_below, "alertBelow"),
    )


def _conversions(given: list[ConversionInput], places: int, money: int) -> tuple[Conversion, ...]:
    if not 1 <= len(given) <= CONVERSIONS_MAX:
        raise texts.bad("terms.conversions", f"name 1 to {CONVERSIONS_MAX} activities")
    found: dict[str, Conversion] = {}
    for index, one in enumerate(given):
        path = f"terms.conversions.{index}"
        activity = texts.name(one.activity, field=f"{path}.activity", longest=60)
        if activity in found:
            raise texts.bad(f"{path}.activity", "is named twice")
        points = parse_minor(one.points, places, field=f"{path}.points")
        per = None if one.per is None else parse_minor(one.per, money, field=f"{path}.per")
        if points == 0 or per == 0:
            raise texts.bad_amount(f"{path}.points", "must be more than nothing, and per as well")
        found[activity] = Conversion(activity=activity, points=points, per=per)
    return tuple(found.values())
