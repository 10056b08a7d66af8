"""A rule that adds up over a week, and from some day on over a month: periods that overlap."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.units import format_minor
from loyalty_earning.periods import Periodic
from tests.plugins.points.till import Till, program, rule

WEEK, MONTH = {"period": "week"}, {"period": "month"}
OVERS: list[dict[str, Any]] = [
    WEEK, MONTH, {"period": "day"}, {"period": "day", "day_starts_at": "06:00"},
    {"period": "week", "day_starts_at": "06:00"}, {"period": "quarter"}, {"period": "lifetime"},
]  # fmt: skip
LEVELS = [{"from": "2", "points": "3"}, {"from": "5", "points": "50"}]
reached: Counter[str] = Counter()


def a_week_that_became_a_month() -> tuple[Till, list[str]]:
    """Three times 0.60 in a week that began in February; then the month adds up. One came back
    before: its share was the point, and the rest of that week earns one all the same."""
    till, orders = Till(program(rule(over=WEEK))), []
    for day in ("2026-02-24", "2026-02-26", "2026-03-01"):
        till.comes(f"{day}T12:00")
        till.buys("0.60")
        orders.append(till.order)
    till.brings_back(orders[1])
    assert till.balance() == "1"
    till.comes("2026-03-03T12:00")
    till.publishes(program(rule(over=MONTH)))
    till.buys("0.60")  # 1.20 in March
    orders.append(till.order)
    assert till.balance() == "2"
    return till, orders


@pytest.mark.parametrize(
    ("order", "left"),
    [
        ((0, 2, 3), ["1", "0", "0"]),  # 0.60 + 0.60 of March; 0.60 alone; nothing
        ((3, 2, 0), ["1", "0", "0"]),  # of the week 0.60 + 0.60; 0.60 of it; nothing
        ((2, 0, 3), ["0", "0", "0"]),
    ],
)
def test_a_week_that_became_a_month_ends_at_nothing(
    order: tuple[int, ...], left: list[str]
) -> None:
    till, orders = a_week_that_became_a_month()
    balances = []
    for at in order:
        till.brings_back(orders[at])
        balances.append(till.balance())
    assert balances == left


@dataclass
class Kept:
    """What is left of a purchase, when it was made and which version judged it."""

    order: str
    at: datetime
    number: int
    left: int


def earned(keys: dict[str, Any], total: int) -> int:
    if "levels" in keys:
        return max((int(x["points"]) for x in LEVELS if total >= 100 * int(x["from"])), default=0)
    return total // 100


def of_what_is_left(till: Till, kept: list[Kept], ways: list[dict[str, Any]]) -> int:
    points = 0
    for at, one in enumerate(kept):
        way = ways[one.number]
        over = Periodic.model_validate(way["over"])
        window = over.window(one.at, till.zone)
        before = sum(
            other.left
            for other in kept[:at]
            if window[0] <= other.at < window[1]
            and any(later["over"] == way["over"] for later in ways[other.number :])
        )
        points += earned(way, before + one.left) - earned(way, before)
    return points


STEP = st.tuples(
    st.sampled_from(["buy", "buy", "buy", "publish", "return", "return"]),
    st.integers(1, 300), st.sampled_from([5, 17, 26, 63, 190]), st.integers(0, 99),
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(
    overs=st.lists(st.sampled_from(OVERS), min_size=2, max_size=4),
    levels=st.lists(st.booleans(), min_size=4, max_size=4),
    steps=st.lists(STEP, min_size=10, max_size=30),
    zone=st.sampled_from(["UTC", "America/New_York", "Asia/Tokyo"]),
)
def test_any_story_of_overlapping_periods_holds_what_is_left_of_it_earns(
    overs: list[dict[str, Any]], levels: list[bool], steps: list[tuple[str, int, int, int]],
    zone: str,
) -> None:  # fmt: skip
    ways: list[dict[str, Any]] = [
        {
            "over": over,
            "also": [{"unit": "miles"}],
            **({"levels": LEVELS} if by else {"points": "1"}),
        }
        for over, by in zip(overs, levels, strict=False)
    ]
    till, kept, number = _till(ways[0], zone), list[Kept](), 0
    now = datetime(2026, 2, 20, 3, tzinfo=UTC)
    for what, amount, hours, which in steps:
        now += timedelta(hours=hours)
        till.comes(f"{now:%Y-%m-%dT%H:%M}")
        if what == "publish" and number + 1 < len(ways):
            number += 1
            till.publishes(program(rule(**ways[number])))
        elif what == "buy" or not kept:
            till.buys(format_minor(amount, 2))
            kept.append(Kept(till.order, till.at, number, amount))
        else:
            one = kept[which % len(kept)]
            part = min(amount, one.left)
            till.brings_back(one.order, _1=format_minor(part, 2))
            one.left -= part
            if not one.left:
                kept.remove(one)
            reached["return"] += one.number < number
        points = of_what_is_left(till, kept, ways[: number + 1])
        assert (till.balance(), till.balance("miles")) == (f"{points}", f"{points}.00")
    for one in list(kept):
        till.brings_back(one.order)
    assert (till.balance(), till.balance("miles")) == ("0", "0.00")


def _till(keys: dict[str, Any], zone: str) -> Till:
    return Till(program(rule(**keys)), places={"miles": 2}, zone=zone)


def test_the_interesting_situations_were_reached() -> None:
    assert reached["return"] > 20, reached
