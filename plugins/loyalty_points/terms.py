"""The terms of granted points: pending, lifetime, and what a return does with spent ones."""

from functools import cached_property
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from loyalty.days import Span, SpanEnd
from loyalty.effects import TakeBack
from loyalty_points.notation import SpanText
from loyalty_points.section import Section


class Lifetime(Section):
    """How long points live, counted from the purchase in the tenant's time zone."""

    span: SpanText
    """Length as an ISO 8601 duration of whole days, such as P12M or P90D."""
    ends: SpanEnd = SpanEnd.EXACT
    """Where the length ends: exactly then, or with that local day, month, quarter or year."""

    @cached_property
    def parsed(self) -> Span:
        return Span.parse(self.span)


class Terms(Section):
    """When granted points can be used, until when, and what a return does with spent ones."""

    pending_days: Annotated[int, Field(strict=True, ge=0, le=366)] = 0
    """Days, counted from the purchase, during which points are shown but cannot be used."""
    lifetime: Lifetime | None = None
    """How long points live; null: they never expire."""
    take_back: TakeBack = TakeBack.DEFICIT
    """A return takes points that were spent already: the member owes them (deficit), the program
    bears them (clamp), or the return is refused (refuse)."""

    @field_validator("lifetime")
    @classmethod
    def _usable_before_they_expire(
        cls, lifetime: Lifetime | None, info: ValidationInfo
    ) -> Lifetime | None:
        if lifetime is not None:
            shortest = lifetime.parsed.months * 28 + lifetime.parsed.days
            if info.data.get("pending_days", 0) >= shortest:
                raise PydanticCustomError(
                    "terms", "must be longer than pending_days: nobody could use the points"
                )
        return lifetime
