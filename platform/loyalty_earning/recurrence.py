"""Which days a recurrence rule (RFC 5545, RRULE) names.

A rule is asked of one day at a time and answers by arithmetic, however long ago it began: nothing
is walked through, so no rule can keep a purchase waiting. What picks from a set (BYSETPOS) looks at
one period's days. Where a rule counts (COUNT), its last day is worked out once, when it is read.
BYYEARDAY, BYWEEKNO and the time of day are not taken.
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
PARTS = (
    "FREQ", "INTERVAL", "UNTIL", "COUNT", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST"
)  # fmt: skip
COUNT_MAX = 1_000
COUNTED_DAYS = 20 * 366  # what counts must come to its end within twenty years
DAY = timedelta(days=1)
_UNTIL = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """A rule that was read. `days` are (ordinal or 0, weekday with Monday 0).

    `until` is a day, or the instant by which the last one begins: in UTC, or in local time where it
    has no zone.
    """

    frequency: str
    interval: int = 1
    until: date | datetime | None = None
    days: tuple[tuple[int, int], ...] = ()
    month_days: tuple[int, ...] = ()
    months: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()
    week_starts: int = 0
    count: int | None = None

    @classmethod
    def parse(cls, text: str) -> "Recurrence":
        """Read `FREQ=WEEKLY;BYDAY=TU,TH`, with or without `RRULE:` before it.

        :raises ValueError: what of it is wrong or not taken, in words
        """
        parts: dict[str, str] = {}
        for part in text.upper().removeprefix("RRULE:").split(";"):
            name, equals, value = part.partition("=")
            if not equals or not value or name in parts:
                raise ValueError(f"{part!r} is no NAME=VALUE of its own")
            if name not in PARTS:
                raise ValueError(f"{name} is not taken here; use {', '.join(PARTS)}")
            parts[name] = value
        if parts.get("FREQ") not in FREQUENCIES:
            raise ValueError(f"FREQ must be one of {', '.join(FREQUENCIES)}")
        rule = cls(
            frequency=parts["FREQ"],
            interval=_whole("INTERVAL", parts.get("INTERVAL", "1"), 1, 1000),
            until=_until(parts["UNTIL"]) if "UNTIL" in parts else None,
            days=tuple(_day(text) for text in _list(parts, "BYDAY")),
            month_days=tuple(_whole("BYMONTHDAY", d, -31, 31) for d in _list(parts, "BYMONTHDAY")),
            months=tuple(_whole("BYMONTH", month, 1, 12) for month in _list(parts, "BYMONTH")),
            positions=tuple(_whole("BYSETPOS", at, -366, 366) for at in _list(parts, "BYSETPOS")),
            count=_whole("COUNT", parts["COUNT"], 1, COUNT_MAX) if "COUNT" in parts else None,
            week_starts=_day(parts.get("WKST", "MO"))[1],
        )
        for fault in _misfits(rule):
            raise ValueError(fault)
        return rule

    def counted(self, start: date) -> "Recurrence":
        """The same with the day of its last occurrence in place of their number.

        :raises ValueError: that day does not come within twenty years
        """
        if self.count is None:
            return self
        rule, left = replace(self, count=None), self.count
        for after in range(COUNTED_DAYS):
            day = start + timedelta(days=after)
            if _in_turn(rule, day, start) and _is_named(rule, day, start):
                left -= 1
                if left == 0:
                    return replace(rule, until=day)
        raise ValueError("COUNT is not reached within twenty years: say by UNTIL when it ends")

    def names(self, day: date, start: date) -> bool:
        """Whether an occurrence of the rule that begins on `start` falls on `day`."""
        if day < start or (self.until is not None and day > _last_day(self.until)):
            return False
        return _names(self, day, start)

    def ends_before(self, begins: datetime) -> bool:
        """Whether what begins at an instant (local, with its zone) is later than the last one."""
        if not isinstance(self.until, datetime):
            return False
        return (begins if self.until.tzinfo else begins.replace(tzinfo=None)) > self.until


def _last_day(until: date | datetime) -> date:
    """Where an instant in UTC is the limit it may be the next day already."""
    if not isinstance(until, datetime):
        return until
    return (until + DAY).date() if until.tzinfo else until.date()


@lru_cache(maxsize=4096)
def _names(rule: Recurrence, day: date, start: date) -> bool:
    return _in_turn(rule, day, start) and _is_named(rule, day, start)


def _misfits(rule: Recurrence) -> Iterator[str]:
    ordinals = {ordinal for ordinal, _ in rule.days}
    if any(ordinals) and rule.frequency in ("DAILY", "WEEKLY"):
        yield "BYDAY takes a number only with FREQ=MONTHLY or YEARLY"
    if any(ordinals) and 0 in ordinals:
        yield "BYDAY takes days with a number or without, not both"
    if rule.month_days and rule.frequency == "WEEKLY":
        yield "BYMONTHDAY does not go with FREQ=WEEKLY"
    if rule.positions and not (rule.days or rule.month_days or rule.months):
        yield "BYSETPOS picks from what BYDAY, BYMONTHDAY or BYMONTH name: give one of them"
    if rule.count is not None and rule.until is not None:
        yield "COUNT and UNTIL both say when it ends: give one of them"


def _is_named(rule: Recurrence, day: date, start: date) -> bool:
    if not _fits(rule, day, start):
        return False
    return not rule.positions or day in _picked(rule, *_period(rule, day), start)


@lru_cache(maxsize=512)
def _picked(rule: Recurrence, first: date, days: int, start: date) -> frozenset[date]:
    """Of the days of one period that fit, those at the rule's positions."""
    there = [first + timedelta(days=at) for at in range(days)]
    fits = [day for day in there if _fits(rule, day, start)]
    at = [position - 1 if position > 0 else len(fits) + position for position in rule.positions]
    return frozenset(fits[index] for index in at if 0 <= index < len(fits))


