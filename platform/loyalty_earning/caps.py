"""Caps with what they are on: the rules whose points they count, and the counters that count."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from loyalty.units import ratio
from loyalty_earning.earning_rule import EarningRule
from loyalty_earning.groups import Group
from loyalty_earning.limits import Cap
from loyalty_earning.periods import Per

CARRIED = ":carried"  # ends the id of what is given later; no rule of a config is called so


@dataclass(frozen=True, kw_only=True)
class CapOn:
    """A cap, what it is on, and the rules whose points in one unit it counts."""

    cap: Cap
    target: str  # rule, group or program, with its id
    unit: str
    rules: frozenset[str]

    def most(self, places: int) -> int:
        """How much may be given, in the unit's minor units."""
        return int(self._points * 10**places)

    @cached_property
    def _points(self) -> Fraction:
        return ratio(self.cap.points)

    @property
    def code(self) -> str:
        """What a decision names as what cut a grant: RULE_CAP, ..., PROGRAM_BUDGET."""
        kind = self.target.partition(".")[0].upper()
        return f"{kind}_{'CAP' if self.cap.per is Per.MEMBER else 'BUDGET'}"

    @cached_property
    def given(self) -> str:
        """Name of the counter of what was given under it."""
        return self.cap.counter_name(f"given.{self.target}.{self.unit}", self.cap.per)

    @property
    def owed(self) -> str:
        """Name of the counter of what it cut and is still to be given."""
        return f"owed.{self.target}"

    @property
    def carried(self) -> str:
        """The rule id of what is given later."""
        return f"{self.target.partition('.')[2] or 'program'}{CARRIED}"


def caps_on(
    unit: str, rules: Sequence[EarningRule], groups: Iterable[Group], program: Iterable[Cap]
) -> list[CapOn]:
    """All caps of a program: first those on rules, then on groups, then on the program.

    A cap on a group counts the unit of its rules; they give one.
    """
    found = [
        CapOn(cap=cap, target=f"rule.{rule.id}", unit=rule.unit or unit, rules=_with([rule.id]))
        for rule in rules
        for cap in rule.caps
    ]
    for group in groups:
        mine = [rule for rule in rules if rule.group == group.id]
        of = mine[0].unit or unit if mine else unit
        covered = _with([rule.id for rule in mine] + [group.id])
        found += [
            CapOn(cap=cap, target=f"group.{group.id}", unit=of, rules=covered) for cap in group.caps
        ]
    every = _with([*(rule.id for rule in rules), *(group.id for group in groups), "program"])
    found += [CapOn(cap=cap, target="program", unit=unit, rules=every) for cap in program]
    return found


def _with(ids: Sequence[str]) -> frozenset[str]:
    """Rules, and what is given later of theirs."""
    return frozenset(name for one in ids for name in (one, f"{one}{CARRIED}"))
