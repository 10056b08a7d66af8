"""What bonuses give less, or again, because what they multiplied was settled.

A bonus goes back by the shares of its lines, as what it multiplied does. What a return takes of a
sum beyond these (decision 37) stood in the bonus as well: of 490 points that were doubled, and of
which 480 go because another purchase came back, 480 of the bonus go, too. A bonus is never given
for what a sum gives more: only given again.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

from loyalty.setup import Program
from loyalty.units import Rounding, rounded
from loyalty.view import Bought, CameBack, GrantView, Stage, View
from loyalty_earning.bonus import Bonus, BonusOf
from loyalty_earning.judged_anew import ended_of
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
    found: dict[tuple[str, str], _Bonus] = {}
    for key, multiplied in _multiplied(bought, program, view).items():
        had, due = stands[key], multiplied.due(sum(stands[base] for base in multiplied.bases))
        stands[key] = due
        bonus = found.setdefault((key.rule, key.unit), _Bonus())
        bonus.stands[key.at] = multiplied.left + had
        bonus.beyond[key.at] = had - due
    for (rule, unit), bonus in found.items():
        first = min(bonus.beyond)
        here = judging(program.at(back.at), rule) or judging(program.at(first), rule)
        if here is not None and any(bonus.beyond.values()):
            yield Settlement(
                here=here, unit=unit, more=bonus.beyond.total(), later={}, stands=bonus.stands,
                beyond=bonus.beyond, ended=ended_of(rule, bought, view).get(unit, {}),
            )  # fmt: skip


@dataclass(slots=True)
class _Bonus:
    """By instant, what counters have of a bonus, and how much more than is due."""

    stands: Counter[datetime] = field(default_factory=Counter)
    beyond: Counter[datetime] = field(default_factory=Counter)


@dataclass(slots=True)
class _Multiplied:
    """What a bonus gave at an instant and what it was applied to: then, and what shares leave."""

    gave: int = 0
    left: int = 0
    base: int = 0
    base_left: int = 0
    bases: dict[Given, None] = field(default_factory=dict)  # rules of this program

    def due(self, settled: int) -> int:
        """Beside what the shares leave of it, where so much of its base was settled."""
        if settled >= 0 or self.base <= 0:
            return 0
        stays = Fraction(self.gave * max(self.base_left + settled, 0), self.base)
        return min(rounded(stays, HALF_UP) - self.left, 0)


def _multiplied(
    bought: Iterable[Bought], program: Program, view: View
) -> Mapping[Given, _Multiplied]:
    """Of all purchases that a bonus was given for, in the order in which bonuses build on another:
    by instant, and within one as decided."""
    found: dict[Given, _Multiplied] = {}
    for purchase in sorted(bought, key=lambda one: one.at):
        recorded = purchase.recorded[0][1]
        left = (
            purchase.left[0][1] if purchase.left else [one._replace(granted=0) for one in recorded]
        )
        rows = list(zip(recorded, left, strict=True))
        for at, (grant, rest) in enumerate(rows):
            if grant.program != view.program:
                continue
            one = judging(program.at(purchase.at), grant.rule)
            if one is None or one.rule.bonus is None:
                continue
            key = Given(purchase.at, grant.rule, grant.unit)
            here = found.setdefault(key, _Multiplied())
            here.gave += grant.granted
            here.left += rest.granted
            for base, base_left in rows[:at]:
                if _is_base(one.rule.bonus, grant, base):
                    here.base += base.granted
                    here.base_left += base_left.granted
                    if base.program == view.program:
                        here.bases[key._replace(rule=base.rule)] = None
    return found


def _is_base(bonus: Bonus, grant: GrantView, other: GrantView) -> bool:
    """Whether a bonus was applied to what was granted before it."""
    if other.unit != grant.unit or (other.program, other.rule) == (grant.program, grant.rule):
        return False
    if other.stage is not Stage.BASE and bonus.of is not BonusOf.GRANTED:
        return False
    return not bonus.rules or (other.program == grant.program and other.rule in bonus.rules)