def _period(rule: Recurrence, day: date) -> tuple[date, int]:
    """The first day of the period that a day falls into, and how many it has."""
    match rule.frequency:
        case "DAILY":
            return day, 1
        case "WEEKLY":
            return _week(day, rule), 7
        case "MONTHLY":
            return day.replace(day=1), monthrange(day.year, day.month)[1]
        case _:
            return date(day.year, 1, 1), (date(day.year, 12, 31) - date(day.year, 1, 1)).days + 1


def _in_turn(rule: Recurrence, day: date, start: date) -> bool:
    """Whether the day's own period (day, week, month, year) is one of every `interval`-th."""
    match rule.frequency:
        case "DAILY":
            since = (day - start).days
        case "WEEKLY":
            since = (_week(day, rule) - _week(start, rule)).days // 7
        case "MONTHLY":
            since = (day.year - start.year) * 12 + day.month - start.month
        case _:
            since = day.year - start.year
    return since % rule.interval == 0


def _week(day: date, rule: Recurrence) -> date:
    return day - timedelta(days=(day.weekday() - rule.week_starts) % 7)


def _fits(rule: Recurrence, day: date, start: date) -> bool:
    """Whether the day is one that the BY-parts name; what they leave open the start fills in."""
    yearly, named = rule.frequency == "YEARLY", bool(rule.days or rule.month_days)
    if rule.months and day.month not in rule.months:
        return False
    if yearly and not rule.months and not named and day.month != start.month:
        return False
    if rule.month_days and not _is_month_day(day, rule.month_days):
        return False
    if rule.days and not any(_is_day(rule, day, ordinal, of) for ordinal, of in rule.days):
        return False
    if named:
        return True
    match rule.frequency:
        case "DAILY":
            return True
        case "WEEKLY":
            return day.weekday() == start.weekday()
        case _:
            return day.day == start.day


def _is_month_day(day: date, month_days: tuple[int, ...]) -> bool:
    length = monthrange(day.year, day.month)[1]
    return day.day in month_days or day.day - length - 1 in month_days


def _is_day(rule: Recurrence, day: date, ordinal: int, weekday: int) -> bool:
    """The n-th such weekday of the month, or of the year where no month is named."""
    if day.weekday() != weekday:
        return False
    if ordinal == 0:
        return True
    if rule.frequency == "YEARLY" and not rule.months:
        first, last = date(day.year, 1, 1), date(day.year, 12, 31)
    else:
        length = monthrange(day.year, day.month)[1]
        first, last = day.replace(day=1), day.replace(day=length)
    return ordinal in ((day - first).days // 7 + 1, -((last - day).days // 7 + 1))


def _list(parts: dict[str, str], name: str) -> list[str]:
    return parts[name].split(",") if name in parts else []


def _whole(name: str, text: str, least: int, most: int) -> int:
    if not text.removeprefix("-").removeprefix("+").isdecimal() or not text.isascii():
        raise ValueError(f"{name} takes whole numbers")
    number = int(text)
    if number == 0 or not least <= number <= most:
        raise ValueError(f"{name} goes from {least} to {most}, without 0")
    return number


def _day(text: str) -> tuple[int, int]:
    ordinal, weekday = text[:-2], text[-2:]
    if weekday not in DAYS:
        raise ValueError(f"{text!r} is no day: write {', '.join(DAYS)}")
    return _whole("BYDAY", ordinal, -53, 53) if ordinal else 0, DAYS.index(weekday)


def _until(text: str) -> date | datetime:
    try:
        if (found := _UNTIL.fullmatch(text)) is None:
            raise ValueError
        *parts, zone = found.groups()
        if parts[3] is None:
            return date(*map(int, parts[:3]))
        at = datetime.strptime("".join(parts), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        return at if zone else at.replace(tzinfo=None)
    except ValueError:
        raise ValueError(
            "UNTIL takes a day, such as 20261231 (it is the last one), or an instant, such as"
            " 20261231T225959Z"
        ) from None
