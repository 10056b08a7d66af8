"""Periods that limits, caps and running sums look at, in the tenant's local time."""

from collections.abc import Callable, Sequence
from datetime import datetime, time
from enum import StrEnum
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from loyalty.counters import window_of
from loyalty.days import MIDNIGHT
from loyalty.facts import Fact
from loyalty.plugin import Counter, Scope, Window
from loyalty.view import GrantView
from loyalty_earning.section import Section

Measure = Callable[[Fact, Sequence[GrantView], str], int]


class Period(StrEnum):
    """How far back something is counted; `rolling` with `days`, today included."""

    DAY = "day"
    WEEK = "week"  # from Monday
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    LIFETIME = "lifetime"
    ROLLING = "rolling"


class Per(StrEnum):
    """Whose count it is: each member's own, or that of all members together."""

    MEMBER = "member"
    PROGRAM = "program"

    @property
    def scope(self) -> Scope:
        return Scope.MEMBER if self is Per.MEMBER else Scope.TENANT


def _time_of_day(value: Any) -> time:
    if isinstance(value, time):
        return value
    try:
        found = time.fromisoformat(value)
    except (TypeError, ValueError):
        found = None
    if found is None or found.tzinfo is not None or found.second or found.microsecond:
        raise PydanticCustomError("time", 'write a time of day in quotes, such as "06:00"')
    return found


LocalTime = Annotated[
    time,
    BeforeValidator(_time_of_day),
    PlainSerializer(lambda at: at.strftime("%H:%M")),
    WithJsonSchema({"type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9]$", "examples": ["06:00"]}),
]
"""A local time of day, to the minute."""


class Periodic(Section):
    """Keys of whatever is counted over a period."""

    period: Period
    """day, week, month, quarter, year, lifetime, or rolling with `days`."""
    days: Annotated[int, Field(strict=True, ge=1, le=3660)] | None = None
    """Length of a rolling period in local days, today included."""
    day_starts_at: LocalTime = MIDNIGHT
    """When the business day begins, such as "06:00"; a purchase before it is of the day before."""

    @model_validator(mode="after")
    def _days_go_with_rolling(self) -> "Periodic":
        if (self.period is Period.ROLLING) != (self.days is not None):
            raise PydanticCustomError("days", "days goes with the period rolling, and only with it")
        return self

    def often(self, times: int) -> str:
        """So many times in this period, in words."""
        count = "once" if times == 1 else f"{times} times"
        if self.days is not None:
            return f"{count} in {self.days} days"
        return f"{count} in all" if self.period is Period.LIFETIME else f"{count} a {self.period}"

    def window(self, at: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """[since, before) in UTC: the period of an instant; a rolling one ends with its day."""
        return window_of(self.counter("", Per.MEMBER, _nothing), at, zone)

    def counter_name(self, name: str, per: Per) -> str:
        """The name of what is counted over this period; it says the period and whose it is."""
        starts = "" if self.day_starts_at == MIDNIGHT else f"@{self.day_starts_at:%H%M}"
        return f"{name}:{per}:{self.period}{self.days or ''}{starts}"

    def counter(
        self, name: str, per: Per, measure: Measure, *, returns: bool = False, bears: bool = False,
        rules: frozenset[str] = frozenset(),
    ) -> Counter:  # fmt: skip
        """What counts `measure` over this period; `returns`: it falls with returns, and
        `bears` not with what they could not take. `rules` are those whose grants alone it measures,
        if it does."""
        return Counter(
            name=self.counter_name(name, per),
            scope=per.scope,
            measure=measure,
            window=Window(self.period),
            day_starts_at=self.day_starts_at,
            rolling_days=self.days or 0,
            returns=returns,
            bears=bears,
            rules=rules,
        )


def _nothing(fact: Fact, grants: Sequence[GrantView], program: str) -> int:
    return 0
