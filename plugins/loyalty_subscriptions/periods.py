"""Periods of a subscription: counted from its anchor, so that a month that ends early costs no day.

From 31 January the first month ends on 28 February and the second on 31 March.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from loyalty.days import Span, SpanEnd, span_end

INSTANT = timedelta(microseconds=1)
FOREVER = datetime(9999, 12, 31, tzinfo=UTC)
"""The end of what is paid for life."""


def end_of(anchor: datetime, period: Span | None, number: int, zone: ZoneInfo) -> datetime:
    """The first instant after the `number`-th period (the first is 1); None: it has no end."""
    if period is None:
        return FOREVER
    span = Span(months=period.months * number, days=period.days * number)
    return span_end(anchor, span, zone, SpanEnd.EXACT)


def anchor_of(anchor: datetime, period: Span | None, starts: datetime, zone: ZoneInfo) -> datetime:
    """What a period that begins at `starts` counts from: the anchor, where one before it ends then.

    Otherwise from its own begin: after a pause, or a period of another length, what is left to the
    next end that counts from the old anchor may be an hour, and a whole fee is paid for it.
    """
    if period is None or starts == anchor:
        return anchor
    if starts > anchor and next_end(anchor, period, starts - INSTANT, zone) == starts:
        return anchor
    return starts


def next_end(anchor: datetime, period: Span | None, after: datetime, zone: ZoneInfo) -> datetime:
    """The end of the period in which `after` lies: the first end that is later."""
    if period is None:
        return FOREVER
    longest = period.months * 31 + period.days  # days: never too far, and near
    number = max(1, (after - anchor).days // longest)
    while (end := end_of(anchor, period, number, zone)) <= after:
        number += 1
    return end


def days_later(at: datetime, days: int, zone: ZoneInfo) -> datetime:
    """The same local time so many days later."""
    return at if days == 0 else span_end(at, Span(days=days), zone, SpanEnd.EXACT)
