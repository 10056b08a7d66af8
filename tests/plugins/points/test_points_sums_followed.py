"""What follows what a return settles of a sum: the bonuses on it, and how often its rule gave."""

from typing import Any

import pytest

from tests.plugins.points.till import Till, program, rule

MONTH: dict[str, Any] = {"over": {"period": "month"}}
FIRST = [{"from": "0", "points": "10"}, {"from": "3", "points": "0"}]  # the first three dollars
LEVELS = [{"from": "10", "points": "10"}, {"from": "50", "points": "500"}]
FREE = pytest.mark.parametrize(
    "caps", [{}, {"caps": [{"points": "100000", "period": "month"}]}], ids=["free", "capped"]
)
ONCE = {"limits": [{"times": 1, "period": "month"}]}


def two(config: dict[str, Any], *baskets: str) -> tuple[Till, list[str]]:
    """Bought on two days."""
    till, orders = Till(config), []
    for at, basket in enumerate(baskets):
        till.comes(f"2026-03-{10 + at}T12:00")
        till.buys(basket)
        orders.append(till.order)
    return till, orders


# --- bonuses --------------------------------------------------------------------------------------


@FREE
@pytest.mark.parametrize("of", ["base", "granted"])
def test_a_bonus_goes_with_what_it_multiplied(caps: Any, of: str) -> None:
    double = rule("double", bonus={"factor": "2", "of": of})
    till, (first, second) = two(program(rule("sum", levels=LEVELS, **MONTH, **caps), double),
                                "30.00", "30.00")  # fmt: skip
    assert till.balance() == "1000"
    till.brings_back(first)
    assert till.balance() == "20"
    till.brings_back(second)
    assert till.balance() == "0"


@FREE
def test_what_went_of_a_bonus_is_given_again_with_its_goods(caps: Any) -> None:
    """The second goes in halves: its 490, of which 480 went with the first, and 490 upon them."""
    half = rule("half", bonus={"factor": "1.5", "of": "base"})
    till, (first, second) = two(program(rule("sum", levels=LEVELS, **MONTH, **caps), half),
                                "30.00", "30.00")  # fmt: skip
    assert till.balance() == "750"
    till.brings_back(first)
    assert till.balance() == "15"
    till.brings_back(second, _1="15.00")
    assert till.balance() == "15"  # 15.00 are left: 10, and a half of it
    till.brings_back(second)
    assert till.balance() == "0"


@FREE
def test_bonuses_upon_bonuses_go_as_well(caps: Any) -> None:
    double = rule("double", bonus={"factor": "2", "of": "granted"})
    triple = rule("triple", bonus={"factor": "3", "of": "granted"})
    base = rule("sum", levels=LEVELS, **MONTH, **caps)
    till, (first, second) = two(program(base, double, triple), "30.00", "30.00")
    assert till.balance() == "3000"
    till.brings_back(first)
    assert till.balance() == "60"
    till.brings_back(second)
    assert till.balance() == "0"


@FREE
def test_no_bonus_is_given_for_what_a_sum_gives_more(caps: Any) -> None:
    """The first three dollars were the first purchase's, and doubled. They are the second's now,
    of which nobody knows whether it would have been doubled."""
    double = rule("double", bonus={"factor": "2", "of": "base"})
    till, (first, second) = two(program(rule("sum", brackets=FIRST, **MONTH, **caps), double),
                                "3.00", "3.00")  # fmt: skip
    assert till.balance() == "60"
    till.brings_back(first)
    assert till.balance() == "30"
    till.brings_back(second)
    assert till.balance() == "0"


@FREE
def test_a_bonus_of_other_rules_stays(caps: Any) -> None:
    double = rule("double", bonus={"factor": "2", "of": "base", "rules": ["visit"]})
    visit = rule("visit", count="visit", points="7")
    base = rule("sum", levels=LEVELS, **MONTH, **caps)
    till, (first, second) = two(program(base, visit, double), "30.00", "30.00")
    assert till.balance() == "528"
    till.brings_back(first)
    assert till.balance() == "24"
    till.brings_back(second)
    assert till.balance() == "0"


# --- uses -----------------------------------------------------------------------------------------


def test_what_gives_nothing_any_more_is_no_use() -> None:
    """The point of 9.00 and 9.00 goes with the first: the limit has room for the next."""
    till, (first, _) = two(program(rule("sum", per={"USD": "10.00"}, **ONCE, **MONTH)),
                           "9.00", "9.00")  # fmt: skip
    assert till.balance() == "1"
    till.brings_back(first)
    assert till.balance() == "0"
    till.buys("20.00")
    assert till.balance() == "2"  # of 29.00


@pytest.mark.parametrize("line", ["1", "2"])
def test_a_use_is_free_whichever_of_two_equal_lines_comes_back(line: str) -> None:
    till = Till(program(rule("sum", per={"USD": "10.00"}, **ONCE, **MONTH)))
    till.buys("6.00", "6.00")
    order = till.order
    till.brings_back(**{f"_{line}": "6.00"})
    assert till.balance() == "0"
    till.buys("20.00")
    assert till.balance() == "2"
    till.brings_back(order)
    assert till.balance() == "2"
    assert till.buys("20.00") == {}  # once a month


@pytest.mark.parametrize("line", ["1", "2"])
def test_a_use_stays_whichever_of_two_equal_lines_comes_back(line: str) -> None:
    """5.00, then 6.00 and 6.00, gave a point; 11.00 are left, and the point with them."""
    till = Till(program(rule("sum", per={"USD": "10.00"}, **ONCE, **MONTH)))
    till.buys("5.00")
    till.buys("6.00", "6.00")
    order = till.order
    till.brings_back(**{f"_{line}": "6.00"})
    assert till.balance() == "1"
    assert till.buys("20.00") == {}
    till.brings_back(order)
    assert till.balance() == "0"
    till.buys("30.00")
    assert till.balance() == "3"  # of 35.00 that are left; 20.00 counted for nothing
