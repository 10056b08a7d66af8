"""Alarms before a budget is used up: at which parts of it, and whether they are reached."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from loyalty_earning.caps import CapOn
from loyalty_earning.periods import Per

Percent = Annotated[int, Field(strict=True, ge=1, le=100)]
Percents = Annotated[tuple[Percent, ...], Field(max_length=10)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A cap over all members together, in minor units of its unit."""

    on: CapOn
    minor: int

    def reached(self, given: int, percents: Sequence[int]) -> list[int]:
        """The parts of it, in percent, that are given already."""
        return [percent for percent in sorted(set(percents)) if given * 100 >= self.minor * percent]


def budget(on: CapOn, places: int) -> Budget:
    return Budget(on=on, minor=on.most(places))


def budgets(caps: Sequence[CapOn]) -> Iterator[CapOn]:
    """The caps that are budgets."""
    return (on for on in caps if on.cap.per is Per.PROGRAM)
