"""What a cap says of what it cut: all that was given under it, so that it adds up."""

from typing import Any

import pytest

from loyalty.facts import Fact
from tests.plugins.points.till import Till, activity, program, rule

TEN = {"points": "10", "period": "day"}


def told(till: Till, fact: Fact) -> dict[str, str | None]:
    """What is said of each rule that fired, in a preview as in the decision."""
    previewed = till.says_why(fact, till.would_get(fact), preview=True)
    till.tells(fact)
    found = till.says_why(fact, till.body)
    assert previewed == found
    return {one.rule: one.message for one in found if one.fired}


@pytest.mark.parametrize(
    ("keys", "whose"),
    [
        ({"caps": [TEN]}, "the program's"),
        ({"groups": [{"id": "g", "caps": [TEN]}]}, "the group g's"),
    ],
)
def test_what_other_rules_took_of_it_just_before_is_named(keys: dict[str, Any], whose: str) -> None:
    names = ("one", "two", "three", "four")
    till = Till(
        program(*(rule(name, group="g") for name in names), **{"groups": [{"id": "g"}]} | keys)
    )
    assert till.buys("1.00") == dict.fromkeys(names, "1")
    assert told(till, till.a_purchase("2.50")) == {
        "one": None,
        "two": None,
        "three": None,
        "four": f"{whose} cap of 10 a day leaves 2 out: 4 were given before, 2 by one, 2 by two and"
        " 2 by three for the same purchase",
    }
    assert told(till, till.a_purchase("1.00"))["one"] == (
        f"{whose} cap of 10 a day leaves 1 out: 10 were given before"
    )


def test_it_is_told_in_the_places_of_the_unit_and_what_took_nothing_is_not_named() -> None:
    """The first is cut to nothing by its own cap; the multiplier is of what that wanted."""
    double = rule("double", bonus={"factor": "1.5"})
    small = {"points": "0.5", "period": "day"}
    config = program(rule("a", caps=[small]), rule("b"), double, caps=[TEN])
    till = Till(config, places={"points": 2})
    assert till.buys("0.50") == {"a": "0.50", "b": "0.50", "double": "0.50"}
    assert told(till, till.a_purchase("6.00")) == {
        "a": "its cap of 0.5 a day leaves 6.00 out: 0.50 were given before",
        "b": None,
        "double": "the program's cap of 10 a day leaves 3.50 out: 1.50 were given before, 6.00 by b"
        " for the same purchase",
    }


def test_of_many_the_first_are_named() -> None:
    names = [f"r{at}" for at in range(8)]
    till = Till(program(*map(rule, names), caps=[TEN]))
    assert told(till, till.a_purchase("1.40"))["r7"] is None
    assert told(till, till.a_purchase("1.00"))["r2"] == (
        "the program's cap of 10 a day leaves 1 out: 8 were given before, 1 by r0 and 1 by r1 for"
        " the same purchase"
    )
    many = Till(program(*map(rule, names), caps=[TEN | {"points": "7"}]))
    assert told(many, many.a_purchase("1.00"))["r7"] == (
        "the program's cap of 7 a day leaves 1 out: 0 were given before, 1 by r0, 1 by r1, 1 by r2,"
        " 1 by r3, 1 by r4 and 2 by others for the same purchase"
    )


def test_of_an_activity_it_is_said_as_well() -> None:
    config = program(activity("visit", "8"), activity("visit", "8") | {"id": "extra"}, caps=[TEN])
    till = Till(config)
    assert told(till, till.an_activity("visit"))["extra"] == (
        "the program's cap of 10 a day leaves 6 out: 0 were given before, 8 by visit for the same"
        " activity"
    )
