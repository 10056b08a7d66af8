"""What a return settles beside its shares, and which caps count it."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from tests.plugins.points.reckoning.sold import Rule


class Settled(NamedTuple):
    """What a return gave or took beside its shares, of the period of a purchase."""

    rule: str
    unit: str
    at: datetime
    amount: int
    under: frozenset[str]  # the caps that count it: those of the purchase


class Room:
    """What caps have left when goods come back, beside what these make room for: it is used once.

    `caps` are what each is on, its unit, and how much it has left: a rolling one nothing, for later
    days look back at this one, too.
    """

    def __init__(self, caps: Iterable[tuple[str, str, int]]) -> None:
        self._caps = list(caps)
        self._left = Counter({at: left for at, (_, _, left) in enumerate(self._caps)})

    def fitted(self, one: Settled, was_cut: bool, taken: int) -> tuple[Settled, str]:
        """No return gives more than it takes where anything was cut, nor more than caps have; and
        which of this it was."""
        over = [
            at
            for at, (target, unit, _) in enumerate(self._caps)
            if target in one.under and unit == one.unit
        ]
        amount = min(one.amount, taken)
        if not was_cut:
            more = min([one.amount - amount, *(self._left[at] for at in over)])
            self._left.subtract(dict.fromkeys(over, more))
            amount += more
        how = "cut" if was_cut else "under caps" if over else "under none"
        return one._replace(amount=amount), how


def where(
    settled: Settled, beyond: Mapping[datetime, int], config: Callable[[datetime], Rule]
) -> Iterator[Settled]:
    """What is taken is taken of what purchases and earlier returns have beyond what is due."""
    left = -settled.amount
    for at in sorted(beyond):
        if (part := min(left, beyond[at])) > 0:
            then = next(rule for rule in config(at)["rules"] if rule["id"] == settled.rule)
            yield settled._replace(at=at, amount=-part, under=caps_over(then))
            left -= part
    if left:
        yield settled._replace(amount=-left)


def evened(
    rule: str, unit: str, stands: Counter[datetime], beyond: Counter[datetime],
    config: Callable[[datetime], Rule],
) -> Iterator[Settled]:  # fmt: skip
    """No instant is left below nothing where another one has more than is due."""
    for low in sorted(at for at in stands if stands[at] < 0):
        for high in sorted(beyond):
            part = min(-stands[low], beyond[high])
            if part > 0:
                stands[low] += part
                beyond[high] -= part
                for at, amount in ((high, -part), (low, part)):
                    rules = [one for one in config(at)["rules"] if one["id"] == rule]
                    yield Settled(rule, unit, at, amount, caps_over(rules[0]))


def caps_over(rule: Rule) -> frozenset[str]:
    """The caps that count what a rule gives."""
    return frozenset({rule["id"], "program", f"group {rule.get('group')}"})


def is_base(rule: Rule) -> bool:
    return not (rule.get("promotion") or "bonus" in rule)
