"""A period in which a rule's sums were read in several ways: judged anew, purchase by purchase.

Another table, another sum or a cap was published within it, so what was given is no function of one
sum. What is left of its purchases says what they earn: in the order of recording, each under the
version that judged it, as they would have earned had what came back never been bought.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from loyalty.facts import PurchaseRecorded
from loyalty.setup import Program, ProgramVersion
from loyalty.view import Bought, GrantView, View
from loyalty_earning.curve import points_of_sum
from loyalty_earning.earning_rule import EarningRule
from loyalty_earning.measures import Count
from loyalty_earning.one_sum import Judging, is_uncut, judging
from loyalty_earning.periods import Period
from loyalty_earning.running_sums import summing
from loyalty_earning.unit_places import unit_places

SumKey = tuple[object, ...]


def too_much(
    rule: str, bought: Sequence[Bought], program: Program, view: View
) -> Mapping[str, int]:
    """By unit, how much more of a rule's the member has of a period than what is left of it earns.

    Less than nothing: the member has too little.
    """
    sums, beside = _Sums(rule, program, view), Counter[str]()
    for purchase in bought:
        one = judging(program.at(purchase.at), rule)
        for grant in purchase.settled:
            if _is_of(rule, grant, view):
                beside[grant.unit] += grant.granted
        for fact, grants in purchase.left:
            mine = [grant for grant in grants if _is_of(rule, grant, view)]
            if not mine or not isinstance(fact, PurchaseRecorded):
                continue
            before, after = sums.add(one, fact, grants, purchase.at)
            given = {grant.unit: grant.granted for grant in mine}
            beside.update(given)
            beside.subtract(given | _earned(one, fact, before, after, view))
    return beside


class _Sums:
    """What each version's sums were before a purchase, had only what is left been bought."""

    def __init__(self, rule: str, program: Program, view: View) -> None:
        self._rule, self._program, self._view = rule, program, view
        self._sums: Counter[SumKey] = Counter()

    def add(
        self, one: Judging | None, fact: PurchaseRecorded, grants: Sequence[GrantView], at: datetime
    ) -> tuple[int, int]:
        """The sum that judged a purchase, before and after it; every other that is kept by then
        goes on as well."""
        judged, mine = (0, 0), _variant(one)
        for variant, rule in self._kept(at).items():
            over = rule.over
            if over is None or over.period is Period.ROLLING:
                continue
            key = (variant, _currency(rule, fact), over.window(at, self._view.zone))
            before = self._sums[key]
            self._sums[key] += self._adds(rule, fact, grants)
            if one is not None and variant == mine:
                judged = before, before + self._adds(one.rule, fact, grants)
        return judged

    def _adds(self, rule: EarningRule, fact: PurchaseRecorded, grants: Sequence[GrantView]) -> int:
        return summing(rule, fact.currency)(fact, grants, self._view.program)

    def _kept(self, at: datetime) -> Mapping[object, EarningRule]:
        """By what tells sums apart, the rule that measures each which is kept at an instant."""
        found: dict[object, EarningRule] = {}
        variants = map(self._variant_of, self._program.counting(at))
        for variant in dict.fromkeys(one for one in variants if one is not None):
            version = self._program.measuring(at, partial(self._adds_up, variant))
            if (one := judging(version, self._rule)) is not None:
                found[variant] = one.rule
        return found

    def _variant_of(self, version: ProgramVersion) -> object:
        return _variant(judging(version, self._rule))

    def _adds_up(self, variant: object, version: ProgramVersion) -> bool:
        return self._variant_of(version) == variant


def _variant(one: Judging | None) -> object:
    """What tells the sum of one version from that of another; None: it has no such rule."""
    return None if one is None else (one.rule.fingerprint, one.rule.over)


def _earned(
    one: Judging | None, fact: PurchaseRecorded, before: int, after: int, view: View
) -> dict[str, int]:
    """By unit what a purchase earns that lifts its sum so far; of what is cut nobody knows."""
    if one is None or not is_uncut(one):
        return {}
    unit, per = one.config.unit_of(one.rule, fact.currency), one.rule.per_in(fact.currency)
    if unit is None or per is None:
        return {}
    places = unit_places(view, unit)
    less, more = (points_of_sum(one.rule, total, per, places) for total in (before, after))
    earned = {unit: max(more - less, 0)}
    for also in one.rule.also:
        if (factor := unit_places(view, also.unit) - places) >= 0:
            earned[also.unit] = earned[unit] * 10**factor
    return earned


def _is_of(rule: str, grant: GrantView, view: View) -> bool:
    return (grant.program, grant.rule) == (view.program, rule)


def _currency(rule: EarningRule, fact: PurchaseRecorded) -> str | None:
    return fact.currency if rule.count is Count.AMOUNT else None
