"""What rules with `over` add up over a period, as counters."""

from collections.abc import Iterable, Sequence

from loyalty.facts import ActivityRecorded, Fact, PurchaseRecorded
from loyalty.plugin import Counter
from loyalty.purchase_left import PurchaseLeft
from loyalty.view import GrantView
from loyalty_earning.counting import ONCE, counted, is_below_minimum, paid
from loyalty_earning.curve import summed
from loyalty_earning.earning_rule import EarningRule
from loyalty_earning.measures import Count, MinimumLost
from loyalty_earning.periods import Measure, Per, Periodic
from loyalty_earning.reason import SAID


def sum_name(rule: EarningRule, over: Periodic, currency: str | None) -> str:
    """The counter that holds a rule's sum in one currency."""
    return over.counter_name(_kept_as(rule, currency), Per.MEMBER)


def running_sums(rules: Sequence[EarningRule], currencies: Sequence[str] = ()) -> list[Counter]:
    """The counters of all rules that add up over a period; `currencies` are those that a
    percentage may be of."""
    return [
        rule.over.counter(
            _kept_as(rule, currency),
            Per.MEMBER,
            summing(rule, currency),
            returns=True,
            rules=frozenset([rule.id]),
        )
        for rule in rules
        if rule.over is not None
        for currency in _currencies(rule, currencies)
    ]


def _currencies(rule: EarningRule, known: Sequence[str]) -> Iterable[str | None]:
    if rule.count is not Count.AMOUNT:
        return (None,)
    return rule.per_minor if rule.percent is None else known


def _kept_as(rule: EarningRule, currency: str | None) -> str:
    parts = ["sum", rule.id, rule.fingerprint]
    return ".".join([*parts, currency] if currency and rule.count is Count.AMOUNT else parts)


def summing(rule: EarningRule, currency: str | None) -> Measure:
    """A rule's sum goes on with each fact that it answers by a grant, be it of nothing.

    What is left of a purchase whose minimum was lost counts on, unless that takes its points back.
    A visit goes with what was charged for: what was free alone is no visit any more.
    """

    def measure(fact: Fact, grants: Sequence[GrantView], program: str) -> int:
        if not isinstance(fact, PurchaseRecorded | ActivityRecorded):
            return 0
        paid_in = fact.currency if isinstance(fact, PurchaseRecorded) else None
        if currency and paid_in != currency:
            return 0
        mine = [one for one in grants if one.rule == rule.id and one.program == program]
        if not mine or mine[0].cut_by in SAID:
            return 0
        if rule.count in ONCE and isinstance(fact, PurchaseLeft) and _is_over(rule, fact):
            return 0
        found, part = counted(rule, fact), paid(rule, fact)
        lost = rule.minimum_lost is MinimumLost.RECOMPUTE
        if lost and is_below_minimum(rule, paid_in, found, part):
            return 0
        return sum(summed(rule, found, part))

    return measure


def _is_over(rule: EarningRule, fact: PurchaseLeft) -> bool:
    """Whether all lines of a visit came back that were charged for; of free ones alone, the first.

    However little that was: a line's share of the points may be nothing beside the others'.
    """
    bought = counted(rule, fact.bought)
    charged = [line.id for line in bought.lines if line.net] or bought.ids[:1]
    return {line.id for line in fact.lines}.isdisjoint(charged)
