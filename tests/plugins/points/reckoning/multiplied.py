"""What bonuses lose, or get back, where what they multiplied was settled."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from fractions import Fraction

from tests.plugins.points.reckoning.arithmetic import rounded
from tests.plugins.points.reckoning.settled import Settled, caps_over, evened, where
from tests.plugins.points.reckoning.sold import Gift, Rule, Sold

Key = tuple[datetime, str, str]


def bonuses(
    bought: Sequence[Sold], settled: Sequence[Settled], back: Sold,
    config: Callable[[datetime], Rule],
) -> Iterator[Settled]:  # fmt: skip
    """Of a bonus goes the part of what it multiplied that was settled away, at each instant."""
    stands = Counter[Key]()
    for one in settled:
        stands[one.at, one.rule, one.unit] += one.amount
    beyond: dict[tuple[str, str], Counter[datetime]] = {}
    held: dict[tuple[str, str], Counter[datetime]] = {}
    there: dict[Key, list[tuple[Gift, list[Gift]]]] = {}
    for sold in sorted(bought, key=lambda one: one.at):
        for n, gift in enumerate(sold.gifts):
            if "bonus" in gift.rule:
                before = [one for one in sold.gifts[:n] if _is_base(gift, one)]
                there.setdefault((sold.at, gift.rule["id"], gift.unit), []).append((gift, before))
    for (at, name, unit), pairs in there.items():
        bases = [one for _, before in pairs for one in before]
        base, left = sum(g.granted for g in bases), sum(gift.left for gift, _ in pairs)
        lost = -sum(stands[at, rule, unit] for rule in {one.rule["id"] for one in bases})
        due, had = 0, stands[at, name, unit]
        if base and lost > 0:
            part = Fraction(max(sum(one.left for one in bases) - lost, 0), base)
            due = min(rounded(sum(gift.granted for gift, _ in pairs) * part, "half_up") - left, 0)
        held.setdefault((name, unit), Counter())[at] = left + had
        beyond.setdefault((name, unit), Counter())[at] = had - due
        stands[at, name, unit] = due
    for (name, unit), at_once in beyond.items():
        if not any(at_once.values()):
            continue
        now = next((one for one in config(back.at)["rules"] if one["id"] == name), None)
        under = frozenset({name}) if now is None else caps_over(now)
        total = Settled(name, unit, back.at, -at_once.total(), under)
        fresh = list(where(total, at_once, config) if total.amount < 0 else [total])
        for one in fresh:
            held[name, unit][one.at] += one.amount
            at_once[one.at] += one.amount
        yield from fresh
        yield from evened(name, unit, held[name, unit], at_once, config)


def _is_base(bonus: Gift, other: Gift) -> bool:
    if other.unit != bonus.unit:
        return False
    return other.is_base or bonus.rule["bonus"]["of"] == "granted"
