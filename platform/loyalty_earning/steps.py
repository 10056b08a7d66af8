"""Tables that say what is given from which number on: levels and brackets."""

import itertools
from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from loyalty.units import ratio
from loyalty_earning.notation import DecimalText
from loyalty_earning.section import Section

STEPS_MAX = 100


class Step(Section):
    """One row of a table."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    start: Annotated[DecimalText, Field(alias="from")]
    """From how many `per` on."""
    points: DecimalText
    """Of a level: what is given in all. Of a bracket: what each further `per` gives."""


def _rise(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    starts = [ratio(step.start) for step in steps]
    if any(later <= earlier for earlier, later in itertools.pairwise(starts)):
        raise PydanticCustomError("steps", "each `from` must be larger than the one before")
    return steps


def _rise_in_points(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    points = [ratio(step.points) for step in steps]
    if any(later < earlier for earlier, later in itertools.pairwise(points)):
        raise PydanticCustomError("levels", "a higher level may not give less than the one before")
    return steps


Brackets = Annotated[tuple[Step, ...], Field(max_length=STEPS_MAX), AfterValidator(_rise)]
Levels = Annotated[Brackets, AfterValidator(_rise_in_points)]


def level_of(levels: Sequence[Step], reached: Fraction) -> Fraction:
    """What the highest level that is reached gives in all; nothing below the first."""
    at = bisect_right([ratio(level.start) for level in levels], reached)
    return ratio(levels[at - 1].points) if at else Fraction(0)


def bracketed(brackets: Sequence[Step], reached: Fraction) -> Fraction:
    """What the brackets give for `reached` in all: each part at the rate of its bracket."""
    starts = [ratio(bracket.start) for bracket in brackets]
    given = Fraction(0)
    for bracket, start, end in zip(brackets, starts, [*starts[1:], None], strict=True):
        upto = reached if end is None else min(reached, end)
        if upto > start:
            given += (upto - start) * ratio(bracket.points)
    return given
