"""Returns where points were spent: a return takes what the rest of the period earns less, as far as
it is there; the program bears the rest, once, and no return gives it back."""

from collections import Counter
from random import Random
from typing import Any

import pytest

from loyalty.commands import AdjustBalance
from loyalty.errors import Refused
from loyalty.facts import MemberRef
from loyalty.units import format_minor
from tests.plugins.points.till import ADA, Till, program, rule
from tests.plugins.points.told import filled

STORIES = 200
reached: Counter[str] = Counter()
TABLES: list[dict[str, Any]] = [
    {"points": "1", "per": {"USD": "10.00"}},
    {"points": "500", "per": {"USD": "100.00"}, "whole_steps": True},
    {"points": "3", "per": {"USD": "7.00"}, "rounding": "half_up"},
    {"levels": [{"from": "0", "points": "0"}, {"from": "40.00", "points": "25"},
                {"from": "90.00", "points": "80"}], "per": {"USD": "1.00"}},
    {"brackets": [{"from": "0", "points": "1"}, {"from": "30.00", "points": "4"}]},
]  # fmt: skip
CAPS = [{"points": "60", "period": "month"}, {"points": "90", "period": "year", "per": "program"}]
CAPPED = rule(over={"period": "month"}, limits=[{"times": 9, "period": "month"}])


class Story:
    """Told to a program whose points are spent and to one whose points are not: what the second has
    is what is due."""

    def __init__(self, seed: int, policy: str) -> None:
        self.seed, self.policy, self.dice = seed, policy, Random(seed)
        table = self.dice.choice(TABLES)
        over = {"over": {"period": self.dice.choice(["day", "month", "year"])}}
        bounds = self.dice.choice([{}, {}, {"at_most": "60"}, {"at_least": "2"}])
        base = rule(**table | over | bounds)
        self.till = Till(program(base, terms={"take_back": policy}))
        self.free = Till(program(base))
        self.kept: dict[str, tuple[str, dict[str, int]]] = {}
        self.has = 0  # of the till, kept beside it

    def step(self) -> None:
        what = self.dice.random()
        if what < 0.35 or not self.kept:
            self.buys()
        elif what < 0.6:
            self.spends()
        else:
            self.brings_back(*self.dice.choice(list(self.kept.items())))
        assert int(self.till.balance()) == self.has, self.seed

    def buys(self) -> None:
        amounts = [self.dice.randint(1, 6000) for _ in range(self.dice.randint(1, 3))]
        lines = [format_minor(amount, 2) for amount in amounts]
        due = self.due()
        self.till.buys(*lines)
        self.free.buys(*lines)
        self.has += self.due() - due
        left = {str(at): amount for at, amount in enumerate(amounts, 1)}
        self.kept[self.till.order] = self.free.order, left

    def spends(self) -> None:
        amount = self.dice.choice([self.has, self.dice.randint(0, self.has)])
        if self.dice.random() < 0.2:
            amount = -self.dice.randint(1, 40)  # from elsewhere
        if amount:
            spends(self.till, amount)
            self.has -= amount

    def brings_back(self, order: str, what: tuple[str, dict[str, int]]) -> None:
        other, left = what
        lines = [line for line, amount in left.items() if amount]
        if not lines:
            return
        line = self.dice.choice(lines)
        part = self.dice.choice([left[line], self.dice.randint(1, left[line])])
        due, named = self.due(), {f"_{line}": format_minor(part, 2)}
        self.free.brings_back(other, **named)
        less = due - self.due()
        reached["less is due"] += less > 0
        reached["less than was spent is due"] += less > self.has
        reached["nothing is due, and nothing there"] += less == 0 == self.has
        try:
            self.till.brings_back(order, **named)
        except Refused:
            assert self.policy == "refuse", self.seed
            assert less > self.has, self.seed
            raise Ended from None
        assert self.policy == "clamp" or less <= self.has, self.seed
        reached["a share was not there"] += bool(self.till.body.get("borne"))
        left[line] -= part
        self.has -= min(less, self.has)

    def due(self) -> int:
        return int(self.free.balance())


def spends(till: Till, amount: int) -> None:
    """So many points; less than nothing: they are given, from elsewhere."""
    till.tells(
        AdjustBalance(
            member=MemberRef(id=ADA), occurred_at=till.at, unit="points", amount=-amount,
            reason_code="GOODWILL",
        )
    )  # fmt: skip


class Ended(Exception):
    """A return was refused: the two are no longer of the same goods."""


def tell(seed: int, policy: str) -> None:
    story = Story(seed, policy)
    try:
        for _ in range(story.dice.randint(8, 24)):
            story.step()
    except Ended:
        reached["refused"] += 1


