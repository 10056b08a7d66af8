"""Promotions: extra points, and multiples of what was granted, as grants of their own."""

from collections.abc import Iterator

from loyalty.effects import Grant
from loyalty.view import View
from loyalty_earning.bonuses import Basis, judge_bonus
from loyalty_earning.combining import combined
from loyalty_earning.config import EarningConfig
from loyalty_earning.counting import Fact
from loyalty_earning.earning_rule import EarningRule
from loyalty_earning.granting import grants_of
from loyalty_earning.judging import Judged, Occasion, judge


def promote(config: EarningConfig, fact: Fact, view: View) -> Iterator[Grant]:
    """One grant per promotion, in their order: each sees what the ones before it gave."""
    occasion = Occasion.of(config, fact, view)
    rules = occasion.left.promotions
    if not rules:
        return
    basis = Basis(view)

    def judged_by(rule: EarningRule) -> Judged:
        return judge(rule, occasion) if rule.bonus is None else judge_bonus(rule, occasion, basis)

    for judged in combined(occasion, rules, judged_by):
        for grant in grants_of(occasion, judged):
            basis.add(grant)
            yield grant
