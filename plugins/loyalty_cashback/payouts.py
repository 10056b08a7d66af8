"""How money is paid out, as a tenant writes it: at the checkout, by statement, on request."""

from datetime import date, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from math import ceil
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from loyalty.days import add_months, day_start, local_day
from loyalty.units import ratio
from loyalty_earning.notation import CurrencyAmounts
from loyalty_earning.section import Section
from loyalty_earning.spending import Redemption


class Every(StrEnum):
    """How often statements are paid."""

    WEEK = "week"  # from Monday
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class WithMinimum(Section):
    """A way of paying out that may have a least amount."""

    minimum: CurrencyAmounts | None = None
    """The least that is paid out at once, by currency; null: anything. What is less stays."""

    def least(self, currency: str, places: int) -> int:
        """The least that is paid out, in minor units of a unit of so many places."""
        if self.minimum is None:
            return 1
        least: Fraction = ratio(self.minimum[currency]) * 10**places
        return max(1, ceil(least))


class Statement(WithMinimum):
    """Payouts on days of the calendar: all that a member has available as the day begins."""

    every: Every
    """week, month, quarter or year."""
    day: Annotated[int, Field(strict=True, ge=1, le=28)] = 1
    """Which day of it: of a week 1 is Monday, of a quarter or year it is a day of the first
    month."""

    @model_validator(mode="after")
    def _a_week_has_seven_days(self) -> "Statement":
        if self.every is Every.WEEK and self.day > 7:
            raise PydanticCustomError("day", "a week has the days 1 to 7")
        return self

    def on_or_before(self, today: date) -> date:
        """The newest of its days by a local day."""
        begins = self._begins(today) + timedelta(days=self.day - 1)
        return begins if begins <= today else self._after(begins, -1)

    def next_after(self, at: datetime, zone: ZoneInfo) -> datetime:
        """The instant at which it is paid next."""
        day = self.on_or_before(local_day(at, zone))
        while (begins := day_start(day, zone)) <= at:
            day = self._after(day)
        return begins

    def _begins(self, day: date) -> date:
        match self.every:
            case Every.WEEK:
                return day - timedelta(days=day.weekday())
            case Every.MONTH:
                return day.replace(day=1)
            case Every.QUARTER:
                return day.replace(month=day.month - (day.month - 1) % 3, day=1)
            case Every.YEAR:
                return day.replace(month=1, day=1)

    def _after(self, day: date, times: int = 1) -> date:
        if self.every is Every.WEEK:
            return day + times * timedelta(days=7)
        return add_months(day, times * _MONTHS[self.every])


_MONTHS = {Every.MONTH: 1, Every.QUARTER: 3, Every.YEAR: 12}


class OnRequest(WithMinimum):
    """Payouts that are asked for."""

    members: Annotated[bool, Field(strict=True)] = True
    """Whether members may ask for their own; otherwise only staff and services do."""


class Payouts(Section):
    """The ways in which money is paid out; several may be open at once."""

    checkout: Redemption | None = Redemption()
    """As a tender at the checkout: reserved, captured or released; null: not so."""
    statement: Statement | None = None
    """By itself on days of the calendar; null: not so."""
    on_request: OnRequest | None = None
    """When somebody asks for it; null: not so."""
    grace_days: Annotated[int, Field(strict=True, ge=1, le=366)] | None = 30
    """A payout that comes back gives the money back as it was, with its end. What is past its end
    by then lives on for so many days; null: it is gone."""

    @property
    def grace(self) -> timedelta | None:
        return None if self.grace_days is None else timedelta(days=self.grace_days)
