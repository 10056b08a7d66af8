"""Caps: no more points than a rule, a group, the program or a budget has left in its period."""

from collections.abc import Iterator

from loyalty.effects import Grant
from loyalty.view import View
from loyalty_earning.caps import CARRIED
from loyalty_earning.config import EarningConfig
from loyalty_earning.counting import Fact
from loyalty_earning.cutting import Left, left_of
from loyalty_earning.facts import CarriedOver
from loyalty_earning.unit_places import unit_places


def cap(config: EarningConfig, fact: Fact | CarriedOver, view: View) -> Iterator[Grant]:
    """Lower what this fact was granted to what is left, and name what cut it: the last of several.

    Caps are asked in their order: on rules, on groups, on the program. Each answers for what it cut
    itself: that of one that carries over is given later, whatever the caps after it cut of the
    rest.
    """
    mine = [grant for grant in view.grants if grant.program == view.program and grant.granted]
    if not mine:
        return
    for left in left_of(config.caps_on, mine, view.counters, lambda unit: unit_places(view, unit)):
        if left.cuts:
            yield _lowered(left)


def _lowered(left: Left) -> Grant:
    grant = left.grant
    return Grant(
        unit=grant.unit,
        wanted=grant.wanted,
        granted=left.amount,
        rule=grant.rule,
        accounting_class=grant.accounting_class,
        cut_by=left.cuts[-1].on.code,
        postponed=_postponed(left),
    )


def _postponed(left: Left) -> dict[str, int]:
    postponed: dict[str, int] = {}
    if left.grant.rule.endswith(CARRIED):
        return postponed  # what is cut of that is owed as before
    for cut in left.cuts:
        if cut.on.cap.carry_over:
            target = cut.on.target
            postponed[target] = postponed.get(target, 0) + cut.amount
    return postponed
