"""What caps cut and give later goes back line by line, as if it had never been cut."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from loyalty.purchase import Line
from loyalty.units import format_minor
from tests.plugins.points.till import Till, program, rule

STORIES = 120
reached: Counter[str] = Counter()


class Story:
    """Told to a program under caps that carry over, and to one without caps: what the first gave
    and owes is what the second gave."""

    def __init__(self, seed: int) -> None:
        self.seed, self.dice = seed, Random(seed)
        dice, self.now = self.dice, datetime(2026, 3, 1, 12, tzinfo=UTC)
        caps = [self._caps() for _ in range(3)]
        keys: dict[str, Any] = {
            "points": dice.choice(["1", "0.5", "2.25"]),
            "rounding": dice.choice(["floor", "half_up", "ceiling"]),
            **dice.choice([{}, {}, {"rounded": "line"}]),
            **dice.choice([{}, {}, {"minimum_purchase": {"USD": "20.00"},
                                    "minimum_lost": "recompute"}]),
        }  # fmt: skip
        base = rule(group="g", **keys)
        groups = [{"id": "g", "caps": caps[1]}]
        self.free = Till(program(base, groups=[{"id": "g"}]))
        self.till = Till(program(base | {"caps": caps[0]}, groups=groups, caps=caps[2]))
        on = zip(("rule.base", "group.g", "program"), caps, strict=True)
        self.targets = [target for target, some in on if some]
        self.kept: dict[str, tuple[str, dict[str, int]]] = {}

    def _caps(self) -> list[dict[str, Any]]:
        period = self.dice.choice(["day", "week", "month"])
        cap = {"points": str(self.dice.randint(1, 60)), "period": period, "carry_over": True}
        return [cap] if self.dice.random() < 0.9 else []

    def step(self) -> None:
        self.now += timedelta(hours=self.dice.choice([1, 5, 24, 60]))
        for one in (self.till, self.free):
            one.comes(f"{self.now:%Y-%m-%dT%H:%M}")
        what = self.dice.random()
        if what < 0.4 or not self.kept:
            self.buys()
        elif what < 0.6:
            for target in self.targets:
                reached["carried"] += bool(self.till.carries(target))
        else:
            self.brings_back(*self.dice.choice(list(self.kept.items())))
        self.agrees()

    def buys(self) -> None:
        count = self.dice.randint(1, 4)
        lines = [Line(id=str(at), amount=self.dice.randint(1, 6000)) for at in range(count)]
        self.till.buys(*lines)
        self.free.buys(*lines)
        self.kept[self.till.order] = self.free.order, {line.id: line.amount for line in lines}
        reached["cut by several"] += any(
            len(grant.get("postponed", ())) > 1 for grant in self.till.body["grants"]
        )

    def brings_back(self, order: str, what: tuple[str, dict[str, int]]) -> None:
        other, left = what
        if lines := [line for line, amount in left.items() if amount]:
            line = self.dice.choice(lines)
            part = self.dice.choice([left[line], self.dice.randint(1, left[line])])
            left[line] -= part
            for till, name in ((self.till, order), (self.free, other)):
                till.brings_back(name, **{f"_{line}": format_minor(part, 2)})
            reached["returned"] += 1

    def agrees(self) -> None:
        owed = [
            sum(delta for _, delta in rows)
            for (name, _), rows in self.till.batch.counted.items()
            if "/owed." in name
        ]
        assert min(owed, default=0) >= 0, self.seed
        assert int(self.till.balance()) + sum(owed) == int(self.free.balance()), self.seed

    def ends(self) -> None:
        for order, (other, left) in self.kept.items():
            if any(left.values()):
                self.till.brings_back(order)
                self.free.brings_back(other)
                self.agrees()
        assert self.till.balance() == self.free.balance() == "0", self.seed


def test_what_is_there_and_what_is_owed_is_what_there_would_be_without_caps() -> None:
    for seed in range(STORIES):
        story = Story(seed)
        for _ in range(story.dice.randint(5, 20)):
            story.step()
        story.ends()


@pytest.mark.parametrize(
    ("situation", "floor"), [("returned", 230), ("carried", 50), ("cut by several", 170)]
)
def test_the_interesting_situations_were_reached(situation: str, floor: int) -> None:
    assert reached[situation] >= floor, reached
