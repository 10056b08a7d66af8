"""A rule that adds up a period, under caps, bounds and beside others of its group: a return settles
what the rest of the period earns, and of what was cut no more is kept than that."""

from collections.abc import Iterable, Iterator
from itertools import permutations
from typing import Any

import pytest

from loyalty.purchase import Line
from loyalty.units import format_minor
from tests.plugins.points.till import Till, program, rule

MONTH: dict[str, Any] = {"over": {"period": "month"}}
THIRDS: dict[str, Any] = {"per": {"USD": "3.00"}, **MONTH}  # a point for every 3.00
CAP = {"points": "30", "period": "month"}
BUDGET = {"points": "1000", "period": "year", "per": "program"}
BASKETS = ["10.00", "25.00", "4.00", "6.50"]


def thirds(*others: dict[str, Any], **keys: Any) -> dict[str, Any]:
    """A rule that gives a point for every 3.00 of a month, beside others."""
    own = keys.pop("own", {})
    return program(rule("sum", **THIRDS | own), *others, **keys)


G: dict[str, Any] = {"own": {"group": "g", "priority": 1}}
UNCUT = {
    "a cap of its own": thirds(own={"caps": [CAP]}),
    "several caps": thirds(
        own={"caps": [CAP, {"points": "25", "period": "week"}], "group": "g"},
        groups=[{"id": "g", "caps": [CAP]}], caps=[BUDGET],
    ),
    "a budget": thirds(caps=[BUDGET]),
    "the most": thirds(own={"at_most": "12"}),
    "the least": thirds(own={"at_least": "1"}),
    "the best": thirds(
        rule("x", points="0.1", group="g", include={"skus": ["x"]}),
        groups=[{"id": "g", "grants": "best"}], **G,
    ),
    "the first": thirds(
        rule("x", group="g", priority=2), groups=[{"id": "g", "grants": "first"}], **G
    ),
    "what is carried over": thirds(own={"caps": [CAP | {"carry_over": True}]}),
}  # fmt: skip


