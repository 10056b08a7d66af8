"""The terms of granted points: pending, lifetime, and what a return does with spent ones."""

from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from loyalty.conditions import Condition
from loyalty.days import Span, SpanEnd
from loyalty.effects import TakeBack
from loyalty_earning.notation import SpanText
from loyalty_earning.section import Names, Section
from loyalty_earning.standing import MemberCondition, condition_of
from loyalty_earning.times import LocalDate

DAYS_MAX = 366


class PendingUntil(StrEnum):
    """What points wait for that are not usable at once or after some days."""

    RETURN_WINDOW = "return_window"
    ACTIVATION = "activation"


class CountedFrom(StrEnum):
    """Whether points live from when they were earned, or from when they can be used."""

    EARNED = "earned"
    USABLE = "usable"


class Lifespan(Section):
    """A length of time in the tenant's time zone."""

    span: SpanText
    """Length as an ISO 8601 duration of whole days, such as P12M or P90D."""
    ends: SpanEnd = SpanEnd.EXACT
    """Where the length ends: exactly then, or with that local day, month, quarter or year."""

    @cached_property
    def parsed(self) -> Span:
        return Span.parse(self.span)


class ExtendedBy(Section):
    """What a member does that lets the points they have live on."""

    purchases: Annotated[bool, Field(strict=True)] = True
    """Whether each purchase counts."""
    redemptions: Annotated[bool, Field(strict=True)] = False
    """Whether each redemption counts."""
    activities: Names = ()
    """Types of activities that count, exactly as they are recorded."""
    lifetime: Lifespan | None = None
    """How long points live at least, counted from what counts; null: the lifetime's own span."""


class Lifetime(Lifespan):
    """How long points live, counted from the purchase in the tenant's time zone."""

    counted_from: CountedFrom = CountedFrom.EARNED
    """From when: earned, or usable (from the end of pending, or from the activation)."""
    extended_by: ExtendedBy | None = None
    """What lets points live on; null: nothing does."""
    never_while: MemberCondition | None = None
    """A condition on the member: while it holds points do not end; when it ceases, their lifetime
    starts from then. Null: it never stops them."""

    @cached_property
    def condition(self) -> Condition | None:
        return None if self.never_while is None else condition_of(self.never_while)


class Terms(Section):
    """When granted points can be used, until when, and what a return does with spent ones."""

    pending_days: Annotated[int, Field(strict=True, ge=0, le=DAYS_MAX)] = 0
    """Days, counted from the purchase, during which points are shown but cannot be used."""
    return_window_days: Annotated[int, Field(strict=True, ge=1, le=DAYS_MAX)] | None = None
    """Days, counted from the purchase, in which goods may come back; kept with the points as the
    instant from which they are settled."""
    pending_until: Annotated[PendingUntil | None, Field(validate_default=True)] = None
    """What points wait for instead of pending_days: the end of the return window (return_window)
    or until they are activated (activation); null: pending_days alone."""
    usable_from: LocalDate | None = None
    """First day on which points can be used, whenever they were earned; until then they are
    pending. It stands instead of pending_days and pending_until. Null: there is no such day."""
    usable_through: LocalDate | None = None
    """Last day on which points can be used, included, whenever they were earned. It stands instead
    of lifetime, and nothing lets them live on. Null: there is no such day."""
    lifetime: Lifetime | None = None
    """How long points live; null: they never expire."""
    take_back: TakeBack = TakeBack.DEFICIT
    """A return takes points that were spent already: the member owes them (deficit), the program
    bears them (clamp), or the return is refused (refuse)."""

    @field_validator("pending_until")
    @classmethod
    def _waits_for_one_thing(
        cls, until: PendingUntil | None, info: ValidationInfo
    ) -> PendingUntil | None:
        if until is not None and info.data.get("pending_days", 0):
            raise PydanticCustomError("terms", "stands instead of pending_days: leave that out")
        if until is PendingUntil.RETURN_WINDOW and info.data.get("return_window_days") is None:
            raise PydanticCustomError("terms", "needs return_window_days: how long is the window?")
        return until

    @field_validator("usable_from")
    @classmethod
    def _is_all_they_wait_for(cls, day: date | None, info: ValidationInfo) -> date | None:
        if day is not None and _wait(info):
            raise PydanticCustomError("terms", "stands instead of pending_days and pending_until")
        return day

    @field_validator("usable_through")
    @classmethod
    def _is_no_day_before(cls, day: date | None, info: ValidationInfo) -> date | None:
        since = info.data.get("usable_from")
        if day is not None and since is not None and day < since:
            raise PydanticCustomError("terms", "lies before usable_from")
        if day is not None and _wait(info):
            raise PydanticCustomError(
                "terms",
                "would end points that wait: give usable_from instead of what they wait for",
            )
        return day

    @field_validator("lifetime")
    @classmethod
    def _usable_before_they_expire(
        cls, lifetime: Lifetime | None, info: ValidationInfo
    ) -> Lifetime | None:
        if lifetime is not None and info.data.get("usable_through") is not None:
            raise PydanticCustomError("terms", "does not go beside usable_through: leave one out")
        if lifetime is not None and lifetime.counted_from is CountedFrom.EARNED:
            if info.data.get("usable_from") is not None:
                told = "could end before usable_from: write counted_from: usable, or usable_through"
                raise PydanticCustomError("terms", told)
            shortest = lifetime.parsed.months * 28 + lifetime.parsed.days
            if _pending_days(info) >= shortest:
                raise PydanticCustomError(
                    "terms", "must be longer than points are pending: nobody could use them"
                )
        return lifetime

    @cached_property
    def waits_for_activation(self) -> bool:
        return self.pending_until is PendingUntil.ACTIVATION

    @cached_property
    def days_until_usable(self) -> int:
        """Days from the purchase; without meaning where points wait for their activation."""
        if self.pending_until is PendingUntil.RETURN_WINDOW:
            return self.return_window_days or 0
        return self.pending_days

    @cached_property
    def are_of_no_day(self) -> bool:
        """Whether it makes no difference when they were earned."""
        ends = self.lifetime is not None or self.usable_through is not None
        return self.are_usable_at_once and self.return_window_days is None and not ends

    @cached_property
    def are_usable_at_once(self) -> bool:
        waits = self.waits_for_activation or self.days_until_usable
        return not waits and self.usable_from is None


def _wait(info: ValidationInfo) -> bool:
    """Whether points wait for anything but a day."""
    return bool(info.data.get("pending_days") or info.data.get("pending_until"))


def _pending_days(info: ValidationInfo) -> int:
    """As `days_until_usable`, of what was validated so far."""
    window: int | None = info.data.get("return_window_days")
    if info.data.get("pending_until") is PendingUntil.RETURN_WINDOW:
        return window or 0
    pending: int = info.data.get("pending_days", 0)
    return pending
