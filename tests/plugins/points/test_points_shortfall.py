"""What a rule says where what counts earns nothing, and which key of it speaks against the fact."""

from typing import Any

import pytest

from loyalty.explained import Explained
from loyalty.facts import ActivityRecorded, PurchaseRecorded
from loyalty.purchase import Line, LineKind
from tests.plugins.points.till import Till, activity, minor, program, rule

LEVELS = [{"from": "100", "points": "1"}, {"from": "200", "points": "2"}]
MONTH: dict[str, Any] = {"period": "month"}


def told(till: Till, fact: PurchaseRecorded | ActivityRecorded) -> Explained:
    """What the program's only rule says of a fact that is to come."""
    [found] = till.says_why(fact, till.would_get(fact), preview=True)
    return found


def of_a_purchase(keys: dict[str, Any], *bought: str, then: str = "29.00") -> tuple[Any, Any, Any]:
    till = Till(program(rule(**keys)))
    for amount in bought:
        till.buys(amount)
    found = told(till, till.a_purchase(then))
    return found.reason, found.part, found.message


@pytest.mark.parametrize(
    ("keys", "part", "message"),
    [
        ({"per": {"USD": "100.00"}}, "points",
         "29.00 that count earn less than the smallest part of the unit, rounded floor"),
        ({"per": {"USD": "100.00"}, "whole_steps": True}, "whole_steps",
         "29.00 that count make no full step of 100.00"),
        ({"levels": LEVELS}, "levels",
         "29.00 that count reach no level: the first level begins at 100.00"),
        ({"brackets": [{"from": "50", "points": "1"}]}, "brackets",
         "29.00 that count earn nothing by its brackets"),
        ({"brackets": [{"from": "0", "points": "0.01"}]}, "brackets",
         "29.00 that count earn less than the smallest part of the unit, rounded floor"),
        ({"points": "0", "categories": [{"category": "coffee", "points": "2"}]}, "points",
         "the rate of what counts is 0"),
        ({"count": "quantity", "per_units": "2.5", "whole_steps": True}, "whole_steps",
         "1 that counts makes no full step of 2.5"),
    ],
)  # fmt: skip
def test_one_purchase_is_too_little(keys: dict[str, Any], part: str, message: str) -> None:
    assert of_a_purchase(keys) == ("NOTHING_EARNED", part, message)


@pytest.mark.parametrize(
    ("keys", "bought", "message"),
    [
        ({"per": {"USD": "1000.00"}, "whole_steps": True, "over": {"period": "year"}},
         ["1040.00"],
         "29.00 that count make 1069.00 in this year: no further full step of 1000.00"),
        ({"levels": LEVELS, "over": MONTH}, [],
         "29.00 that count make 29.00 in this month: the first level begins at 100.00"),
        ({"levels": LEVELS, "over": MONTH}, ["150.00"],
         "29.00 that count make 179.00 in this month: the next level begins at 200.00"),
        ({"levels": LEVELS, "over": MONTH}, ["150.00", "80.00"],
         "29.00 that count make 259.00 in this month: there is no higher level"),
        ({"per": {"USD": "100.00"}, "over": {"period": "rolling", "days": 30}}, ["1.50"],
         "29.00 that count make 30.50 in 30 days, which adds less than the smallest part of the "
         "unit, rounded floor"),
        ({"per": {"USD": "100.00"}, "over": {"period": "lifetime"}}, [],
         "29.00 that count make 29.00 in all, which adds less than the smallest part of the unit, "
         "rounded floor"),
        ({"brackets": [{"from": "0", "points": "1"}, {"from": "10", "points": "0"}], "over": MONTH},
         ["10.00"],
         "29.00 that count make 39.00 in this month, which adds nothing by its brackets"),
        ({"count": "visit", "levels": [{"from": "3", "points": "50"}], "over": MONTH}, ["1.00"],
         "1 that counts makes 2 in this month: the first level begins at 3"),
        ({"per": {"USD": "100.00"}, "categories": [{"category": "tea", "points": "2"}],
          "over": MONTH}, [],
         "29.00 that count add to what was earned in this month less than the smallest part of "
         "the unit, rounded floor"),
    ],
)  # fmt: skip
def test_a_period_has_no_more_by_it(keys: dict[str, Any], bought: list[str], message: str) -> None:
    assert of_a_purchase(keys, *bought)[2] == message


