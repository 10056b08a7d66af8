"""Which rules a fact could get anything out of: the others are not judged at all."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

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


class Sieve:
    """Rules about one subject, each a bit. Whoever it leaves out would be judged to give nothing,
    without anybody being told; what is left is judged.

    It asks what judging asks: conditions, whether a line counts, whether it has a rate. Asked is at
    one go: all conditions by one expression, of lines by what they are like.
    """

    def __init__(self, rules: Sequence[EarningRule], *, of_lines: bool) -> None:
        joint = [rule for rule in rules if _may_be_joint(rule)]
        joint = joint if len(joint) >= FEWEST else []
        by_bit = [*joint, *(rule for rule in rules if rule not in joint)]
        self._bits = {rule.id: 1 << at for at, rule in enumerate(by_bit)}
        self._rules = _gathered(rules)
        self._joint = frozenset(rule.id for rule in joint)
        self._free = sum(self._bits[rule.id] for rule in by_bit[len(joint):])
        self._together = _joined(joint)
        picking = [rule for rule in rules if rule.picks_lines or not rule.tariff.is_flat]
        is_worth = of_lines and len(picking) >= FEWEST
        self._reach = Reach({self._bits[rule.id]: rule for rule in rules}) if is_worth else None
        self._spoken: dict[str | None, int] = {}
        self._left: dict[int, Sequence[EarningRule]] = {}

    def left(self, occasion: "Occasion") -> Sequence[EarningRule]:
        """In the order in which they are judged; what is known of their conditions is noted."""
        bits = self._free
        if self._together:
            bits |= self._holding(occasion)
        elif self._reach is None:
            return self._rules
        if self._reach is not None and isinstance(occasion.fact, PurchaseRecorded):
            bits &= self._reach.bits(occasion.fact.lines) | self._anyway(occasion)
        if (found := self._left.get(bits)) is None:
            if len(self._left) == KEPT:
                self._left.clear()
            found = [rule for rule in self._rules if self._bits[rule.id] & bits]
            self._left[bits] = found
        return found

    def _holding(self, occasion: "Occasion") -> int:
        holding, values = 0, occasion.values
        occasion.held = self._joint
        for asked, first, all_of_them in self._together:
            found = asked.holding(values)
            if found is None:
                occasion.held, holding = NONE, holding | all_of_them
            else:
                holding |= found << first
        return holding

    def _anyway(self, occasion: "Occasion") -> int:
        """The rules that have something to say whatever is bought: that they have no rate in its
        currency; or that a decision has to keep what their conditions read."""
        if (found := self._spoken.get(occasion.currency)) is None:
            found = self._spoken[occasion.currency] = sum(
                self._bits[rule.id]
                for rule in self._rules
                if (rule.condition is not None and rule.id not in self._joint)
                or _is_unrated(rule, occasion.rated[rule.id])
            )
        return found


def _is_unrated(rule: EarningRule, rated: Rated) -> bool:
    has_rate = rule.chance is None and rule.bonus is None
    return rated.unit is None or (rated.per is None and has_rate)


def _may_be_joint(rule: EarningRule) -> bool:
    """Whether its condition is asked of every fact."""
    asked_always = rule.effective is None and rule.times is None
    return asked_always and rule.condition is not None and is_always_told(rule.condition)


def _joined(rules: Sequence[EarningRule]) -> list[tuple[Together, int, int]]:
    """Each expression with the place of its first bit and all its bits."""
    found, first = [], 0
    for parcel in parcels([rule.condition for rule in rules if rule.condition is not None]):
        all_of_them = ((1 << len(parcel)) - 1) << first
        found.append((together(parcel), first, all_of_them))
        first += len(parcel)
    return found


def _gathered(rules: Sequence[EarningRule]) -> Sequence[EarningRule]:
    """The rules of a group where its first one stands: that is where it is judged."""
    first: dict[str, int] = {}
    for at, rule in enumerate(rules):
        first.setdefault(_place(rule), at)
    return sorted(rules, key=lambda rule: first[_place(rule)])


def _place(rule: EarningRule) -> tuple[bool, str]:
    return (False, rule.id) if rule.group is None else (True, rule.group)
