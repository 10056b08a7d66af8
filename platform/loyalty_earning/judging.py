"""Judging one rule by one fact: what it would give, or the first thing that speaks against it.

The same walk answers what a purchase earns, what a preview shows and why a rule did not fire.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import cached_property
from typing import Any

from loyalty.conditions import Values, Verdict, activity_values, purchase_values
from loyalty.days import local_day
from loyalty.facts import ActivityRecorded, PurchaseRecorded
from loyalty.units import apportion, currency_places, format_minor, ratio
from loyalty.view import View
from loyalty_earning.choices import as_picked, categories_of, chosen_by, with_defaults
from loyalty_earning.config import EarningConfig
from loyalty_earning.counting import Counted, Fact, counted, is_below_minimum, paid
from loyalty_earning.curve import Part, points_by_line, points_over, weights
from loyalty_earning.earning_rule import EarningRule
from loyalty_earning.lifetime import Instants, instants
from loyalty_earning.measures import Count
from loyalty_earning.reason import Reason as Reason
from loyalty_earning.running_sums import sum_name
from loyalty_earning.terms import Terms
from loyalty_earning.unit_places import unit_places
from loyalty_earning.uses import times_name


@dataclass(slots=True, kw_only=True)
class Judged:
    """What became of a rule: `parts` by line where it gives, else the `reason` why not."""

    rule: EarningRule
    parts: Mapping[str, int] = field(default_factory=dict)
    reason: Reason | None = None
    inputs: dict[str, Any] = field(default_factory=dict)
    verdict: Verdict | None = None  # of a condition that does not hold
    counted: bool = False  # whether a running sum goes on, even if this adds no point

    @property
    def wanted(self) -> int:
        return sum(self.parts.values())

    def looked_at(self) -> dict[str, Any]:
        """What it looked at, the part of the condition that failed with what that read included.

        Worked out when somebody asks why: a purchase only asks whether.
        """
        if (verdict := self.verdict) is None:
            return self.inputs
        seen = {"condition": verdict.failed, "values": dict(verdict.values)}
        return seen if verdict.fault is None else seen | {"fault": verdict.fault}


class Occasion:
    """A fact as the rules of one program look at it."""

    def __init__(self, config: EarningConfig, fact: Fact, view: View) -> None:
        self.config = config
        self.fact = fact
        self.view = view
        self.is_activity = isinstance(fact, ActivityRecorded)
        self.currency = fact.currency if isinstance(fact, PurchaseRecorded) else None
        self._instants: dict[int, tuple[Terms, Instants]] = {}

    @property
    def subject(self) -> str | None:
        """The type of the activity that this is about; None for a purchase."""
        return self.fact.type if isinstance(self.fact, ActivityRecorded) else None

    @cached_property
    def day(self) -> date:
        return local_day(self.fact.occurred_at, self.view.zone)

    @cached_property
    def completed(self) -> View:
        """The view in which who picked nothing has what stands for them."""
        return with_defaults(self.config.choices, self.view)

    @cached_property
    def values(self) -> Values:
        if isinstance(self.fact, ActivityRecorded):
            return activity_values(self.fact, self.completed)
        return purchase_values(self.fact, self.completed)

    @cached_property
    def _picked(self) -> Mapping[str, Sequence[str]]:
        return categories_of(self.config.choices, chosen_by(self.view))

    def as_picked(self, rule: EarningRule) -> EarningRule:
        """The rule with what the member picked in its lists, where these name a choice."""
        return as_picked(rule, self._picked) if rule.choices else rule

    def is_rated(self, rule: EarningRule) -> bool:
        """Whether the rule can give anything for what is paid in this currency."""
        return self.config.unit_of(rule, self.currency) is not None

    def unit_of(self, rule: EarningRule) -> str:
        """What the rule gives; where it gives nothing, the program's unit."""
        return self.config.unit_of(rule, self.currency) or self.config.unit

    def places(self, unit: str) -> int:
        return unit_places(self.view, unit)

    def instants(self, terms: Terms) -> Instants:
        """When what is given under some terms can be used and ends: rules mostly share theirs."""
        if (known := self._instants.get(id(terms))) is None:
            found = instants(terms, self.fact.occurred_at, self.completed)
            known = self._instants[id(terms)] = terms, found
        return known[1]


def judge(rule: EarningRule, occasion: Occasion) -> Judged:
    """What a rule that is no bonus gives for a fact that it concerns."""
    if (barred := barred_by(rule, occasion)) is not None:
        return barred
    rule = occasion.as_picked(rule)
    per = rule.per_in(occasion.currency)
    if not occasion.is_rated(rule) or (per is None and rule.chance is None):
        return refused(rule, Reason.CURRENCY_NOT_RATED, {"currency": occasion.currency})
    if rule.chance is not None or per is None:
        return _drawn(rule, occasion)
    lines, part = counted(rule, occasion.fact), paid(rule, occasion.fact)
    if not lines or not part[0]:
        return refused(rule, Reason.NOTHING_COUNTED, {})
    inputs = _inputs(rule, occasion, lines, part)
    if is_below_minimum(rule, occasion.currency, lines, part):
        return refused(rule, Reason.MINIMUM_PURCHASE, inputs)
    if (reached := limit_reached(rule, occasion.view)) is not None:
        return refused(rule, Reason.LIMIT_REACHED, inputs | reached)
    return _earned(rule, occasion, lines, part, per, inputs)


