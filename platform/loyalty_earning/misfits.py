"""What of a rule's keys does not go together."""

from typing import TYPE_CHECKING

from loyalty.units import ratio
from loyalty_earning.measures import Count, Rounded
from loyalty_earning.rates import CategoryRate, Rate

if TYPE_CHECKING:
    from loyalty_earning.earning_rule import EarningRule


def called(rule: "EarningRule") -> str:
    """As what is wrong with it is told."""
    return f"the {'rule' if rule.bonus is None else 'bonus'} {rule.id}"


def misfits(rule: "EarningRule") -> list[str]:
    """What of a rule does not go together, in words."""
    faults = []
    ways = [name for name in ("levels", "brackets", "bonus", "chance") if getattr(rule, name)]
    if len(ways) > 1:
        faults.append(f"{ways[0]} and {ways[1]} do not go together: give one of them")
    if ways and (ratio(rule.rate) or rule.rates or rule.categories):
        faults.append(f"{ways[0]} stands instead of points, rates and categories: leave them out")
    faults += _percent_misfits(rule)
    if not ways and not rule.tariff.gives:
        faults.append(f"{rule.told} is 0 and no rate gives any either")
    faults += _count_misfits(rule, bool(rule.bonus or rule.chance))
    if rule.over is not None and (rule.rounded is Rounded.LINE or rule.bonus or rule.chance):
        faults.append("over goes with rounded: order, without bonus and chance")
    if rule.over is not None and rule.choices:
        faults.append("over adds up what is the same for every member: leave choice out of lists")
    if rule.over is not None and rule.whole_steps and not rule.tariff.is_flat:
        faults.append("over and whole_steps take one rate: leave rates and categories out")
    if (rule.levels or rule.brackets) and (rule.whole_steps or rule.rounded is Rounded.LINE):
        faults.append("levels and brackets look at the whole order: leave whole_steps and rounded")
    if rule.activities and (rule.paid_with or rule.not_paid_with or rule.minimum_purchase):
        faults.append("an activity is not paid: leave tenders and minimum_purchase out")
    return faults + _ended_misfits(rule)


def _ended_misfits(rule: "EarningRule") -> list[str]:
    """Of a rule that would go on giving points that have ended."""
    through = None if rule.terms is None else rule.terms.usable_through
    ends = None if rule.effective is None else rule.effective.ends
    if through is None or (ends is not None and ends <= through):
        return []
    return [f"its points end with {through}: let the rule end by then (effective.ends)"]


def _percent_misfits(rule: "EarningRule") -> list[str]:
    others: list[CategoryRate | Rate] = [*rule.rates, *rule.categories]
    if rule.percent is None:
        if any(rate.percent is not None for rate in others):
            return ["other rates in percent go with percent: give it, be it 0"]
        return []
    if any(rate.percent is None for rate in others):
        return ["the other rates of a rule with percent are in percent, too"]
    if rule.count is not Count.AMOUNT or rule.whole_steps or ratio(rule.points) or rule.per:
        return ["percent is of an amount: leave count, points, per and whole_steps out"]
    return []


def _count_misfits(rule: "EarningRule", other_way: bool) -> list[str]:
    if rule.count is Count.AMOUNT and not other_way:
        if rule.activities:
            return ["an activity has no amount: count visit or attribute"]
        if rule.per is None and rule.percent is None:
            return ["per is missing: the amount that earns points, by currency"]
    if rule.count is not Count.AMOUNT and rule.per is not None:
        return [f"per goes with count: amount; for {rule.count} it is per_units"]
    if rule.count is Count.QUANTITY and rule.activities:
        return ["an activity has no quantity: count visit or attribute"]
    if (rule.count is Count.ATTRIBUTE) != (rule.attribute is not None):
        return ["attribute goes with count: attribute, and only with it"]
    return []
