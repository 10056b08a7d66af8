"""Caps: no more points than a rule, a group, the program or a budget has left in its period."""

from collections.abc import Iterator, Mapping

from loyalty.effects import Grant
from loyalty.view import GrantView, View
from loyalty_earning.caps import CARRIED
from loyalty_earning.config import EarningConfig
from loyalty_earning.counting import Fact
from loyalty_earning.facts import CarriedOver
from loyalty_earning.unit_places import unit_places


def cap(config: EarningConfig, fact: Fact | CarriedOver, view: View) -> Iterator[Grant]:
    """Lower what this fact was granted to what is left, and name what cut it.

    Caps are asked in their order: on rules, on groups, on the program. Within one the grants are
    served in the order in which they were given. Each answers for what it cut itself: that of one
    that carries over is given later, whatever the caps after it cut of the rest.
    """
    caps = config.caps_on
    mine = [grant for grant in view.grants if grant.program == view.program and grant.granted]
    if not caps or not mine:
        return
    left_of = [grant.granted for grant in mine]
    cut_by: list[str | None] = [None] * len(mine)
    postponed: list[dict[str, int]] = [{} for _ in mine]
    for on in caps:
        most = on.most(unit_places(view, on.unit))
        room = max(0, most - view.counters[on.given])
        for at, grant in enumerate(mine):
            if grant.unit != on.unit or grant.rule not in on.rules:
                continue
            if left_of[at] > room:
                if on.cap.carry_over and not grant.rule.endswith(CARRIED):
                    owed = postponed[at].get(on.target, 0)
                    postponed[at][on.target] = owed + left_of[at] - room
                left_of[at], cut_by[at] = room, on.code
            room -= left_of[at]
    for grant, left, code, later in zip(mine, left_of, cut_by, postponed, strict=True):
        if code is not None:
            yield _lowered(grant, left, code, later)


def _lowered(grant: GrantView, left: int, code: str, postponed: Mapping[str, int]) -> Grant:
    return Grant(
        unit=grant.unit,
        wanted=grant.wanted,
        granted=left,
        rule=grant.rule,
        accounting_class=grant.accounting_class,
        cut_by=code,
        postponed=postponed,
    )
