"""Counters: what a program counts, in buckets and windows of the tenant's local time. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from loyalty.days import MIDNIGHT, add_months, day_start, local_day
from loyalty.facts import Fact
from loyalty.view import GrantView

HOUR = timedelta(hours=1)
ALWAYS = (datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC))


class Scope(StrEnum):
    MEMBER = "member"
    TENANT = "tenant"


class Bucket(StrEnum):
    HOUR = "hour"
    DAY = "day"


class Window(StrEnum):
    """Over which buckets a counter is summed, as seen from the fact's instant, in local time."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    LIFETIME = "lifetime"
    ROLLING = "rolling"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """A number kept per member or per tenant, as a function of facts and what they were granted.

    `measure(fact, grants, program)` is pure, so a newly published counter is filled from history.
    It is asked for the recorded fact and for each fact that was emitted at once in answer to it,
    with what that one was granted; `program` is the slug of the program that counts.
    `rolling_days` goes with the ROLLING window: that many local days, today included.
    `kept_days`: rules see it bucket by bucket (`view.buckets`), that many local days back and all
    that came later, and not as a sum; for who asks about periods that begin with each member.

    `returns`: it follows returns. What comes back is taken off again in the bucket in which it was
    counted: `measure` is asked about what is left of the fact and of its grants, so that any order
    of partial returns ends at nothing. A counter that does not follow them counts what was ever
    granted or bought; only a purchase that was corrected leaves every counter. Of
    versions that keep one name, one measures what happens at an instant: `Program.measuring`.

    `bears`: what a return could not take because it was spent, and the program bore, is measured
    still, of what came back as a whole as well (`GrantView.borne`): for what limits what is given.

    `rules`: it measures only grants of these, so it is not asked where none of them gave. None
    named: it is always asked.
    """

    name: str
    scope: Scope
    measure: Callable[[Fact, Sequence[GrantView], str], int]
    window: Window
    bucket: Bucket = Bucket.DAY
    day_starts_at: time = time(0)
    rolling_days: int = 0
    kept_days: int = 0
    returns: bool = False
    bears: bool = False
    rules: frozenset[str] = frozenset()


def stored_as(slug: str, counter: Counter) -> str:
    """The name under which a program's counter is kept.

    Counters that go by one name in two versions but not in the same buckets are two: one is read
    while the other is still filled.
    """
    plain = counter.scope is Scope.MEMBER and counter.bucket is Bucket.DAY
    if plain and counter.day_starts_at == MIDNIGHT:
        return f"{slug}/{counter.name}"  # most are such, and every purchase asks for all of them
    parts = [
        "tenant" if counter.scope is Scope.TENANT else "",
        "hour" if counter.bucket is Bucket.HOUR else "",
        counter.day_starts_at.isoformat() if counter.day_starts_at != MIDNIGHT else "",
    ]
    return "@".join([f"{slug}/{counter.name}", *filter(None, parts)])


def bucket_of(counter: Counter, at: datetime, zone: ZoneInfo) -> datetime:
    """The start (UTC) of the bucket that an instant falls into."""
    day = day_start(local_day(at, zone, counter.day_starts_at), zone, counter.day_starts_at)
    if counter.bucket is Bucket.HOUR:
        # Counted from where the day begins: not every zone and not every day begins on an hour.
        return day + (at - day) // HOUR * HOUR
    return day


def kept_since(counter: Counter, at: datetime, zone: ZoneInfo) -> datetime:
    """The start (UTC) of the oldest bucket that is shown bucket by bucket, seen from `at`."""
    today = local_day(at, zone, counter.day_starts_at)
    first = today - timedelta(days=min(counter.kept_days, today.toordinal() - 2))
    return day_start(first, zone, counter.day_starts_at)


def window_of(counter: Counter, at: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """[since, before) in UTC: the buckets a counter is summed over, seen from `at`."""
    if counter.window is Window.LIFETIME:
        return ALWAYS
    today = local_day(at, zone, counter.day_starts_at)
    return _window(counter.window, counter.rolling_days, today, zone, counter.day_starts_at)


@lru_cache(maxsize=4_096)  # a batch asks for the same few again and again
def _window(
    window: Window, rolling_days: int, today: date, zone: ZoneInfo, starts_at: time
) -> tuple[datetime, datetime]:
    match window:
        case Window.LIFETIME:
            return ALWAYS
        case Window.DAY:
            first, after = today, today + timedelta(days=1)
        case Window.WEEK:
            first = today - timedelta(days=today.weekday())
            after = first + timedelta(days=7)
        case Window.MONTH:
            first = today.replace(day=1)
            after = add_months(first, 1)
        case Window.QUARTER:
            first = today.replace(month=today.month - (today.month - 1) % 3, day=1)
            after = add_months(first, 3)
        case Window.YEAR:
            first, after = date(today.year, 1, 1), date(today.year + 1, 1, 1)
        case Window.ROLLING:
            first = today - timedelta(days=rolling_days - 1)
            after = today + timedelta(days=1)
    return day_start(first, zone, starts_at), day_start(after, zone, starts_at)
