"""Plans: what a subscription costs, for how long, and what comes with it."""

from datetime import date, datetime
from enum import StrEnum
from functools import cached_property
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from loyalty.days import Span, local_day
from loyalty.effects import AccountingClass
from loyalty.units import currency_places, parse_minor
from loyalty_earning.earning_rule import UnitCode
from loyalty_earning.notation import CurrencyAmounts, PositiveText, SpanText
from loyalty_earning.section import Identifier, Name, Names, Section, named_once
from loyalty_earning.terms import Terms
from loyalty_earning.times import LocalDate

PRICES_MAX = 100
PERKS_MAX = 50
GIFTS_MAX = 20


class Price(Section):
    """A fee, from a day on: money by currency, or points."""

    starts: LocalDate | None = None
    """The first day of periods that cost this; null: from ever."""
    money: CurrencyAmounts | None = None
    """The fee in money, by currency; the shop or the payment provider takes it."""
    points: PositiveText | None = None
    """The fee in points instead; they are burnt when a period begins."""
    unit: UnitCode | None = None
    """The unit of a fee in points; null: the program's."""

    @field_validator("points")
    @classmethod
    def _one_of_them(cls, points: str | None, info: ValidationInfo) -> str | None:
        if points is not None and info.data.get("money") is not None:
            raise PydanticCustomError("price", "a fee is in money or in points, not both")
        return points

    def minor(self, currency: str) -> int | None:
        """The fee in a currency's minor units; None: it has none in this one."""
        if self.money is None or currency not in self.money:
            return None
        return parse_minor(self.money[currency], currency_places(currency) or 0, field=currency)


class Perk(Section):
    """Something that comes with a plan and is no points: free shipping, early access."""

    id: Identifier
    """Names the perk for shops and conditions: `"free-shipping" in member.traits["club.perks"]`."""
    label: Name
    """What members read."""
    attributes: Annotated[
        dict[Name, StrictStr | StrictInt | StrictBool],
        Field(default_factory=dict, max_length=20),
    ]
    """What your shop needs to know of it, such as `{over: "0.00"}`."""


class GivenWith(StrEnum):
    """Which periods bring a gift."""

    FIRST = "first"  # once in a member's life with the program: a welcome
    EACH = "each"  # every period that is paid for


class Gift(Section):
    """Points that come with a period that is paid for."""

    id: Identifier
    """Unique in the program and kept for ever: history names the points by it."""
    label: Name
    """What members read beside the points."""
    points: PositiveText
    """How many."""
    given_with: GivenWith = GivenWith.FIRST
    """The first period that is paid for (a welcome, once for each member), or each."""
    unit: UnitCode | None = None
    """The unit that is given; null: the program's."""
    accounting_class: AccountingClass = AccountingClass.SUBSCRIPTION_BENEFIT
    """What the points are to the books."""
    terms: Terms | None = None
    """Terms of these points; null: those of the program."""


def _differ(entries: tuple[Price, ...]) -> tuple[Price, ...]:
    starts = [entry.starts for entry in entries]
    if len(set(starts)) < len(starts):
        raise PydanticCustomError("prices", "two prices start on the same day")
    return entries


class Renewing(StrEnum):
    """Which price the next period of a running subscription has."""

    CURRENT = "current"  # the one of the day on which that period begins
    STARTED = "started"  # the one at which the member subscribed, as long as they stay


class Plan(Section):
    """A plan that members subscribe to."""

    id: Identifier
    """Unique in the program and kept for ever: subscriptions name it."""
    label: Name
    """What members read."""
    period: SpanText | None = None
    """Length of a period, such as P1M or P1Y; null: one fee for life."""
    trial: SpanText | None = None
    """Length of a free trial before the first period, such as P14D; each member has one trial in
    the program. Null: none."""
    prices: Annotated[tuple[Price, ...], Field(max_length=PRICES_MAX), AfterValidator(_differ)] = ()
    """Fees, each from a day on; none: the plan is free."""
    renews_at: Renewing = Renewing.CURRENT
    """The price of the next period: the current one, or the one at which the member started."""
    offered: Annotated[bool, Field(strict=True)] = True
    """Whether members may subscribe to it; who has it keeps it either way."""
    perks: Annotated[tuple[Perk, ...], Field(max_length=PERKS_MAX)] = ()
    """What comes with it and is no points."""
    gifts: Annotated[tuple[Gift, ...], Field(max_length=GIFTS_MAX)] = ()
    """Points that come with the first period or with each."""
    stripe_prices: Names = ()
    """Ids of Stripe's prices that stand for this plan, such as `price_1Mow…`."""

    @field_validator("perks", "gifts")
    @classmethod
    def _ids_differ(cls, entries: tuple[Perk, ...]) -> tuple[Perk, ...]:
        return named_once(entries, "id")

    @cached_property
    def span(self) -> Span | None:
        return None if self.period is None else Span.parse(self.period)

    @cached_property
    def trial_span(self) -> Span | None:
        return None if self.trial is None else Span.parse(self.trial)

    @property
    def is_free(self) -> bool:
        return not self.prices

    def price_on(self, day: date) -> Price | None:
        """The fee of a period that begins on a local day; None: it is free, or not sold yet."""
        known = [one for one in self.prices if one.starts is None or one.starts <= day]
        return max(known, key=lambda one: one.starts or date.min, default=None)

    def price_at(self, at: datetime, zone: ZoneInfo) -> Price | None:
        return self.price_on(local_day(at, zone))

    def renewal_price(self, started: datetime, at: datetime, zone: ZoneInfo) -> Price | None:
        """The fee of the period that begins at `at`, of who subscribed at `started`."""
        return self.price_at(started if self.renews_at is Renewing.STARTED else at, zone)
