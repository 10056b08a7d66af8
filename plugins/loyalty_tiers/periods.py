"""The periods over which a ladder adds up, and how long a tier that was reached lasts."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Annotated, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from loyalty.counters import ALWAYS
from loyalty.days import Span, add_months, day_start, local_day
from loyalty_earning.notation import SpanText
from loyalty_earning.section import Section

INSTANT = timedelta(microseconds=1)
MONTHS_MAX = 120
DAYS_MAX = 3_660
KEPT_MAX = 10_000  # periods


class Window(NamedTuple):
    """[since, before) in UTC; both are starts of local days."""

    since: datetime
    before: datetime


ALL = Window(*ALWAYS)


class Kind(StrEnum):
    """What a sum is over."""

    CALENDAR = "calendar"  # periods of so many months, counted from a day of the calendar year
    MEMBERSHIP = "membership"  # periods of so many months, counted from the day of enrolment
    ROLLING = "rolling"  # so many months or days, today included
    LIFETIME = "lifetime"


class Period(Section):
    """What sums are over, in the tenant's time zone."""

    kind: Kind = Kind.CALENDAR
    """calendar (periods that begin on a day of the year), membership (that begin with the day of
    enrolment), rolling (always the last months or days) or lifetime (ever)."""
    months: Annotated[int, Field(strict=True, ge=1, le=MONTHS_MAX)] | None = None
    """Length in months; null: 12. A rolling period may have days instead."""
    days: Annotated[int, Field(strict=True, ge=1, le=DAYS_MAX)] | None = None
    """Length of a rolling period in local days, today included."""
    starts: Annotated[str, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])$")] = "01-01"
    """Of a calendar period: month and day on which the year begins, such as "04-01"."""

    @model_validator(mode="after")
    def _keys_go_with_the_kind(self) -> "Period":
        if self.days is not None and (self.kind is not Kind.ROLLING or self.months is not None):
            raise _fault("days goes with a rolling period that has no months")
        if self.kind is Kind.LIFETIME and self.months is not None:
            raise _fault("a lifetime has no length: leave months out")
        if self.starts != "01-01" and self.kind is not Kind.CALENDAR:
            raise _fault("starts goes with a calendar period")
        if self.kind is Kind.CALENDAR and 12 % self.length and self.length % 12:
            raise _fault("months must divide a year, or be whole years: 1, 2, 3, 4, 6, 12, 24, …")
        return self

    @property
    def length(self) -> int:
        """Of a period in months."""
        return self.months or 12

    @property
    def in_blocks(self) -> bool:
        """Whether one period ends where the next one begins."""
        return self.kind in (Kind.CALENDAR, Kind.MEMBERSHIP)

    @property
    def days_at_most(self) -> int:
        """How many local days one can have."""
        if self.kind is Kind.LIFETIME:
            return 0
        return self.days or 31 * self.length

    def window(self, at: datetime, zone: ZoneInfo, enrolled_at: datetime | None) -> Window:
        """The period that is summed up at an instant."""
        if self.kind is Kind.LIFETIME:
            return ALL
        today = local_day(at, zone)
        if self.kind is Kind.ROLLING:
            return _rolling(today, self.length, self.days, zone)
        return _block(today, self._anchor(today, zone, enrolled_at), self.length, zone)

    def left_at(self, bucket: datetime, zone: ZoneInfo) -> datetime:
        """When a day falls out of a rolling period: the first instant without it."""
        day = local_day(bucket, zone)
        out = day + timedelta(days=self.days) if self.days else add_months(day, self.length)
        while not self.days and _after(out, self.length) <= day:  # of a month that has no such day
            out += timedelta(days=1)
        return day_start(out, zone)

    def later(
        self, window: Window, count: int, zone: ZoneInfo, enrolled: datetime | None
    ) -> Window:
        """The period so many after a given one."""
        for _ in range(count):
            window = self.window(window.before, zone, enrolled)
        return window

    def _anchor(self, today: date, zone: ZoneInfo, enrolled_at: datetime | None) -> date:
        if self.kind is Kind.MEMBERSHIP:
            return local_day(enrolled_at, zone) if enrolled_at is not None else today
        month, day = map(int, self.starts.split("-"))
        # Periods of several years are counted from a fixed one.
        return date(2000, month, day)