@pytest.mark.parametrize("seed", range(24))
def test_who_fills_a_counter_later_finds_what_was_counted(seed: int) -> None:
    """Caps and limits keep what was spent, of goods that came back in part or as a whole."""
    dice, till = Random(seed), Till(program(CAPPED, caps=CAPS, terms={"take_back": "clamp"}))
    bought: list[tuple[str, int]] = []
    for _ in range(12):
        what = dice.random()
        if what < 0.4 or not bought:
            till.buys("20.00", "7.00")
            bought.append((till.order, 2))
        elif what < 0.7 and (has := int(till.balance())) > 0:
            spends(till, dice.randint(1, has))
        elif bought:
            order, lines = bought.pop(dice.randrange(len(bought)))
            till.brings_back(order, **({"_1": "20.00"} if lines == 2 else {}))
            bought += [(order, 1)] if lines == 2 else []
            reached["borne under a cap"] += bool(till.body.get("borne"))
    counted = {key: sum(delta for _, delta in rows) for key, rows in till.batch.counted.items()}
    till.batch.counted.clear()
    filled(till)
    found = {key: sum(delta for _, delta in rows) for key, rows in till.batch.counted.items()}
    assert {key: one for key, one in counted.items() if one} == found


def test_the_program_bears_what_is_spent_and_no_more() -> None:
    for seed in range(STORIES):
        tell(seed, "clamp")


def test_a_return_is_refused_where_more_is_due_than_is_there() -> None:
    for seed in range(STORIES):
        tell(seed, "refuse")


@pytest.mark.parametrize(
    ("situation", "floor"),
    [
        ("less is due", 300),
        ("less than was spent is due", 150),
        ("nothing is due, and nothing there", 100),
        ("a share was not there", 100),
        ("refused", 50),
        ("borne under a cap", 12),
    ],
)
def test_the_interesting_situations_were_reached(situation: str, floor: int) -> None:
    assert reached[situation] >= floor, reached


# --- each by itself -------------------------------------------------------------------------------

TEN = rule("ten", per={"USD": "10.00"}, over={"period": "month"})
ONCE = TEN | {"limits": [{"times": 1, "period": "lifetime"}]}


def brackets() -> dict[str, Any]:
    table = [{"from": "0", "points": "10"}, {"from": "3", "points": "0"}]
    return rule("sum", brackets=table, over={"period": "month"})


def test_nothing_is_left_of_nothing_though_nothing_was_spent() -> None:
    """The first rule's share takes a point of the second rule's lot, whose own share misses it."""
    till = Till(program(TEN, rule("plain"), terms={"take_back": "clamp"}))
    till.buys("7.00")
    first = till.order
    till.buys("7.00")
    second = till.order
    assert till.balance() == "15"
    till.brings_back(first)
    assert till.balance() == "7"
    till.brings_back(second)
    assert till.balance() == "0"


@pytest.mark.parametrize(
    "rules", [(brackets(), rule("plain", points="10")),
              (rule("plain", points="10"), brackets())],
    ids=["sum first", "plain first"],
)  # fmt: skip
def test_what_is_there_is_taken_whichever_rule_comes_first(rules: Any) -> None:
    """30 less is due and 30 are there."""
    till = Till(program(*rules, terms={"take_back": "clamp"}))
    till.buys("3.00")
    first = till.order
    till.buys("3.00")
    spends(till, 60)
    assert till.balance() == "30"
    till.brings_back(first)
    assert till.balance() == "0"


def test_who_corrects_owes_nothing_where_the_program_bears_it() -> None:
    """The point is the second purchase's: the one that is corrected had none."""
    till = Till(program(TEN, terms={"take_back": "clamp"}))
    till.buys("7.00")
    first = till.order
    till.buys("7.00")
    spends(till, 1)
    till.corrects(first, "1.00")
    assert till.balance() == "0"


def test_a_correction_that_takes_what_was_spent_is_refused() -> None:
    till = Till(program(TEN, terms={"take_back": "refuse"}))
    till.buys("7.00")
    first = till.order
    till.buys("7.00")
    spends(till, 1)
    with pytest.raises(Refused):
        till.corrects(first, "1.00")


def test_a_point_that_expired_does_not_come_again() -> None:
    ten = rule("ten", per={"USD": "10.00"}, over={"period": "year"})
    till = Till(program(ten, terms={"take_back": "clamp", "lifetime": {"span": "P1M"}}))
    till.comes("2026-03-10T12:00")
    till.buys("7.00")
    first = till.order
    till.buys("7.00")
    second = till.order
    till.comes("2026-06-10T12:00")
    till.brings_back(first)
    till.brings_back(second)
    assert till.balance() == "0"


def test_a_use_is_free_again_though_its_purchase_came_back_in_two_parts() -> None:
    """Nothing was spent. The recall of the first part takes the point, so the second part's share
    misses it: that is settled in the same return, and yet the use is kept."""
    till = Till(program(ONCE, terms={"take_back": "clamp"}))
    assert till.buys("10.00") == {"ten": "1"}
    till.brings_back(till.order, _1="1.00")
    assert till.balance() == "0"
    till.brings_back(till.order)
    assert till.balance() == "0"
    assert till.buys("10.00") == {"ten": "1"}


def test_once_is_once_where_a_recall_was_borne() -> None:
    """The point was spent and the program bore it by the recall; the share then takes another
    point, gives it back, and the use is free."""
    till = Till(program(ONCE, terms={"take_back": "clamp"}))
    till.buys("7.00")
    first = till.order
    assert till.buys("7.00") == {"ten": "1"}
    second = till.order
    spends(till, 1)
    till.brings_back(first)
    spends(till, -1)  # from elsewhere
    till.brings_back(second)
    assert till.balance() == "1"
    assert till.buys("10.00") == {}
