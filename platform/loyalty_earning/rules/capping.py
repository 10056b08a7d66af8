"""Caps: no more points than a rule, a group, the program or a budget has left in its period."""

from collections.abc import Iterator

from loyalty.effects import Grant
from loyalty.view import GrantView, View
from loyalty_earning.config import EarningConfig
from loyalty_earning.counting import Fact
from loyalty_earning.facts import CarriedOver
from loyalty_earning.unit_places import unit_places


def cap(config: EarningConfig, fact: Fact | CarriedOver, view: View) -> Iterator[Grant]:
    """Lower what this fact was granted to what is left, and name what cut it.

    Caps are asked in their order: on rules, on groups, on the program. Within one the grants are
    served in the order in which they were given.
    """
    caps = config.caps_on
    mine = [grant for grant in view.grants if grant.program == view.program and grant.granted]
    if not caps or not mine:
        return
    left_of = [grant.granted for grant in mine]
    cut_by: list[str | None] = [None] * len(mine)
    for on in caps:
        most = on.most(unit_places(view, on.unit))
        room = max(0, most - view.counters[on.given])
        for at, grant in enumerate(mine):
            if grant.unit != on.unit or grant.rule not in on.rules:
                continue
            if left_of[at] > room:
                left_of[at], cut_by[at] = room, on.code
            room -= left_of[at]
    for grant, left, code in zip(mine, left_of, cut_by, strict=True):
        if code is not None:
            yield _lowered(grant, left, code)


def _lowered(grant: GrantView, left: int, code: str) -> Grant:
    return Grant(
        unit=grant.unit,
        wanted=grant.wanted,
        granted=left,
        rule=grant.rule,
        accounting_class=grant.accounting_class,
        cut_by=code,
    )
