"""What bonuses give less, or again, because what they multiplied was settled.

A bonus goes back by the shares of its lines, as what it multiplied does. What a return takes of a
sum beyond these (decision 37) stood in the bonus as well: of 490 points that were doubled, and of
which 480 go because another purchase came back, 480 of the bonus go, too. A bonus is never given
for what a sum gives more: only given again.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from fractions import Fraction

from loyalty.setup import Program
from loyalty.units import Rounding, rounded
from loyalty.view import Bought, CameBack, GrantView, Stage, View
from loyalty_earning.bonus import Bonus, BonusOf
from loyalty_earning.one_sum import Judging, judging
from loyalty_earning.settlement import Settlement
from loyalty_earning.stands import Given, stands_of

HALF_UP = Rounding.HALF_UP


def multiplies(around: Iterable[Judging]) -> bool:
    """Whether a version has bonuses at all."""
    return any(rule.bonus is not None for one in around for rule in one.config.rules)


def settled_bonuses(
    settled: Sequence[Settlement], bought: Sequence[Bought], program: Program, back: CameBack,
    view: View,
) -> Iterator[Settlement]:  # fmt: skip
    """`settled` is what a return settles of sums, `bought` what the member bought around it."""
    stands = stands_of(settled, bought, back, view)
    recorded, left = _grants(bought, view)
    more: dict[tuple[str, str], Counter[datetime]] = {}  # by rule and unit, less than nothing too
    for then in sorted(recorded):
        for rule in dict.fromkeys(grant.rule for grant in recorded[then]):
            one = judging(program.at(then), rule)
            if one is None or one.rule.bonus is None:
                continue
            for unit in dict.fromkeys(g.unit for g in recorded[then] if g.rule == rule):
                key, whole = Given(then, rule, unit), _sum(recorded[then], rule, unit)
                base, less = _applied_to(one.rule.bonus, recorded[then], key, stands, view)
                goes = Fraction(whole * max(-less, 0), base) if base > 0 else Fraction(0)
                due = -min(rounded(goes, HALF_UP), max(left[key], 0))
                if too_much := stands[key] - due:
                    more.setdefault((rule, unit), Counter())[then] = too_much
                stands[key] = due
    for (rule, unit), beyond in more.items():
        here = judging(program.at(back.at), rule) or judging(program.at(min(beyond)), rule)
        if here is not None:
            ended = _ended(bought, rule, unit, view)
            yield Settlement(
                here=here, unit=unit, more=beyond.total(), later={}, beyond=beyond, ended=ended
            )


def _grants(
    bought: Iterable[Bought], view: View
) -> tuple[Mapping[datetime, list[GrantView]], Counter[Given]]:
    """What was granted for purchases by instant, and how much of it their shares leave."""
    recorded: dict[datetime, list[GrantView]] = {}
    left = Counter[Given]()
    for purchase in bought:
        recorded.setdefault(purchase.at, []).extend(purchase.recorded[0][1])
        for grant in purchase.left[0][1] if purchase.left else ():
            if grant.program == view.program:
                left[Given(purchase.at, grant.rule, grant.unit)] += grant.granted
    return recorded, left


def _applied_to(
    bonus: Bonus, grants: Iterable[GrantView], key: Given, stands: Counter[Given], view: View
) -> tuple[int, int]:
    """What a bonus was applied to, and how much more or less of that stands by now."""
    base, rules = 0, set[str]()
    for grant in grants:
        mine = grant.program == view.program
        if grant.unit != key.unit or (mine and grant.rule == key.rule):
            continue
        if grant.stage is not Stage.BASE and bonus.of is not BonusOf.GRANTED:
            continue
        if bonus.rules and not (mine and grant.rule in bonus.rules):
            continue
        base += grant.granted
        if mine:
            rules.add(grant.rule)
    return base, sum(stands[key._replace(rule=rule)] for rule in rules)


def _sum(grants: Iterable[GrantView], rule: str, unit: str) -> int:
    return sum(one.granted for one in grants if (one.rule, one.unit) == (rule, unit))


def _ended(bought: Iterable[Bought], rule: str, unit: str, view: View) -> Counter[datetime]:
    found = Counter[datetime]()
    for purchase in bought:
        for (slug, whose, of, then), amount in purchase.ended.items():
            if (slug, whose, of) == (view.program, rule, unit):
                found[then] += amount
    return found
