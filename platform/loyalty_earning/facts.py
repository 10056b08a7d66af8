"""What happens in programs that let members earn. A plugin publishes each under a name of its own,
as a subclass with a `KIND`."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Self

from loyalty.facts import Fact, MemberRef

if TYPE_CHECKING:
    from loyalty_earning.caps import CapOn


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedOver(Fact):
    """A new period began for a cap that carries over: what it cut before is given now.

    `target` is what the cap is on: `rule.<id>`, `group.<id>` or `program`.
    """

    program: str
    target: str

    @classmethod
    def of(cls, program: str, on: "CapOn", member: MemberRef, at: datetime) -> Self:
        return cls(member=member, occurred_at=at, program=program, target=on.target)

    def is_of(self, target: str, unit: str) -> bool:
        """Whether it is about the cap that is on this and counts this unit."""
        return target == self.target


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetReached(Fact):
    """So many percent of a budget are given: told once for each of its periods.

    `target` is what the budget is on: `rule.<id>`, `group.<id>` or `program`. Amounts are decimal
    strings with the places of the unit; the period is from `begins` to `ends`.
    """

    program: str
    target: str
    unit: str
    percent: int
    budget: str
    given: str
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceChanged(Fact):
    """A member picked other options than they had picked before. The first pick is no change."""

    program: str
    choice: str
    options: tuple[str, ...]
    before: tuple[str, ...]
