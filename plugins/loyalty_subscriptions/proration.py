"""What of a fee is used at an instant, and what is left to give back. Whole minor units."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from loyalty.days import Span, SpanEnd, add_months, local_day, span_end
from loyalty.units import Rounding, divided
from loyalty_subscriptions.periods import FOREVER
from loyalty_subscriptions.policies import Refund

MONTHS_MAX = 12 * 200  # of a period


def unused(
    amount: int, starts: datetime, ends: datetime, at: datetime, policy: Refund, zone: ZoneInfo
) -> int:
    """What goes back of a fee of `amount` for a period that ends at `at` instead of at `ends`.

    What was used is rounded half up to the minor unit, the rest goes back, so both sum to the fee:
    of 99.00 for a year after three months 24.75 were used and 74.25 go back. A day or month that
    has begun was used. What was paid for life is used at once.
    """
    if policy is Refund.NONE or amount == 0:
        return 0
    if policy is Refund.FULL or at <= starts:
        return amount
    if ends == FOREVER or at >= ends:
        return 0
    parts = _days(starts, ends, at, zone)
    if policy is Refund.PRORATE_MONTHS:
        parts = _months(starts, ends, at, zone)
    used, of = parts
    return amount - divided(amount * min(used, of), of, Rounding.HALF_UP)


def within(starts: datetime, at: datetime, days: int | None, zone: ZoneInfo) -> bool:
    """Whether `at` lies within so many days of `starts`."""
    return days is not None and at < span_end(starts, Span(days=days), zone, SpanEnd.EXACT)


def _days(starts: datetime, ends: datetime, at: datetime, zone: ZoneInfo) -> tuple[int, int]:
    first = local_day(starts, zone)
    whole = max(1, (local_day(ends, zone) - first).days)
    used = (local_day(at, zone) - first).days
    exact = span_end(starts, Span(days=used), zone, SpanEnd.EXACT) if used else starts
    return used + (at > exact), whole


def _months(starts: datetime, ends: datetime, at: datetime, zone: ZoneInfo) -> tuple[int, int]:
    """Of a period that is no whole number of months the last part counts as one."""
    return _begun(starts, at, zone), _begun(starts, ends - timedelta(microseconds=1), zone)


def _begun(starts: datetime, at: datetime, zone: ZoneInfo) -> int:
    """How many months that count from `starts` have begun before `at`."""
    first = starts.astimezone(zone).date()
    last = at.astimezone(zone).date()
    months = max(0, (last.year - first.year) * 12 + last.month - first.month - 1)
    while months < MONTHS_MAX:
        day = add_months(first, months)
        exact = datetime.combine(day, starts.astimezone(zone).time(), zone)
        if exact >= at:
            break
        months += 1
    return months