def test_a_part_that_was_paid_so_is_what_counts() -> None:
    keys: dict[str, Any] = {
        "paid_with": {"kinds": ["CARD"]},
        "whole_steps": True,
        "per": {"USD": "10.00"},
    }
    till = Till(program(rule(**keys), rule("month", over=MONTH, **keys)))
    fact = till.a_purchase("20.00", paid={"CARD": "9.00", "CASH": "11.00"})

    alone, summed = till.says_why(fact, till.would_get(fact), preview=True)

    assert alone.message == "9.00 that count make no full step of 10.00"
    assert summed.message == (
        "9.00 that count make 9.00 in this month: no further full step of 10.00"
    )


def test_a_multiplier_says_what_its_lines_come_to() -> None:
    keys: dict[str, Any] = {"bonus": {"factor": "2"}, "minimum_purchase": {"USD": "50.00"}}
    alone, paid = keys | {"kinds": ["PRODUCT"]}, keys | {"paid_with": {"kinds": ["CARD"]}}
    till = Till(program(rule(), rule("alone", **alone), rule("paid", **paid)))
    shipping = Line(id="s", amount=minor("9.00"), kind=LineKind.SHIPPING)
    fact = till.a_purchase("49.99", shipping, paid={"CARD": "29.50", "CASH": "29.49"})

    _, alone_told, paid_told = till.says_why(fact, till.would_get(fact), preview=True)

    assert (alone_told.reason, alone_told.part) == ("MINIMUM_PURCHASE", "minimum_purchase")
    assert alone_told.message == "the lines that count come to 49.99 USD, its minimum is 50.00 USD"
    assert paid_told.message == "the lines that count come to 24.99 USD, its minimum is 50.00 USD"


def test_an_attribute_that_is_not_there() -> None:
    till = Till(program(activity("flight", "1") | {"count": "attribute", "attribute": "miles"}))

    found = told(till, till.an_activity("flight"))

    assert (found.reason, found.part) == ("NOTHING_EARNED", "points")
    assert found.message == "the attribute miles holds no number above 0"


def test_a_sum_is_told_as_what_is_counted() -> None:
    till = Till(program(rule(over=MONTH), rule("visits", count="visit", over=MONTH)))
    till.buys("12.34")
    till.buys("1.00")

    inputs = {row["rule"]: row["inputs"] for row in till.body["grants"]}

    assert (inputs["base"]["amount"], inputs["base"]["before"]) == ("1.00", "12.34")
    assert (inputs["visits"]["visit"], inputs["visits"]["before"]) == ("1", "1")


GIFT_CARD = Line(id="a", amount=minor("5.00"), kind=LineKind.GIFT_CARD)
ALL_TEA = {"categories": ["tea"]}
TEA = Line(id="b", amount=minor("5.00"), category="tea")


@pytest.mark.parametrize(
    ("keys", "lines", "part"),
    [
        ({"exclude": ALL_TEA}, [GIFT_CARD], "kinds"),
        ({"include": ALL_TEA}, [GIFT_CARD], "kinds"),
        ({"include": {"categories": ["coffee"]}}, [GIFT_CARD, TEA], "include"),
        ({"exclude": ALL_TEA}, [GIFT_CARD, TEA], "exclude"),
        ({"include": {"categories": ["coffee"]}, "exclude": {"brands": ["x"]}}, [TEA], "include"),
        ({"include": ALL_TEA, "exclude": ALL_TEA}, [TEA], "exclude"),
        ({"include": ALL_TEA, "paid_with": {"kinds": ["CARD"]}}, [TEA], "paid_with"),
        ({"not_paid_with": {"kinds": ["OTHER"]}}, [TEA], "not_paid_with"),
    ],
)  # fmt: skip
def test_the_key_that_left_all_lines_out_is_named(
    keys: dict[str, Any], lines: list[Line], part: str
) -> None:
    till = Till(program(rule(**keys)))
    found = told(till, till.a_purchase(*lines))
    assert (found.reason, found.part) == ("NOTHING_COUNTED", part)


def test_a_limit_of_some_days_says_how_many() -> None:
    till = Till(program(rule(limits=[{"times": 1, "period": "rolling", "days": 330}])))
    till.buys("5.00")

    found = told(till, till.a_purchase("5.00"))

    assert found.message == "it gave 1 time in 330 days already, which is the limit of the member"
    assert dict(found.values)["days"] == 330
