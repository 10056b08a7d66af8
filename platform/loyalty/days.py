"""Local days, months and spans in a tenant's zone.

A local day is [its start, the next day's start): both are computed from the calendar and converted
at the offset of that instant, so a day may have 23 or 25 hours. Spans count from their anchor.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

_SPAN = re.compile(r"P(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,5})D)?", re.ASCII)
MIDNIGHT = time(0)
YEARS_MAX = 200  # the calendar has an end, and nobody's points outlive it


class SpanEnd(StrEnum):
    """Where a span ends: at the exact instant, or at the end of the local day, month or year."""

    EXACT = "exact"
    DAY = "day"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Span:
    """A calendar length: months first, then days, both counted from the anchor."""

    months: int = 0
    days: int = 0

    @classmethod
    def parse(cls, text: str) -> "Span":
        """Read an ISO 8601 date duration such as `P12M`, `P1Y6M` or `P30D`.

        :raises ValueError: not such a duration, or of no length
        """
        match = _SPAN.fullmatch(text)
        if match is None:
            raise ValueError("write an ISO 8601 duration of whole days, such as P12M or P30D")
        years, months, weeks, days = (int(part or 0) for part in match.groups())
        span = cls(months=12 * years + months, days=7 * weeks + days)
        if span == cls():
            raise ValueError("must be at least one day")
        if span.months > 12 * YEARS_MAX or span.days > 366 * YEARS_MAX:
            raise ValueError(f"must be at most {YEARS_MAX} years")
        return span


@lru_cache(maxsize=1_024)  # a purchase writes its own several times, and the end of each lot
def iso(at: datetime | None) -> str | None:
    """An instant in its one written form: UTC, ending in Z."""
    if at is None:
        return None
    if at.tzinfo is not UTC:
        at = at.astimezone(UTC)
    return at.isoformat()[:-6] + "Z"


@lru_cache(maxsize=4_096)  # every purchase of a day asks for it, some of them often
def day_start(day: date, zone: ZoneInfo, starts_at: time = MIDNIGHT) -> datetime:
    """The instant (UTC) at which the local `day` begins; a gap moves it to the gap's end."""
    return datetime.combine(day, starts_at, zone).astimezone(UTC)


@lru_cache(maxsize=64)  # a purchase asks for its own several times
def local_day(at: datetime, zone: ZoneInfo, starts_at: time = MIDNIGHT) -> date:
    """The local (business) day that an instant falls into."""
    day = at.astimezone(zone).date()
    return day if at >= day_start(day, zone, starts_at) else day - timedelta(days=1)


@lru_cache(maxsize=4_096)
def add_months(day: date, months: int) -> date:
    """The same day of a later month, or that month's last day where it is shorter."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def span_end(anchor: datetime, span: Span, zone: ZoneInfo, end: SpanEnd) -> datetime:
    """The first instant (UTC) that no longer belongs to the span counted from `anchor`."""
    local = anchor.astimezone(zone)
    day = local.date()
    if span.months:
        day = add_months(day, span.months)
    if span.days:
        day += timedelta(days=span.days)
    if end is SpanEnd.EXACT:
        return datetime.combine(day, local.time(), zone).astimezone(UTC)
    match end:
        case SpanEnd.DAY:
            return day_start(day + timedelta(days=1), zone)
        case SpanEnd.MONTH:
            return day_start(add_months(day.replace(day=1), 1), zone)
        case SpanEnd.QUARTER:
            first = day.replace(month=day.month - (day.month - 1) % 3, day=1)
            return day_start(add_months(first, 3), zone)
        case SpanEnd.YEAR:
            return day_start(date(day.year + 1, 1, 1), zone)