def barred_by(rule: EarningRule, occasion: Occasion) -> Judged | None:
    """What keeps a rule from looking at the fact: its days, its times or its condition."""
    if rule.effective is not None and not rule.effective.includes(occasion.day):
        return refused(rule, Reason.NOT_IN_EFFECT, {"day": str(occasion.day)})
    times = rule.times
    if times is not None and not times.include(occasion.fact.occurred_at, occasion.view.zone):
        return refused(rule, Reason.NOT_AT_THIS_TIME, {"at": occasion.fact.occurred_at.isoformat()})
    if rule.condition is not None:
        verdict = rule.condition.judged(occasion.values)
        if not verdict.holds:
            return Judged(rule=rule, reason=Reason.CONDITION, verdict=verdict)
    return None


def limit_reached(rule: EarningRule, view: View) -> dict[str, Any] | None:
    """The first limit that leaves no room, with how often the rule gave already."""
    for limit in rule.limits:
        times = view.counters[times_name(rule.id, limit)]
        if times >= limit.times:
            return {"limit": limit.times, "period": limit.period, "per": limit.per, "times": times}
    return None


def _earned(
    rule: EarningRule,
    occasion: Occasion,
    lines: Sequence[Counted],
    part: Part,
    per: Part,
    inputs: dict[str, Any],
) -> Judged:
    places = occasion.places(occasion.unit_of(rule))
    if rule.over is None:
        parts = points_by_line(rule, lines, part, per, places)
    else:
        name = sum_name(rule, rule.over, occasion.currency)
        inputs["before"] = before = occasion.view.counters[name]
        parts = points_over(rule, lines, before, part, per, places)
    parts = bounded(rule, parts, places)
    if not any(parts):
        return Judged(
            rule=rule, reason=Reason.NOTHING_EARNED, inputs=inputs, counted=rule.over is not None
        )
    return Judged(
        rule=rule,
        parts={line.id: share for line, share in zip(lines, parts, strict=True) if share},
        inputs=inputs,
        counted=rule.over is not None,
    )


def bounded(rule: EarningRule, parts: list[int], places: int) -> list[int]:
    """Within the rule's own `at_least` and `at_most`: what it wants, before any cap."""
    wanted = sum(parts)
    bound = wanted
    if rule.at_least is not None and wanted:
        bound = max(bound, _minor(rule.at_least, places))
    if rule.at_most is not None:
        bound = min(bound, _minor(rule.at_most, places))
    return parts if bound == wanted else apportion(bound, parts)


def _drawn(rule: EarningRule, occasion: Occasion) -> Judged:
    """A prize, if the roll says so. Nothing is drawn where a limit leaves no room."""
    chance, view = rule.chance, occasion.view
    assert chance is not None
    lines, part = counted(rule, occasion.fact), paid(rule, occasion.fact)
    if not lines or not part[0]:
        return refused(rule, Reason.NOTHING_COUNTED, {})
    inputs: dict[str, Any] = {"odds": chance.odds, "probability": chance.probability}
    if is_below_minimum(rule, occasion.currency, lines, part):
        return refused(rule, Reason.MINIMUM_PURCHASE, inputs)
    if (reached := limit_reached(rule, view)) is not None:
        return refused(rule, Reason.LIMIT_REACHED, inputs | reached)
    roll = view.chance(f"{rule.id}/{chance.odds}")
    if roll is None:
        return refused(rule, Reason.BY_CHANCE, inputs)
    inputs["roll"] = roll
    prize = chance.won(roll)
    if prize is None:
        return refused(rule, Reason.NOT_DRAWN, inputs)
    places = occasion.places(occasion.unit_of(rule))
    shares = apportion(_minor(prize.points, places), weights(rule, lines))
    shares = bounded(rule, shares, places)
    parts = {line.id: share for line, share in zip(lines, shares, strict=True) if share}
    return Judged(rule=rule, parts=parts, inputs=inputs | {"prize": prize.points})


def _minor(points: str, places: int) -> int:
    exact: Fraction = ratio(points) * 10**places
    return exact.numerator // exact.denominator


def refused(rule: EarningRule, reason: Reason, inputs: dict[str, Any]) -> Judged:
    """A judgement by which the rule gives nothing."""
    return Judged(rule=rule, reason=reason, inputs=inputs)


def _inputs(
    rule: EarningRule, occasion: Occasion, lines: Sequence[Counted], part: Part
) -> dict[str, Any]:
    """What the decision keeps: what was counted at which rate, and where another rate applied."""
    inputs: dict[str, Any] = {}
    total = sum(weights(rule, lines))
    if rule.count is Count.AMOUNT:
        currency = occasion.currency or ""
        places = currency_places(currency) or 0
        inputs |= {
            "currency": currency,
            "base": rule.base,
            "amount": format_minor(total, places),
        }
        if rule.percent is None:
            inputs["per"] = rule.per[currency] if rule.per else None
    else:
        places = 3
        inputs |= {rule.count.value: _plain(total), "per": rule.per_units}
    if rule.scale.numerators[None]:
        inputs[rule.told] = rule.rate
    if part != (1, 1):
        inputs["paid"] = f"{part[0]}/{part[1]}"
    if not rule.tariff.is_flat:
        inputs |= _rated(rule, lines, places)
    return inputs


def _rated(rule: EarningRule, lines: Sequence[Counted], places: int) -> dict[str, Any]:
    """How much was counted at rates other than the rule's own."""
    rated: dict[Any, int] = {}
    for line in lines:
        if line.rate is not None:
            rated[line.rate] = rated.get(line.rate, 0) + line.amount
    points = rule.tariff.points
    found = {
        key: {"amount": format_minor(amount, places), rule.told: points[key]}
        for key, amount in rated.items()
    }
    categories = {key: row for key, row in found.items() if isinstance(key, str)}
    rates = {str(key): row for key, row in found.items() if isinstance(key, int)}
    return ({"categories": categories} if categories else {}) | ({"rates": rates} if rates else {})


def _plain(thousandths: int) -> str:
    text = format_minor(thousandths, 3)
    return text.rstrip("0").rstrip(".")