# A day is asked for again by every member: each of these is worked out once.


@lru_cache(maxsize=KEPT_MAX)
def _rolling(today: date, months: int, days: int | None, zone: ZoneInfo) -> Window:
    first = today - timedelta(days=days - 1) if days else _after(today, months)
    return Window(day_start(first, zone), day_start(today + timedelta(days=1), zone))


@lru_cache(maxsize=KEPT_MAX)
def _block(today: date, anchor: date, months: int, zone: ZoneInfo) -> Window:
    number = ((today.year - anchor.year) * 12 + today.month - anchor.month) // months
    if add_months(anchor, number * months) > today:
        number -= 1
    return Window(
        day_start(add_months(anchor, number * months), zone),
        day_start(add_months(anchor, (number + 1) * months), zone),
    )


def _after(today: date, months: int) -> date:
    """The first day of the months that end with `today`."""
    return add_months(today, -months) + timedelta(days=1)


class Lasts(StrEnum):
    """How long a tier that was reached is valid."""

    PERIODS = "periods"  # to the end of the period in which it was reached, or of a later one
    SPAN = "span"  # so long, from the day on which it was reached
    WHILE_MET = "while_met"  # as long as the sums are there
    FOREVER = "forever"


class Ends(StrEnum):
    """Where a span of whole days ends."""

    DAY = "day"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class Validity(Section):
    """How long a tier lasts from when it was reached or renewed."""

    lasts: Lasts = Lasts.PERIODS
    """periods (through the end of the period, and of `periods` more), span (so long from the day
    on which it was reached), while_met (while the sums hold) or forever."""
    periods: Annotated[int, Field(strict=True, ge=0, le=12)] = 1
    """Of periods: how many more after the one in which it was reached; 1: until the end of the
    next year."""
    span: SpanText | None = None
    """Of a span: its length, such as P12M."""
    ends: Ends = Ends.DAY
    """Of a span: it ends with the last whole day (day: reached on 20 May, P12M lasts through 19
    May), or with the month, quarter or year of that day."""

    @model_validator(mode="after")
    def _keys_go_with_the_kind(self) -> "Validity":
        if (self.lasts is Lasts.SPAN) != (self.span is not None):
            raise _fault("span goes with `lasts: span`, and only with it")
        return self

    @cached_property
    def parsed(self) -> Span:
        return Span.parse(self.span or "P1D")

    def until(
        self, reached_at: datetime, window: Window, period: Period, zone: ZoneInfo,
        enrolled_at: datetime | None,
    ) -> datetime | None:  # fmt: skip
        """The first instant at which what was reached in a period is valid no more; None: no end
        is known."""
        match self.lasts:
            case Lasts.PERIODS:
                return period.later(window, self.periods, zone, enrolled_at).before
            case Lasts.SPAN:
                return days_later(reached_at, self.parsed, zone, self.ends)
            case _:
                return None


def days_later(at: datetime, span: Span, zone: ZoneInfo, ends: Ends = Ends.DAY) -> datetime:
    """The first instant after so many whole days that begin with the day of `at`."""
    day = add_months(local_day(at, zone), span.months) + timedelta(days=span.days)
    last = day - timedelta(days=1)
    match ends:
        case Ends.DAY:
            return day_start(day, zone)
        case Ends.MONTH:
            return day_start(add_months(last.replace(day=1), 1), zone)
        case Ends.QUARTER:
            first = last.replace(month=last.month - (last.month - 1) % 3, day=1)
            return day_start(add_months(first, 3), zone)
        case Ends.YEAR:
            return day_start(date(last.year + 1, 1, 1), zone)


def boundaries(
    period: Period, buckets: Sequence[datetime], zone: ZoneInfo
) -> list[datetime]:  # the instants at which something drops out of a rolling period
    return sorted({period.left_at(bucket, zone) for bucket in buckets})


def _fault(text: str) -> PydanticCustomError:
    return PydanticCustomError("period", "{fault}", {"fault": text})
