"""Whole programs of any rules: what must hold whatever a tenant writes and a member does."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from loyalty.purchase import Line
from loyalty.units import format_minor
from tests.plugins.points.till import Till, program, rule

CATEGORIES = (None, "coffee", "coffee/beans", "garden")
PERIODS = ("day", "week", "month", "year", "lifetime")
LEVELS = [{"from": "3", "points": "5"}, {"from": "20", "points": "40"}]
BRACKETS = [{"from": "0", "points": "1"}, {"from": "10", "points": "7.5"}]
reached: Counter[str] = Counter()


@st.composite
def periods(draw: st.DrawFn) -> dict[str, Any]:
    if draw(st.integers(0, 3)) == 0:
        return {"period": "rolling", "days": draw(st.integers(1, 4))}
    return {"period": draw(st.sampled_from(PERIODS))}


@st.composite
def earning(draw: st.DrawFn, at: int) -> dict[str, Any]:
    keys: dict[str, Any] = {
        "points": draw(st.sampled_from(["1", "0.5", "2.25", "10"])),
        "rounding": draw(st.sampled_from(["floor", "half_up", "half_even", "ceiling"])),
    }
    if draw(st.booleans()):
        keys["count"] = draw(st.sampled_from(["visit", "quantity"]))
    else:
        keys["per"] = {"USD": draw(st.sampled_from(["1.00", "3.00", "10.00"]))}
    if draw(st.booleans()):
        keys["over"] = draw(periods())
    elif draw(st.booleans()):
        keys["rounded"] = "line"
    if "rounded" not in keys and draw(st.integers(0, 2)) == 0:
        del keys["points"]
        keys |= draw(st.sampled_from([{"levels": LEVELS}, {"brackets": BRACKETS}]))
    if draw(st.integers(0, 3)) == 0:
        keys |= draw(st.sampled_from([{"at_least": "2"}, {"at_most": "6"}]))
    if draw(st.booleans()):
        keys["include"] = {"categories": ["coffee"]}
    if draw(st.booleans()):
        period = draw(st.sampled_from(PERIODS))
        # Mostly small ones: a few baskets must get there.
        most = draw(st.sampled_from([4, 12, 40]))
        keys["caps"] = [{"points": str(draw(st.integers(1, most))), "period": period}]
    if draw(st.integers(0, 3)) == 0:
        keys["limits"] = [{"times": draw(st.integers(1, 3)), "period": "day"}]
    if draw(st.booleans()):
        keys |= {"group": "g", "priority": at + 1}
    return rule(f"earn-{at}", **keys)


@st.composite
def bonus(draw: st.DrawFn, at: int) -> dict[str, Any]:
    factor = draw(st.sampled_from(["1.1", "1.5", "2", "3.333"]))
    keys: dict[str, Any] = {
        "bonus": {"factor": factor, "of": draw(st.sampled_from(["base", "granted"]))}
    }
    if draw(st.booleans()):
        keys["include"] = {"categories": ["coffee"]}
    return rule(f"bonus-{at}", **keys)


@st.composite
def programs(draw: st.DrawFn) -> dict[str, Any]:
    rules = [draw(earning(at)) for at in range(draw(st.integers(1, 4)))]
    rules += [draw(bonus(at)) for at in range(draw(st.integers(0, 3)))]
    keys: dict[str, Any] = {
        "groups": [{"id": "g", "grants": draw(st.sampled_from(["all", "best", "first"]))}]
    }
    if draw(st.booleans()):
        per = draw(st.sampled_from(["member", "program"]))
        most = draw(st.sampled_from([10, 40, 200]))
        keys["caps"] = [{"points": str(draw(st.integers(1, most))), "period": "year", "per": per}]
    return program(*rules, **keys)


@st.composite
def baskets(draw: st.DrawFn) -> tuple[Line, ...]:
    return tuple(
        Line(
            id=str(at),
            amount=draw(st.integers(1, 60_00)),
            quantity=draw(st.integers(1, 5)) * 1000,
            category=draw(st.sampled_from(CATEGORIES)),
        )
        for at in range(draw(st.integers(1, 4)))
    )


def pieces(draw: Any, amount: int) -> Iterator[int]:
    """An amount in up to three parts."""
    for _ in range(draw(st.integers(0, 2))):
        part = draw(st.integers(0, amount))
        if part:
            yield part
        amount -= part
    if amount:
        yield amount


@settings(max_examples=150, deadline=None)
@given(config=programs(), orders=st.lists(baskets(), min_size=1, max_size=5), data=st.data(),
       places=st.sampled_from([0, 2]))  # fmt: skip
def test_whatever_is_bought_and_comes_back_in_parts_ends_at_nothing(
    config: dict[str, Any], orders: list[tuple[Line, ...]], data: st.DataObject, places: int
) -> None:
    """S3 of the published invariants: an earn and its full return net to zero."""
    till = Till(config, places={"points": places})
    parts = []
    for lines in orders:
        till.comes(f"2026-03-{data.draw(st.integers(10, 13))}T12:00")
        till.buys(*lines)
        for grant in till.body["grants"]:
            assert sum(grant["lines"].values()) == grant["granted"] <= grant["wanted"]
            reached["cut"] += "cutBy" in grant and grant["wanted"] > 0
            reached["bonus"] += grant["stage"] == "BONUS" and grant["granted"] > 0
        parts += [
            (till.order, line.id, part) for line in lines for part in pieces(data.draw, line.amount)
        ]
    assert till.balance() == format_minor(_granted(till), places)
    if _granted(till):
        reached["earned"] += 1
    for order, line, part in data.draw(st.permutations(parts)):
        till.brings_back(order, **{f"_{line}": format_minor(part, 2)})
        reached["returns"] += 1
        assert float(till.balance()) >= 0
    assert float(till.balance()) == 0
    event("net zero")


def _granted(till: Till) -> int:
    rows = [row[-1] or {} for row in till.batch.book.rows.facts]
    return sum(grant["granted"] for body in rows for grant in body.get("grants", ()))


@settings(max_examples=200, deadline=None)
@given(config=programs(), orders=st.lists(baskets(), min_size=1, max_size=6))
def test_no_cap_is_ever_exceeded(config: dict[str, Any], orders: list[tuple[Line, ...]]) -> None:
    till = Till(config)
    given_by: Counter[str] = Counter()
    for lines in orders:
        for name, points in till.buys(*lines).items():
            given_by[name] += int(points)
    for one in config["rules"]:
        for cap in one.get("caps", ()):
            assert given_by[one["id"]] <= int(cap["points"])
            reached["at its cap"] += given_by[one["id"]] == int(cap["points"])
    for cap in config.get("caps", ()):
        assert given_by.total() <= int(cap["points"])
        reached["at its budget"] += given_by.total() == int(cap["points"])


@settings(max_examples=50, deadline=None)
@given(config=programs(), orders=st.lists(baskets(), min_size=1, max_size=3))
def test_other_words_change_nothing(config: dict[str, Any], orders: list[tuple[Line, ...]]) -> None:
    """S8 of the published invariants: editing a label changes no result."""
    other = {**config, "rules": [{**one, "label": "Other words"} for one in config["rules"]]}
    first, second = Till(config), Till(other)
    for lines in orders:
        assert first.buys(*lines) == second.buys(*lines)
    assert [c.name for c in first.counters()] == [c.name for c in second.counters()]


@pytest.mark.parametrize(
    ("situation", "floor"),
    [("earned", 60), ("returns", 300), ("cut", 20), ("bonus", 60), ("at its cap", 15),
     ("at its budget", 5)],
)  # fmt: skip
def test_the_interesting_situations_were_reached(situation: str, floor: int) -> None:
    assert reached[situation] >= floor, reached
