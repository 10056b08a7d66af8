"""From when and until when granted points can be used, in the tenant's own days."""

from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from loyalty.counters import ALWAYS
from loyalty.days import Span, SpanEnd, day_start, span_end
from loyalty.effects import AT_ACTIVATION
from loyalty.view import View
from loyalty_earning.standing import holds
from loyalty_earning.terms import CountedFrom, Lifespan, Terms


class Instants(NamedTuple):
    """When points can be used, are settled and end; None: at once, never settled, never."""

    available_at: datetime | None
    settles_at: datetime | None
    expires_at: datetime | None


def instants(terms: Terms, occurred_at: datetime, view: View) -> Instants:
    """Of points that are granted now, to the member of the view."""
    zone = view.setup.zone
    available = None if terms.are_usable_at_once else available_at(terms, occurred_at, zone)
    settles = None if terms.return_window_days is None else settles_at(terms, occurred_at, zone)
    if never(terms, occurred_at, view):
        return Instants(available, settles, None)
    return Instants(available, settles, expires_at(terms, occurred_at, zone))


def available_at(terms: Terms, occurred_at: datetime, zone: ZoneInfo) -> datetime | None:
    """The instant pending points become usable: the same local time, days later, or when a day
    begins. None: at once."""
    if terms.waits_for_activation:
        return AT_ACTIVATION
    if terms.usable_from is not None:
        begins = day_start(terms.usable_from, zone)
        return begins if begins > occurred_at else None
    return _days_later(terms.days_until_usable, occurred_at, zone)


def settles_at(terms: Terms, occurred_at: datetime, zone: ZoneInfo) -> datetime | None:
    """The instant the return window closes. None: nobody said how long it is."""
    return _days_later(terms.return_window_days or 0, occurred_at, zone)


def expires_at(terms: Terms, occurred_at: datetime, zone: ZoneInfo) -> datetime | None:
    """The first instant at which points earned at `occurred_at` are gone. None: never."""
    if terms.usable_through is not None:
        return day_start(terms.usable_through + timedelta(days=1), zone)
    if (lifetime := terms.lifetime) is None:
        return None
    if lifetime.counted_from is not CountedFrom.EARNED:
        if terms.waits_for_activation:
            return None  # their lifetime begins with the activation
        occurred_at = available_at(terms, occurred_at, zone) or occurred_at
    return span_end(occurred_at, lifetime.parsed, zone, lifetime.ends)


def may_have_ended(terms: Terms, since: datetime, at: datetime, zone: ZoneInfo) -> bool:
    """Whether anything that was earned since an instant may be gone by another."""
    if terms.usable_through is None and terms.lifetime is None:
        return False
    if since <= ALWAYS[0]:
        return True
    ends = expires_at(terms, since, zone)
    return ends is not None and ends <= at


def end_of(lifespan: Lifespan, since: datetime, zone: ZoneInfo) -> datetime:
    """The first instant that no longer belongs to a lifespan counted from `since`."""
    return span_end(since, lifespan.parsed, zone, lifespan.ends)


def never(terms: Terms, at: datetime, view: View) -> bool:
    """Whether a condition that holds for the member keeps points from ending."""
    condition = None if terms.lifetime is None else terms.lifetime.condition
    return condition is not None and holds(condition, at, view)


def _days_later(days: int, at: datetime, zone: ZoneInfo) -> datetime | None:
    return None if days == 0 else span_end(at, Span(days=days), zone, SpanEnd.EXACT)
