"""From when and until when granted points can be used, in the tenant's own days."""

from datetime import datetime
from zoneinfo import ZoneInfo

from loyalty.days import Span, SpanEnd, span_end
from loyalty_points.terms import Terms


def available_at(terms: Terms, occurred_at: datetime, zone: ZoneInfo) -> datetime | None:
    """The instant pending points become usable: the same local time, days later. None: at once."""
    if terms.pending_days == 0:
        return None
    return span_end(occurred_at, Span(days=terms.pending_days), zone, SpanEnd.EXACT)


def expires_at(terms: Terms, occurred_at: datetime, zone: ZoneInfo) -> datetime | None:
    """The first instant at which points earned at `occurred_at` are gone. None: never."""
    if terms.lifetime is None:
        return None
    return span_end(occurred_at, terms.lifetime.parsed, zone, terms.lifetime.ends)
