"""What purchases and activities earn: one grant per rule, shared over the lines that earned it."""

from collections.abc import Sequence
from functools import partial

from loyalty.effects import Grant
from loyalty.view import View
from loyalty_earning.combining import combined
from loyalty_earning.config import EarningConfig
from loyalty_earning.counting import Fact
from loyalty_earning.granting import grants_of
from loyalty_earning.judging import Occasion, judge


def earn(config: EarningConfig, fact: Fact, view: View) -> Sequence[Grant]:
    """One grant per rule that gives something.

    A rule that would have looked at a purchase but for its currency or its minimum says so with a
    grant of nothing, cut by `CURRENCY_NOT_RATED` or `MINIMUM_PURCHASE`, and so does one whose sum
    goes on without a point; every other rule that gives nothing is silent.
    """
    occasion = Occasion.of(config, fact, view)
    grants: list[Grant] = []
    for judged in combined(occasion, occasion.left.base, partial(judge, occasion=occasion)):
        grants += grants_of(occasion, judged)
    return grants
