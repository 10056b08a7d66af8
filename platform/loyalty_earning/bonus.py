"""Promotions: a multiple of what was granted for the same fact, as a grant of its own."""

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from loyalty.units import ratio
from loyalty_earning.notation import DecimalText
from loyalty_earning.section import Identifiers, Section

FACTOR_MAX = 100


class BonusOf(StrEnum):
    """What the factor is applied to."""

    BASE = "base"  # what rules gave that are no bonus: bonuses add up
    GRANTED = "granted"  # all that was given so far, earlier bonuses too: bonuses multiply


def _is_factor(text: str) -> str:
    if not 1 < ratio(text) <= FACTOR_MAX:
        raise PydanticCustomError("factor", "must be more than 1 and at most 100")
    return text


class Bonus(Section):
    """A multiplier: x1.5 gives half of what it is applied to on top."""

    factor: Annotated[DecimalText, AfterValidator(_is_factor)]
    """The whole factor: "2" doubles, "1.5" adds a half. At most 100."""
    of: BonusOf = BonusOf.BASE
    """Applied to the base (bonuses add up) or to all granted so far (they multiply)."""
    rules: Identifiers = ()
    """Only what these rules of the program gave; none named: what any program gave of the unit."""
