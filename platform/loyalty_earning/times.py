"""When a rule holds: between two days, and at times that come again."""

from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from loyalty.days import MIDNIGHT, day_start, local_day
from loyalty_earning.faults import faulty
from loyalty_earning.notation import is_duration
from loyalty_earning.periods import LocalTime
from loyalty_earning.recurrence import Recurrence
from loyalty_earning.section import LIST_MAX, Section

DURATION_MAX = timedelta(days=31)


def _is_day(value: Any) -> Any:
    try:
        if isinstance(value, str):
            return date.fromisoformat(value)
    except ValueError:
        value = None
    if isinstance(value, datetime) or not isinstance(value, date):
        raise PydanticCustomError("date", "write a day, such as 2026-12-31")
    return value


LocalDate = Annotated[date, BeforeValidator(_is_day), Field(examples=["2026-12-31"])]
"""A day in the tenant's time zone."""


def _is_recurrence(text: str) -> str:
    try:
        Recurrence.parse(text)
    except ValueError as fault:
        raise PydanticCustomError("recurrence", "{fault}", {"fault": str(fault)}) from None
    return text


def _lasts(value: timedelta) -> timedelta:
    if not timedelta(0) < value <= DURATION_MAX:
        raise PydanticCustomError("duration", "must be more than nothing and at most P31D")
    return value


class Effective(Section):
    """The days on which a rule is in effect at all."""

    starts: LocalDate | None = None
    """First day; null: from ever."""
    ends: LocalDate | None = None
    """Last day, included; null: for ever."""

    @field_validator("ends")
    @classmethod
    def _ends_later(cls, ends: date | None, info: ValidationInfo) -> date | None:
        starts = info.data.get("starts")
        if ends is not None and starts is not None and ends < starts:
            raise PydanticCustomError("ends", "lies before starts")
        return ends

    def includes(self, day: date) -> bool:
        return (self.starts is None or day >= self.starts) and (
            self.ends is None or day <= self.ends
        )


class Times(Section):
    """Times that come again: each begins on a day that the recurrence names, at `from`."""

    recurrence: Annotated[str, Field(max_length=500), AfterValidator(_is_recurrence)]
    """Days by RFC 5545, such as `FREQ=WEEKLY;BYDAY=TU` or `FREQ=MONTHLY;BYDAY=-1FR`. Taken are FREQ
    (DAILY, WEEKLY, MONTHLY, YEARLY), INTERVAL, UNTIL (the last day, or the instant by which the
    last one begins), COUNT, BYDAY, BYMONTHDAY,
    BYMONTH, BYSETPOS and WKST."""
    starts: LocalDate
    """The day from which the recurrence counts; there is none before it."""
    at: LocalTime = MIDNIGHT
    """When each of them begins, in the tenant's local time; "06:00" for a business day from six."""
    lasts: Annotated[
        timedelta, BeforeValidator(is_duration), AfterValidator(_lasts), Field(examples=["PT3H"])
    ] = timedelta(days=1)
    """How long each of them lasts: an ISO 8601 duration of at most P31D. P1D lasts until the same
    local time of the next day, also where a day has 23 or 25 hours."""
    except_on: Annotated[tuple[LocalDate, ...], Field(max_length=LIST_MAX)] = ()
    """Days on which none begins although the recurrence names them, such as holidays."""

    @cached_property
    def _rule(self) -> Recurrence:
        return Recurrence.parse(self.recurrence).counted(self.starts)

    @model_validator(mode="after")
    def _comes_to_its_end(self) -> "Times":
        try:
            assert self._rule
        except ValueError as fault:
            raise faulty([(("recurrence",), str(fault))]) from None
        return self

    def include(self, at: datetime, zone: ZoneInfo) -> bool:
        """Whether the instant falls into one of them."""
        today = local_day(at, zone, self.at)
        days, rest = divmod(self.lasts, timedelta(days=1))
        for back in range(days + 1):
            day = today - timedelta(days=back)
            if self._begins(day, zone):
                end = day_start(day + timedelta(days=days), zone, self.at) + rest
                if at < end:
                    return True
        return False

    def _begins(self, day: date, zone: ZoneInfo) -> bool:
        """Whether one of them begins on a day."""
        if day in self.except_on or not self._rule.names(day, self.starts):
            return False
        return not self._rule.ends_before(day_start(day, zone, self.at).astimezone(zone))
