"""Which rules a fact may get anything out of: the others are not judged at all."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from loyalty.conditions import Together, is_always_told, parcels, together
from loyalty.facts import PurchaseRecorded
from loyalty_earning.earning_rule import EarningRule
from loyalty_earning.rated import Rated
from loyalty_earning.reach import Reach

if TYPE_CHECKING:
    from loyalty_earning.occasion import Occasion

FEWEST = 2  # rules of which it is worth while to ask together
KEPT = 1_000  # sets of rules that were left
NONE: frozenset[str] = frozenset()


class LeftIn(NamedTuple):
    """The rules that are left, in the order in which they are judged."""

    base: Sequence[EarningRule]
    promotions: Sequence[EarningRule]


class Sieve:
    """The rules about one subject, each a bit. One that it leaves out would be judged to give
    nothing, without anybody being told; what is left is judged.

    It asks what judging asks: conditions, whether a line counts, whether that has a rate; but of
    all rules at one go: by one expression, and once of lines that are alike.
    """

    def __init__(
        self, base: Sequence[EarningRule], promotions: Sequence[EarningRule], *, of_lines: bool
    ) -> None:
        rules = [*base, *promotions]
        self._together, joint = _joined([rule for rule in rules if _may_be_joint(rule)])
        self._joint = frozenset(rule.id for rule in joint)
        alone = [rule for rule in rules if rule.id not in self._joint]
        self._bits = {rule.id: 1 << at for at, rule in enumerate([*joint, *alone])}
        self._all = LeftIn(_in_order(base), _in_order(promotions))
        self._alone = self._sum(alone)
        picking = [rule for rule in rules if rule.picks_lines or not rule.tariff.is_flat]
        by_bit = {self._bits[rule.id]: rule for rule in rules}
        self._reach = Reach(by_bit) if of_lines and len(picking) >= FEWEST else None
        self._spoken: dict[str | None, int] = {}
        self._left: dict[int, LeftIn] = {}

    def left(self, occasion: "Occasion") -> LeftIn:
        """Whose conditions are known to hold is noted in the occasion."""
        if not (self._together or self._reach):
            return self._all
        bits = self._alone
        if self._together:
            bits |= self._holding(occasion)
        if self._reach is not None and isinstance(occasion.fact, PurchaseRecorded):
            bits &= self._reach.bits(occasion.fact.lines) | self._anyway(occasion)
        if (found := self._left.get(bits)) is None:
            if len(self._left) == KEPT:
                self._left.clear()
            found = self._left[bits] = self._of(bits)
        return found

    def _of(self, bits: int) -> LeftIn:
        base, promotions = self._all
        return LeftIn(
            [rule for rule in base if self._bits[rule.id] & bits],
            [rule for rule in promotions if self._bits[rule.id] & bits],
        )

    def _holding(self, occasion: "Occasion") -> int:
        """Of the rules that are asked together those whose conditions hold, or may hold."""
        holding, values, held = 0, occasion.values, self._joint
        for asked, first, every_one in self._together:
            if (found := asked.holding(values)) is None:
                held, found = NONE, every_one
            holding |= found << first
        occasion.held = held
        return holding

    def _anyway(self, occasion: "Occasion") -> int:
        """The rules that have something to say whatever is bought: that they have no rate in its
        currency; or that a decision has to keep what their conditions read."""
        if (found := self._spoken.get(occasion.currency)) is None:
            rated = occasion.rated
            found = self._spoken[occasion.currency] = self._sum(
                rule
                for rules in self._all
                for rule in rules
                if (rule.condition is not None and rule.id not in self._joint)
                or _is_unrated(rule, rated[rule.id])
            )
        return found

    def _sum(self, rules: Iterable[EarningRule]) -> int:
        return sum([self._bits[rule.id] for rule in rules])


def _may_be_joint(rule: EarningRule) -> bool:
    """Whether its condition is asked of every fact."""
    asked_always = rule.effective is None and rule.times is None
    return asked_always and rule.condition is not None and is_always_told(rule.condition)


def _is_unrated(rule: EarningRule, rated: Rated) -> bool:
    has_rate = rule.chance is None and rule.bonus is None
    return rated.unit is None or (rated.per is None and has_rate)


def _joined(
    rules: Sequence[EarningRule],
) -> tuple[list[tuple[Together, int, int]], Sequence[EarningRule]]:
    """Each expression, the place of its first bit and all its bits; and the rules of these."""
    found: list[tuple[Together, int, int]] = []
    joint: list[EarningRule] = []
    each = iter(rules)
    for parcel in parcels([rule.condition for rule in rules if rule.condition is not None]):
        mine = list(islice(each, len(parcel)))
        if len(mine) >= FEWEST and (asked := together(parcel)) is not None:
            found.append((asked, len(joint), (1 << len(mine)) - 1))
            joint += mine
    return found, joint


def _in_order(rules: Sequence[EarningRule]) -> Sequence[EarningRule]:
    """A group is judged where its first rule stands."""
    first: dict[tuple[bool, str], int] = {}
    for at, rule in enumerate(rules):
        first.setdefault(_place(rule), at)
    return sorted(rules, key=lambda rule: first[_place(rule)])


def _place(rule: EarningRule) -> tuple[bool, str]:
    return (False, rule.id) if rule.group is None else (True, rule.group)
