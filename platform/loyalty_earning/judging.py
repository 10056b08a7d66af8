"""Judging one rule by one fact: what it would give, or the first thing that speaks against it.

The same walk answers what a purchase earns, what a preview shows and why a rule did not fire.
"""

from fractions import Fraction
from functools import partial
from typing import Any

from loyalty.units import apportion, ratio
from loyalty.view import View
from loyalty_earning.counting import Counted, is_below_minimum
from loyalty_earning.curve import Part, points_by_line, points_over
from loyalty_earning.earning_rule import EarningRule
from loyalty_earning.inputs import inputs_of
from loyalty_earning.judged import Judged as Judged
from loyalty_earning.judged import refused as refused
from loyalty_earning.occasion import ALL_OF_IT
from loyalty_earning.occasion import Occasion as Occasion
from loyalty_earning.reason import Reason as Reason
from loyalty_earning.running_sums import sum_name
from loyalty_earning.uses import times_name


def judge(rule: EarningRule, occasion: Occasion) -> Judged:
    """What a rule that is no bonus gives for a fact that it concerns."""
    if rule.may_be_barred and (barred := barred_by(rule, occasion)) is not None:
        return barred
    if rule.choices:
        rule = occasion.as_picked(rule)
    per, unit, _, _ = occasion.rated[rule.id]
    if unit is None or (per is None and rule.chance is None):
        return refused(rule, Reason.CURRENCY_NOT_RATED, {"currency": occasion.currency})
    if rule.chance is not None or per is None:
        return _drawn(rule, occasion)
    found = occasion.counted(rule)
    part = occasion.paid(rule) if rule.asks_how_paid else ALL_OF_IT
    if not found.lines or not part[0]:
        return refused(rule, Reason.NOTHING_COUNTED)
    if rule.minimum_minor and is_below_minimum(rule, occasion.currency, found, part):
        return refused(rule, Reason.MINIMUM_PURCHASE, inputs_of(rule, occasion, found, part))
    if rule.limits and (reached := limit_reached(rule, occasion.view)) is not None:
        inputs = inputs_of(rule, occasion, found, part)
        return refused(rule, Reason.LIMIT_REACHED, inputs | reached)
    return _earned(rule, occasion, found, part, per, occasion.places(unit))


def barred_by(rule: EarningRule, occasion: Occasion) -> Judged | None:
    """What keeps a rule from looking at the fact: its days, its times or its condition."""
    if rule.effective is not None and not rule.effective.includes(occasion.day):
        return refused(rule, Reason.NOT_IN_EFFECT, {"day": str(occasion.day)})
    times = rule.times
    if times is not None and not times.include(occasion.fact.occurred_at, occasion.view.zone):
        return refused(rule, Reason.NOT_AT_THIS_TIME, {"at": occasion.fact.occurred_at.isoformat()})
    if rule.condition is not None and rule.id not in occasion.held:
        verdict = rule.condition.against(occasion.values)
        if verdict is not None:
            return Judged(rule, reason=Reason.CONDITION, verdict=verdict)
    return None


def limit_reached(rule: EarningRule, view: View) -> dict[str, Any] | None:
    """The first limit that leaves no room, with how often the rule gave already."""
    for limit in rule.limits:
        times = view.counters[times_name(rule.id, limit)]
        if times >= limit.times:
            of = {"period": limit.period} | ({"days": limit.days} if limit.days else {})
            return {"limit": limit.times, **of, "per": limit.per, "times": times}
    return None


def _earned(
    rule: EarningRule,
    occasion: Occasion,
    found: Counted,
    part: Part,
    per: Part,
    places: int,
) -> Judged:
    over, before = rule.over, None
    if over is None:
        parts = points_by_line(rule, found, part, per, places)
    else:
        before = occasion.view.counters[sum_name(rule, over, occasion.currency)]
        parts = points_over(rule, found, before, part, per, places)
    if rule.is_bounded:
        parts = bounded(rule, parts, places)
    inputs = partial(inputs_of, rule, occasion, found, part, before)
    if not any(parts):
        return Judged(rule, reason=Reason.NOTHING_EARNED, inputs=inputs, counted=over is not None)
    return Judged(rule, _by_line(found, parts), inputs=inputs, counted=over is not None)


def _by_line(found: Counted, parts: list[int]) -> dict[str, int]:
    return {line: share for line, share in zip(found.ids, parts, strict=True) if share}


def bounded(rule: EarningRule, parts: list[int], places: int) -> list[int]:
    """Within the rule's own `at_least` and `at_most`: what it wants, before any cap."""
    bound = within_bounds(rule, wanted := sum(parts), places)
    return parts if bound == wanted else apportion(bound, parts)


def within_bounds(rule: EarningRule, wanted: int, places: int) -> int:
    if rule.at_least is not None and wanted:
        wanted = max(wanted, _minor(rule.at_least, places))
    return wanted if rule.at_most is None else min(wanted, _minor(rule.at_most, places))


def _drawn(rule: EarningRule, occasion: Occasion) -> Judged:
    """A prize, if the roll says so. Nothing is drawn where a limit leaves no room."""
    chance, view = rule.chance, occasion.view
    assert chance is not None
    found, part = occasion.counted(rule), occasion.paid(rule)
    if not found.lines or not part[0]:
        return refused(rule, Reason.NOTHING_COUNTED)
    inputs: dict[str, Any] = {"odds": chance.odds, "probability": chance.probability}
    if is_below_minimum(rule, occasion.currency, found, part):
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
    shares = apportion(_minor(prize.points, places), found.weights)
    parts = _by_line(found, bounded(rule, shares, places))
    return Judged(rule, parts, inputs=inputs | {"prize": prize.points})


def _minor(points: str, places: int) -> int:
    exact: Fraction = ratio(points) * 10**places
    return exact.numerator // exact.denominator
