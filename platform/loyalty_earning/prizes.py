"""Surprises: a rule that gives by chance, from a table of prizes."""

from bisect import bisect_right
from fractions import Fraction
from functools import cached_property
from itertools import accumulate
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from loyalty.units import ratio
from loyalty_earning.notation import DecimalText, PositiveText
from loyalty_earning.section import MIN_ONE, Name, Section, has_some

PRIZES_MAX = 100


def _is_probability(text: str) -> str:
    if not 0 < ratio(text) <= 1:
        raise PydanticCustomError("probability", 'must be more than 0 and at most "1"')
    return text


class Prize(Section):
    """One thing that can be won."""

    points: PositiveText
    """What it gives."""
    weight: PositiveText
    """How often, in proportion to the other weights."""


class Chance(Section):
    """Odds. Drawn once for each purchase or activity and never again, whatever is sent twice."""

    odds: Name
    """Version of these odds, kept with every draw; name it anew whenever you change them."""
    probability: Annotated[DecimalText, AfterValidator(_is_probability)]
    """How likely anything is won: "0.05" is one in twenty."""
    prizes: Annotated[
        tuple[Prize, ...],
        Field(max_length=PRIZES_MAX, json_schema_extra=MIN_ONE),
        AfterValidator(has_some),
    ]
    """What can be won."""

    @cached_property
    def _thresholds(self) -> list[Fraction]:
        weights = [ratio(prize.weight) for prize in self.prizes]
        share = ratio(self.probability) / sum(weights)
        return [upto * share for upto in accumulate(weights)]

    def won(self, roll: float) -> Prize | None:
        """The prize of a roll in [0, 1): below `probability` by the weights, else none."""
        at = bisect_right(self._thresholds, Fraction(roll))
        return self.prizes[at] if at < len(self.prizes) else None
