"""What purchases and activities earn: one grant per rule, shared over the lines that earned it."""

from collections.abc import Iterator

from loyalty.effects import Grant
from loyalty.view import View
from loyalty_earning.combining import combined
from loyalty_earning.config import EarningConfig
from loyalty_earning.counting import Fact
from loyalty_earning.granting import grants_of
from loyalty_earning.judging import Occasion, judge


def earn(config: EarningConfig, fact: Fact, view: View) -> Iterator[Grant]:
    """One grant per rule that gives something.

    A rule that would have looked at a purchase but for its currency or its minimum says so with a
    grant of nothing, cut by `CURRENCY_NOT_RATED` or `MINIMUM_PURCHASE`, and so does one whose sum
    goes on without a point; every other rule that gives nothing is silent.
    """
    occasion = Occasion(config, fact, view)
    rules = config.base_rules(occasion.subject)
    for judged in combined(config, rules, lambda rule: judge(rule, occasion)):
        yield from grants_of(occasion, judged)
