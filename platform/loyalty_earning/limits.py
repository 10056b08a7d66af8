"""How often a rule may give, and how much: limits count times, caps count points."""

from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from loyalty_earning.notation import PositiveText
from loyalty_earning.periods import Per, Period, Periodic
from loyalty_earning.section import Section

LIMITS_MAX = 10


class Limit(Periodic):
    """At most so many times in a period."""

    times: Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
    """How often the rule may give."""
    per: Per = Per.MEMBER
    """Counted for each member (member), or over all members together (program)."""


class InUnit(Section):
    """What a cap comes to in another unit."""

    unit: Annotated[str, Field(min_length=1, max_length=64)]
    """Code of the tenant's unit."""
    points: PositiveText
    """How much may be given in it."""


class Cap(Periodic):
    """At most so many points in a period."""

    points: PositiveText
    """How many points may be given. Of a program with several units: of each by itself."""
    in_units: Annotated[tuple[InUnit, ...], Field(max_length=50)] = ()
    """Other amounts for some of the program's units."""
    per: Per = Per.MEMBER
    """Counted for each member, or over all members together: a budget, exact at any moment."""
    carry_over: Annotated[bool, Field(strict=True)] = False
    """Whether what was cut is given when the next period begins, as far as there is room then. Only
    for caps per member."""

    def most_often(self) -> str:
        """How much in which period, in words."""
        if self.days is not None:
            return f"{self.points} in {self.days} days"
        in_all = self.period is Period.LIFETIME
        return f"{self.points} in all" if in_all else f"{self.points} a {self.period}"

    @model_validator(mode="after")
    def _has_something_to_carry_into(self) -> "Cap":
        if self.carry_over and self.per is not Per.MEMBER:
            raise PydanticCustomError("carry_over", "carry_over is for caps per member")
        if self.carry_over and self.period in (Period.ROLLING, Period.LIFETIME):
            raise PydanticCustomError(
                "carry_over",
                "carry_over needs a period after which another one begins: not {period}",
                {"period": self.period.value},
            )
        return self


Limits = Annotated[tuple[Limit, ...], Field(max_length=LIMITS_MAX)]
Caps = Annotated[tuple[Cap, ...], Field(max_length=LIMITS_MAX)]


class Capped(Section):
    """What may have caps of its own."""

    caps: Caps = ()
    """The most that is given in a period."""
