"""What a period's sum earns, where caps cut it and give the rest later: what a member has and what
is owed is together what is left earns, after each step and whatever comes back."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from random import Random
from typing import Any

import pytest

from loyalty.purchase import Line
from loyalty.units import format_minor
from tests.plugins.points.reckoning.rules import curve
from tests.plugins.points.till import Till, program, rule

STORIES = 120
WAYS: list[dict[str, Any]] = [
    {"points": "1"}, {"points": "0.5"}, {"points": "2.25"},
    {"levels": [{"from": "3", "points": "5"}, {"from": "20", "points": "40"}]},
    {"brackets": [{"from": "0", "points": "10"}, {"from": "3", "points": "1"},
                  {"from": "12", "points": "0"}]},
]  # fmt: skip
reached: Counter[str] = Counter()


class Story:
    """One rule under caps of its own, of its group and of the program; `lost`: not all of them
    carry over what they cut."""

    def __init__(self, seed: int, *, lost: bool) -> None:
        self.seed, self.dice, self.lost = seed, Random(seed), lost
        dice, caps = self.dice, list(self._caps())
        over = {"period": dice.choice(["week", "month", "year"])}
        self.rule = rule("sum", per={"USD": dice.choice(["1.00", "3.00"])}, over=over, group="g",
                         **dice.choice(WAYS))  # fmt: skip
        groups = [{"id": "g", "caps": caps[1]}]
        self.till = Till(program(self.rule | {"caps": caps[0]}, groups=groups, caps=caps[2]))
        self.targets = [
            target
            for target, some in zip(("rule.sum", "group.g", "program"), caps, strict=True)
            if any(cap["carry_over"] for cap in some)
        ]
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)
        self.bought: dict[str, tuple[datetime, dict[str, int], dict[str, int]]] = {}

    def _caps(self) -> Iterator[list[dict[str, Any]]]:
        for most in (2, 1, 1):
            yield [
                {
                    "points": str(self.dice.randint(1, 40)),
                    "period": self.dice.choice(["day", "week", "month"]),
                    "carry_over": not self.lost or self.dice.random() < 0.5,
                }
                for _ in range(self.dice.randint(0, most))
            ]

    def step(self) -> None:
        dice, what = self.dice, self.dice.random()
        self.now += timedelta(hours=dice.choice([1, 5, 24, 60]))
        self.till.comes(f"{self.now:%Y-%m-%dT%H:%M}")
        if what < 0.45 or not self.bought:
            lines = [Line(id=str(at), amount=dice.randint(1, 6000)) for at in range(3)]
            self.till.buys(*lines[: dice.randint(1, 3)])
            self.tells({line.id: line.amount for line in self.till_lines()})
        elif what < 0.6:
            for target in self.targets:
                reached["carried"] += bool(self.till.carries(target))
        elif what < 0.7:
            self.corrects()
        else:
            self.brings_back(*dice.choice(list(self.bought.items())))
        self.agrees()

    def till_lines(self) -> tuple[Line, ...]:
        sale = list(self.till.batch.sales.values())[-1]
        lines: tuple[Line, ...] = getattr(sale.fact, "lines", ())
        return lines

    def tells(self, lines: dict[str, int], at: datetime | None = None) -> None:
        self.bought[self.till.order] = at or self.now, lines, dict(lines)
        reached["cut"] += bool(self.till.cuts())

    def corrects(self) -> None:
        whole = [order for order, (_, lines, left) in self.bought.items() if lines == left]
        if whole:
            self.till.order, amount = self.dice.choice(whole), self.dice.randint(1, 9000)
            self.till.corrects(self.till.order, format_minor(amount, 2))
            self.tells({"1": amount}, self.bought[self.till.order][0])
            reached["corrected"] += 1

    def brings_back(
        self, order: str, what: tuple[datetime, dict[str, int], dict[str, int]]
    ) -> None:
        _, _, left = what
        if not (lines := [line for line, amount in left.items() if amount]):
            return
        line = self.dice.choice(lines)
        part = self.dice.choice([left[line], self.dice.randint(1, left[line])])
        self.till.brings_back(order, **{f"_{line}": format_minor(part, 2)})
        left[line] -= part
        for grant in self.till.body["grants"]:
            reached["settled"] += 1
            reached["owed"] += bool(grant.get("postponed"))

    def owed(self) -> dict[str, int]:
        return {
            name: sum(delta for _, delta in rows)
            for (name, _), rows in self.till.batch.counted.items()
            if "/owed." in name
        }

    def due(self) -> int:
        sums = Counter[Any]()
        for at, _, left in self.bought.values():
            week = at.date() - timedelta(days=at.weekday())
            periods = {"week": week, "month": at.month, "year": at.year}
            sums[periods[self.rule["over"]["period"]]] += sum(left.values())
        step = 100 * Fraction(self.rule["per"]["USD"])
        return sum(curve(self.rule, total / step, 0) for total in sums.values())

    def agrees(self) -> None:
        owed, has = self.owed(), int(self.till.balance())
        assert min(owed.values(), default=0) >= 0, (self.seed, owed)
        if self.lost:
            assert 0 <= has + sum(owed.values()) <= self.due(), self.seed
        else:
            assert has + sum(owed.values()) == self.due(), self.seed

    def ends(self) -> None:
        for order, (_, _, left) in self.dice.sample(list(self.bought.items()), len(self.bought)):
            if any(left.values()):
                self.till.brings_back(order)
                left.update(dict.fromkeys(left, 0))
                self.agrees()
        assert (self.till.balance(), set(self.owed().values()) - {0}) == ("0", set()), self.seed


@pytest.mark.parametrize("lost", [False, True])
def test_what_is_there_and_what_is_owed_is_what_is_left_earns(lost: bool) -> None:
    for seed in range(STORIES):
        story = Story(seed, lost=lost)
        for _ in range(story.dice.randint(8, 25)):
            story.step()
        story.ends()


@pytest.mark.parametrize(
    ("situation", "floor"),
    [("cut", 900), ("carried", 50), ("corrected", 140), ("settled", 120), ("owed", 70)],
)
def test_the_interesting_situations_were_reached(situation: str, floor: int) -> None:
    assert reached[situation] >= floor, reached
