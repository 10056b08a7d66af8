"""What bonuses lose, or get back, where what they multiplied was settled."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from fractions import Fraction

from tests.plugins.points.reckoning.arithmetic import rounded
from tests.plugins.points.reckoning.settled import Settled, caps_over, where
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
    gifts: dict[datetime, list[Gift]] = {}
    for sold in bought:
        gifts.setdefault(sold.at, []).extend(sold.gifts)
    beyond: dict[tuple[str, str], Counter[datetime]] = {}
    for at in sorted(gifts):
        seen = set[Key]()
        for gift in gifts[at]:
            name, unit = gift.rule["id"], gift.unit
            if "bonus" not in gift.rule or (at, name, unit) in seen:
                continue
            seen.add((at, name, unit))
            bases = [one for one in gifts[at] if one.unit == unit and _is_base(gift, one)]
            base, lost = sum(one.granted for one in bases), 0
            for rule in {one.rule["id"] for one in bases}:
                lost -= stands[at, rule, unit]
            mine = [one for one in gifts[at] if (one.rule["id"], one.unit) == (name, unit)]
            goes = Fraction(sum(one.granted for one in mine) * max(lost, 0), base) if base else 0
            due = -min(rounded(Fraction(goes), "half_up"), max(sum(one.left for one in mine), 0))
            if stands[at, name, unit] != due:
                beyond.setdefault((name, unit), Counter())[at] = stands[at, name, unit] - due
            stands[at, name, unit] = due
    for (name, unit), at_once in beyond.items():
        now = next((one for one in config(back.at)["rules"] if one["id"] == name), None)
        under = frozenset({name}) if now is None else caps_over(now)
        total = Settled(name, unit, back.at, -at_once.total(), under)
        yield from where(total, at_once, config) if total.amount < 0 else [total]


def _is_base(bonus: Gift, other: Gift) -> bool:
    if other.rule["id"] == bonus.rule["id"]:
        return False
    return other.is_base or bonus.rule["bonus"]["of"] == "granted"
