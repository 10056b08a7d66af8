"""What a return settles counts as a use of a rule, or no longer: `limits` follow the points.

A use falls with the shares of a purchase. But what goes, or stays, may be settled beside them: of
two equal lines one has the point, whichever of them comes back.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from loyalty.effects import Grant
from loyalty.setup import Program
from loyalty.view import Bought, CameBack, GrantView, View
from loyalty_earning.one_sum import Judging, judging
from loyalty_earning.settlement import Settlement
from loyalty_earning.stands import stands_of


def is_limited(rule: str, program: Program) -> bool:
    """Whether any version counts how often a rule gave."""
    judged = (judging(version, rule) for version in program.versions)
    return any(one is not None and one.rule.limits for one in judged)


def settled_uses(
    settled: Sequence[Settlement], bought: Sequence[Bought], program: Program, back: CameBack,
    view: View,
) -> Iterator[Grant]:  # fmt: skip
    """By instant, how many uses more there are than counters know of."""
    stands = stands_of(settled, bought, back, view)
    units = {key.rule: key.unit for key in stands}
    for rule, unit in sorted(units.items()):
        if not is_limited(rule, program):
            continue
        by_shares, told, net = _uses(rule, bought, view)
        for key, amount in stands.items():
            if key.rule == rule:
                net[key.at] += amount
        for (whose, at), bore in back.borne().items():
            if whose == rule:
                net[at] += bore
        here = judging(program.at(back.at), rule)
        for at in sorted(net):
            uses = max(by_shares[at], 1) if net[at] > 0 else 0
            if (more := uses - by_shares[at] - told[at]) and here is not None:
                yield _told(here, unit, at, more)


def _told(here: Judging, unit: str, at: datetime, more: int) -> Grant:
    rule = here.rule
    return Grant(
        unit=unit, wanted=0, granted=0, rule=rule.id, label=rule.label,
        accounting_class=rule.accounting_class, given_at=at, uses=more,
    )  # fmt: skip


def _uses(
    rule: str, bought: Iterable[Bought], view: View
) -> tuple[Counter[datetime], Counter[datetime], Counter[datetime]]:
    """By instant: for how many purchases the shares leave something, what returns told beside, and
    how much the shares leave. What was spent, and the program bore, is not gone."""
    by_shares, told, net = Counter[datetime](), Counter[datetime](), Counter[datetime]()
    for purchase in bought:
        left = sum(
            _points(grant)
            for _, grants in purchase.left or purchase.bore
            for grant in grants
            if (grant.program, grant.rule) == (view.program, rule)
        )
        by_shares[purchase.at] += left > 0
        net[purchase.at] += left
        for then, grant in purchase.settled:
            if (grant.program, grant.rule) == (view.program, rule):
                told[then] += grant.uses
                net[then] += grant.borne
    return by_shares, told, net


def _points(grant: GrantView) -> int:
    """With what is given later."""
    return grant.granted + grant.borne + sum((grant.postponed or {}).values())
