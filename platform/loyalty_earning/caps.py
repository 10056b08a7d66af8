"""Caps with what they are on: the rules whose points they count, and the counters that count."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import cached_property
from zoneinfo import ZoneInfo

from loyalty.units import Rounding, divided, ratio
from loyalty_earning.earning_rule import EarningRule
from loyalty_earning.groups import Group
from loyalty_earning.limits import Cap
from loyalty_earning.periods import Per

FLOOR = Rounding.FLOOR
CARRIED = ":carried"  # ends the id of what is given later; no rule of a config is called so


@dataclass(frozen=True, kw_only=True)
class CapOn:
    """A cap, what it is on, and the rules whose points in one unit it counts."""

    cap: Cap
    target: str  # rule, group or program, with its id
    unit: str
    rules: frozenset[str]
    is_main: bool = True  # whether it is the first of the units that it is counted in

    def most(self, places: int) -> int:
        """How much may be given, in the unit's minor units."""
        if (found := self._most.get(places)) is None:
            exact = self._points * 10**places
            found = self._most[places] = divided(exact.numerator, exact.denominator, FLOOR)
        return found

    @cached_property
    def _most(self) -> dict[int, int]:
        return {}

    @cached_property
    def _points(self) -> Fraction:
        other = next((one.points for one in self.cap.in_units if one.unit == self.unit), None)
        return ratio(other or self.cap.points)

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
        return f"owed.{self.counted}"

    @property
    def counted(self) -> str:
        """What it is on, and where that is counted in several units in which other one."""
        return self.target if self.is_main else f"{self.target}.{self.unit}"

    @property
    def carried(self) -> str:
        """The rule id of what is given later."""
        return f"{self.target.partition('.')[2] or 'program'}{CARRIED}"

    def next_period(self, at: datetime, zone: ZoneInfo) -> datetime:
        """When the next period of the cap begins, seen from an instant."""
        return self.cap.window(at, zone)[1]

    def shown_by(self, rules: Sequence[EarningRule]) -> EarningRule:
        """The rule that says under which label, class and terms something is given later: the first
        that it is on; where none is any more, the program's first."""
        return next((rule for rule in rules if rule.id in self.rules), rules[0])


def caps_on(
    units: Sequence[str],
    rules: Sequence[EarningRule],
    groups: Iterable[Group],
    program: Iterable[Cap],
) -> list[CapOn]:
    """All caps of a program: first those on rules, then on groups, then on the program.

    Each counts by itself what is given in one unit: a rule's own, else in each of the program's
    `units`. A cap on a group counts the unit of its rules; they give one.
    """
    found: list[CapOn] = []
    for rule in rules:
        of = (rule.unit,) if rule.unit else units
        found += _on(rule.caps, f"rule.{rule.id}", of, [rule.id])
    for group in groups:
        mine = [rule for rule in rules if rule.group == group.id]
        of = (mine[0].unit,) if mine and mine[0].unit else units
        found += _on(group.caps, f"group.{group.id}", of, [*(one.id for one in mine), group.id])
    every = [*(rule.id for rule in rules), *(group.id for group in groups), "program"]
    return found + _on(program, "program", units, every)


def _on(
    caps: Iterable[Cap], target: str, units: Sequence[str], rules: Sequence[str]
) -> list[CapOn]:
    """`rules` are counted with what is given later of theirs."""
    counted = frozenset(name for one in rules for name in (one, f"{one}{CARRIED}"))
    return [
        CapOn(cap=cap, target=target, unit=unit, rules=counted, is_main=unit == units[0])
        for cap in caps
        for unit in units
    ]
