"""Judging a bonus rule: its factor, applied to what this fact was granted so far."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from loyalty.effects import Grant
from loyalty.facts import PurchaseRecorded
from loyalty.units import apportion, divided, format_minor, ratio
from loyalty.view import Stage, View
from loyalty_earning.bonus import Bonus, BonusOf
from loyalty_earning.counting import is_below_minimum, lines_of
from loyalty_earning.earning_rule import EarningRule
from loyalty_earning.judging import (
    Judged,
    Occasion,
    Reason,
    barred_by,
    bounded,
    limit_reached,
    refused,
)
from loyalty_earning.measures import Rounded


class _Given(NamedTuple):
    program: str
    rule: str
    unit: str
    is_base: bool
    lines: Mapping[str, int]


class Basis:
    """What a fact was granted so far, in the order in which it was; of what others gave, worked out
    when the first bonus that may give asks."""

    def __init__(self, view: View) -> None:
        self._program, self._before = view.program, view.grants
        self._known: list[_Given] | None = None

    @property
    def _given(self) -> list[_Given]:
        if self._known is None:
            self._known = [
                _Given(one.program, one.rule, one.unit, one.stage is Stage.BASE, one.lines)
                for one in self._before
            ]
        return self._known

    def add(self, grant: Grant) -> None:
        """A bonus that was just given counts for the compounding ones after it."""
        lines = {"": grant.granted} if grant.lines is None else grant.lines
        self._given.append(_Given(self._program, grant.rule, grant.unit, False, lines))

    def by_line(self, bonus: Bonus, unit: str) -> dict[str, int]:
        """What the bonus is applied to, by line."""
        lines: dict[str, int] = {}
        for given in self._given:
            if given.unit != unit or not (given.is_base or bonus.of is BonusOf.GRANTED):
                continue
            if bonus.rules and (given.program != self._program or given.rule not in bonus.rules):
                continue
            for line, part in given.lines.items():
                lines[line] = lines.get(line, 0) + part
        return lines


def judge_bonus(rule: EarningRule, occasion: Occasion, basis: Basis) -> Judged:
    """What a bonus rule adds: (factor - 1) x what it is applied to, of the lines that it counts."""
    bonus = rule.bonus
    assert bonus is not None
    if (barred := barred_by(rule, occasion)) is not None:
        return barred
    if occasion.rated[rule.id].unit is None:
        return refused(rule, Reason.CURRENCY_NOT_RATED, {"currency": occasion.currency})
    rule = occasion.as_picked(rule)
    unit = occasion.unit_of(rule)
    applied_to = basis.by_line(bonus, unit)
    mine = {line.id for line in lines_of(rule, occasion.fact)}
    applied_to = {line: part for line, part in applied_to.items() if line in mine}
    places = occasion.places(unit)
    inputs: dict[str, Any] = {
        "factor": bonus.factor,
        "of": bonus.of,
        "amount": format_minor(sum(applied_to.values()), places),
    }
    if not any(applied_to.values()):
        return refused(rule, Reason.NOTHING_COUNTED, inputs)
    found, part = occasion.counted(rule), occasion.paid(rule)
    if is_below_minimum(rule, occasion.currency, found, part):
        return refused(rule, Reason.MINIMUM_PURCHASE, inputs)
    if (reached := limit_reached(rule, occasion.view)) is not None:
        return refused(rule, Reason.LIMIT_REACHED, inputs | reached)
    parts = bounded(rule, _extra(rule, applied_to, occasion), places)
    if not any(parts):
        return refused(rule, Reason.NOTHING_EARNED, inputs)
    shares = {line: part for line, part in zip(applied_to, parts, strict=True) if part}
    return Judged(rule, shares, inputs=inputs)


def _extra(rule: EarningRule, applied_to: Mapping[str, int], occasion: Occasion) -> list[int]:
    assert rule.bonus is not None
    more = ratio(rule.bonus.factor) - 1
    numerator, denominator = more.numerator, more.denominator
    if isinstance(occasion.fact, PurchaseRecorded):
        part, of = occasion.paid(rule)
        numerator, denominator = numerator * part, denominator * of
    given = list(applied_to.values())
    if rule.rounded is Rounded.LINE:
        return [divided(part * numerator, denominator, rule.rounding) for part in given]
    return apportion(divided(sum(given) * numerator, denominator, rule.rounding), given)