@pytest.mark.parametrize("config", UNCUT.values(), ids=list(UNCUT))
def test_where_nothing_was_cut_a_month_has_what_the_rest_of_it_earns(
    config: dict[str, Any],
) -> None:
    for gone in permutations(range(4)):
        till, orders = Till(config), list[str]()
        for basket in BASKETS:
            till.buys(basket)
            orders.append(till.order)
        for cents in back_in_parts(till, orders, gone):
            assert till.balance() == str(cents // 300), gone


def back_in_parts(till: Till, orders: list[str], gone: Iterable[int]) -> Iterator[int]:
    """A third of each comes back, then the rest; and what is left then, in cents."""
    cents = [int(basket.replace(".", "")) for basket in BASKETS]
    for part in (3, 1):
        for at in gone:
            back = cents[at] // part
            cents[at] -= back
            till.brings_back(orders[at], _1=format_minor(back, 2))
            yield sum(cents)


def test_a_purchase_that_was_told_wrong_leaves_the_month_at_what_it_earns() -> None:
    double = rule("double", bonus={"factor": "2", "of": "granted"}, caps=[CAP])
    till = Till(thirds(double, own={"caps": [CAP]}))
    orders = []
    for basket in ("10.00", "25.00", "4.00"):
        till.buys(basket)
        orders.append(till.order)
    assert till.balance() == "26"
    till.corrects(orders[0], "31.00")
    assert of_rule(till, "sum") == 20  # of 60.00
    till.corrects(orders[1], "4.00")
    assert of_rule(till, "sum") == 13  # of 39.00
    till.corrects(orders[2], "55.00")
    assert of_rule(till, "sum") == 30
    for order in orders:
        till.brings_back(order)
    assert till.balance() == "0"


def of_rule(till: Till, name: str) -> int:
    """What the member has of a rule's, by all decisions."""
    given = 0
    for row in till.batch.book.rows.facts:
        body = row[-1] or {}
        given += sum(one["granted"] for one in body.get("grants", ()) if one["rule"] == name)
        sale = body.get("sale")
        for index, _, amount in body.get("taken", ()):
            (grants,) = [s.grants for s in till.batch.sales.values() if str(s.fact_id) == sale]
            given -= amount if grants[index]["rule"] == name else 0
    return given


CUT = {
    "its cap": (thirds(own={"caps": [CAP | {"points": "10"}]}), 10),
    "three caps": (
        thirds(
            own={"caps": [CAP | {"points": "12"}], "group": "g"},
            groups=[{"id": "g", "caps": [CAP | {"points": "11"}]}],
            caps=[BUDGET | {"points": "10"}],
        ), 10,
    ),
    "the most": (thirds(own={"at_most": "4"}), 16),
    "the best": (
        thirds(
            rule("x", points="0.4", group="g", include={"categories": ["x"]}),
            groups=[{"id": "g", "grants": "best"}], **G,
        ), 999,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("config", "most"), CUT.values(), ids=list(CUT))
def test_what_was_cut_keeps_no_more_than_the_rest_of_the_month_earns(
    config: dict[str, Any], most: int
) -> None:
    for gone in permutations(range(4)):
        till, orders = Till(config), list[str]()
        for at, basket in enumerate(BASKETS):
            category = "x" if at == 1 else None
            till.buys(Line(id="1", amount=int(basket.replace(".", "")), category=category))
            orders.append(till.order)
        had = int(till.balance())
        for cents in back_in_parts(till, orders, gone):
            assert 0 <= of_rule(till, "sum") <= min(cents // 300, most), gone
            assert int(till.balance()) <= had
            had = int(till.balance())
        assert had == 0


def test_what_is_outbid_in_its_group_is_never_given_for_a_return() -> None:
    config, _ = CUT["the best"]
    till = Till(config)
    till.buys("10.00")
    first = till.order
    assert till.buys(Line(id="1", amount=2500, category="x")) == {"x": "10"}
    assert till.buys("4.00") == {"sum": "2"}
    assert till.balance() == "15"
    till.brings_back(first)  # 25.00 lift by nothing that is given, and 4.00 from 8 to 9
    assert till.balance() == "11"


# --- what a return gives --------------------------------------------------------------------------

FALLING = [{"from": "0", "points": "10"}, {"from": "3", "points": "0"}]
DAILY = {"points": "10", "period": "day"}


def falling(*others: dict[str, Any], own: dict[str, Any], **keys: Any) -> dict[str, Any]:
    """Ten points for each of the first three dollars of a month."""
    return program(rule("sum", brackets=FALLING, **MONTH | own), *others, **keys)


def of_two_days(config: dict[str, Any]) -> tuple[Till, list[str]]:
    """The first took all that the month gives, though a cap let it have ten."""
    till, orders = Till(config), list[str]()
    for day, gives in (("10", {"sum": "10"}), ("11", {})):
        till.comes(f"2026-03-{day}T12:00")
        assert till.buys("3.00") == gives
        orders.append(till.order)
    return till, orders


def test_a_return_gives_the_rest_no_more_than_it_takes() -> None:
    till, orders = of_two_days(falling(own={"caps": [DAILY]}))
    till.brings_back(orders[0])  # the second would have earned thirty
    assert till.balance() == "10"
    till.comes("2026-03-10T18:00")
    assert till.buys("100.00") == {}  # the first's day has counted what was given
    till.brings_back(orders[1])
    till.brings_back()
    assert till.balance() == "0"


def test_what_is_owed_of_goods_that_go_back_is_owed_of_the_rest() -> None:
    till, orders = of_two_days(falling(own={"caps": [DAILY | {"carry_over": True}]}))
    till.comes("2026-03-12T00:00")
    till.brings_back(orders[0])  # it was given ten and owed twenty; now the second is
    assert till.balance() == "10"
    assert till.carries("rule.sum") == {"sum:carried": "10"}
    till.comes("2026-03-13T00:00")
    assert till.carries("rule.sum") == {"sum:carried": "10"}
    till.comes("2026-03-14T00:00")
    assert till.carries("rule.sum") == {}
    assert till.balance() == "30"
    till.brings_back(orders[1], _1="2.00")
    assert till.balance() == "10"
    till.brings_back(orders[1])
    assert till.balance() == "0"
    till.comes("2026-03-15T00:00")
    assert till.carries("rule.sum") == {}


def test_what_is_owed_and_goes_back_is_never_given() -> None:
    till, orders = of_two_days(falling(own={"caps": [DAILY | {"carry_over": True}]}))
    till.brings_back(orders[0])
    till.brings_back(orders[1], _1="1.50")  # fifteen are earned: ten are there, five are owed
    assert till.balance() == "10"
    till.comes("2026-03-12T00:00")
    assert till.carries("rule.sum") == {"sum:carried": "5"}
    till.brings_back(orders[1])
    assert till.balance() == "0"


def test_no_return_gives_what_a_budget_cut() -> None:
    """Another rule used the budget up; goods of that come back."""
    other = rule("other", points="10", include={"categories": ["x"]})
    own = {"exclude": {"categories": ["x"]}}
    budget = {"points": "40", "period": "year", "per": "program"}
    till, orders = Till(falling(other, own=own, caps=[budget])), list[str]()
    x = Line(id="1", amount=350, category="x")
    for basket, gives in ((x, {"other": "35"}), ("3.00", {"sum": "5"}), ("3.00", {})):
        assert till.buys(basket) == gives
        orders.append(till.order)
    till.brings_back(orders[1])
    assert till.balance() == "40"  # the third was given what the second had
    till.brings_back(orders[0], _1="1.00")
    till.brings_back(orders[2], _1="0.50")
    assert till.balance() == "30"
    assert till.buys("0.50") == {"sum": "5"}  # the room is there for what is bought
    till.brings_back(orders[2])
    till.brings_back()
    till.brings_back(orders[0])
    assert till.balance() == "0"


def test_a_return_gives_no_more_than_a_rolling_cap_has_on_any_day_since() -> None:
    """On the day of the goods there was room; two days later there is none for the same days."""
    cap = {"points": "30", "period": "rolling", "days": 7}
    other, own = rule("other", include={"categories": ["x"]}), {"exclude": {"categories": ["x"]}}
    till = Till(program(rule("sum", points="0.1", **MONTH | own), other, caps=[cap]))
    assert till.buys("20.00") == {"sum": "2"}
    first = till.order
    till.comes("2026-03-11T12:00")
    till.publishes(falling(other, own=own, caps=[cap]))
    assert till.buys("5.00") == {}  # alone it would have earned thirty
    till.comes("2026-03-12T12:00")
    assert till.buys(Line(id="1", amount=5000, category="x")) == {"other": "28"}
    till.brings_back(first)
    assert till.balance() == "30"
