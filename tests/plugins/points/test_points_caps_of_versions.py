"""One cap in several versions of a program: what it counted is taken off as it was counted."""

from typing import Any

import pytest

from loyalty_earning.unkept import unkept
from loyalty_points.config import PointsConfig
from tests.plugins.points.till import Till, program, rule

YEARLY = {"points": "100", "period": "year"}
MONTHLY = {"points": "60", "period": "month", "carry_over": True}


@pytest.mark.parametrize("per", ["member", "program"])
def test_what_comes_back_of_a_rule_that_is_no_more_leaves_its_room(per: str) -> None:
    caps = [YEARLY | {"per": per}]
    till = Till(program(rule("old"), caps=caps))
    till.buys("60.00")
    bought = till.order
    till.comes("2026-03-12T12:00")
    till.publishes(program(rule("new"), caps=caps))
    till.brings_back(bought, _1="20.00")
    assert till.buys("70.00") == {"new": "60"}
    till.brings_back(bought)
    assert till.buys("70.00") == {"new": "40"}


def after_a_return_of_what_was_carried(**before: Any) -> Till:
    """The rule was capped by the month; it is no more when all comes back, under a yearly cap."""
    till = Till(program(rule("old", caps=[MONTHLY]), **before))
    till.buys("90.00")
    bought = till.order
    till.comes("2026-04-01T00:00")
    assert till.carries("rule.old") == {"old:carried": "30"}
    till.comes("2026-04-02T00:00")
    till.publishes(program(rule("new"), caps=[YEARLY]))
    till.brings_back(bought)
    return till


def test_what_a_cap_gave_later_of_a_rule_that_is_no_more_leaves_its_room() -> None:
    till = after_a_return_of_what_was_carried(caps=[YEARLY])
    assert till.balance() == "0"
    assert till.buys("200.00") == {"new": "100"}


def test_a_cap_that_came_later_has_no_more_room_for_what_comes_back_of_before_it() -> None:
    """What a return settles of a sum, and what a cap of before gave later: neither was counted."""
    levels = [{"from": "10", "points": "10"}, {"from": "50", "points": "500"}]
    summed = rule("old", levels=levels, over={"period": "month"})
    summed.pop("points", None)
    till = Till(program(summed))
    till.buys("30.00")
    till.buys("30.00")
    till.comes("2026-03-12T12:00")
    till.publishes(program(rule("new"), caps=[YEARLY]))
    till.brings_back(till.order, _1="15.00")
    assert till.buys("1000.00") == {"new": "100"}

    till = after_a_return_of_what_was_carried()
    assert till.buys("500.00") == {"new": "100"}


def test_what_is_heard_of_late_is_counted_where_the_rule_was() -> None:
    """The rule is no more by then, and the year has no more than its hundred."""
    till = Till(program(rule("old"), caps=[YEARLY]))
    till.comes("2026-03-12T12:00")
    till.publishes(program(rule("new"), caps=[YEARLY]))
    till.comes("2026-03-11T12:00")
    assert till.buys("80.00") == {"old": "80"}
    assert till.buys("80.00") == {"old": "20"}
    till.comes("2026-03-12T12:00")
    assert till.buys("80.00") == {}


def test_a_rule_that_moves_on_to_another_group_leaves_what_it_gave_to_the_first() -> None:
    def grouped(a: str, b: str) -> dict[str, Any]:
        groups = [{"id": name, "caps": [YEARLY]} for name in ("g", "h")]
        return program(rule("a", group=a), rule("b", group=b, points="0.1"), groups=groups)

    till = Till(grouped("g", "h"))
    assert till.buys("60.00") == {"a": "60", "b": "6"}
    bought = till.order
    till.comes("2026-03-12T12:00")
    till.publishes(grouped("h", "g"))
    till.brings_back(bought)
    assert till.buys("120.00") == {"a": "100", "b": "12"}
    assert till.buys("1000.00") == {"b": "88"}


def test_a_cap_that_was_away_counts_what_is_left_by_the_version_that_has_it_again() -> None:
    """It was filled from history by that one, which does not know the rule."""
    till = Till(program(rule("old"), rule("new", points="0.5"), caps=[YEARLY]))
    till.buys("40.00")
    bought = till.order
    for day, config in (
        ("12", program(rule("new"))),
        ("13", program(rule("new"), caps=[YEARLY])),
    ):
        till.comes(f"2026-03-{day}T12:00")
        till.publishes(config)
    till.brings_back(bought)
    assert till.balance() == "0"
    assert till.buys("200.00") == {"new": "100"}


def test_a_sum_falls_by_what_it_rose_by_though_the_minimum_is_another() -> None:
    def least(amount: str) -> dict[str, Any]:
        keys: dict[str, Any] = {"per": {"USD": "10.00"}, "over": {"period": "month"}}
        keys |= {"minimum_purchase": {"USD": amount}, "minimum_lost": "recompute"}
        return program(rule(**keys))

    till = Till(least("10.00"))
    till.buys("15.00")
    bought = till.order
    till.comes("2026-03-12T12:00")
    till.publishes(least("20.00"))
    till.brings_back(bought)
    assert till.balance() == "0"
    assert till.buys("25.00") == {"base": "2"}


@pytest.mark.parametrize(
    ("before", "after", "where"),
    [
        (program(rule(caps=[MONTHLY])), program(rule(unit="miles", caps=[MONTHLY])),
         ("rules", 0, "unit")),
        (program(rule(caps=[MONTHLY])), program(rule(caps=[MONTHLY]), unit="miles"),
         ("rules", 0, "caps")),
        (program(rule(), caps=[MONTHLY]), program(rule(), unit="miles", caps=[MONTHLY]),
         ("caps",)),
        (program(rule(group="g", unit="miles"), groups=[{"id": "g", "caps": [MONTHLY]}]),
         program(rule(), groups=[{"id": "g", "caps": [MONTHLY]}]), ("groups", 0, "caps")),
        (program(rule(caps=[MONTHLY])), program(rule(unit="miles")), None),
        (program(rule(caps=[MONTHLY])), program(rule(unit="points", caps=[YEARLY, MONTHLY])), None),
        (program(rule(caps=[YEARLY])), program(rule(unit="miles", caps=[MONTHLY])), None),
        (program(rule(caps=[MONTHLY])), program(rule("new", unit="miles", caps=[MONTHLY])), None),
    ],
)  # fmt: skip
def test_what_a_cap_owes_in_one_unit_is_never_given_in_another(
    before: Any, after: Any, where: tuple[Any, ...] | None
) -> None:
    old, new = (PointsConfig.model_validate(one) for one in (before, after))
    assert [path for path, _ in unkept(new, old)] == ([] if where is None else [where])


def test_a_version_to_come_without_the_cap_leaves_what_is_under_way_to_the_one_in_force() -> None:
    """Both that come are published before the first begins: nobody fills a cap that goes on."""
    till = Till(program(rule("old"), caps=[YEARLY]))
    till.buys("60.00")
    bought = till.order
    till.publishes(program(rule("old")), begins="2026-03-20T00:00")
    till.publishes(program(rule("new"), caps=[YEARLY]), begins="2026-03-25T00:00")
    assert till.buys("100.00") == {"old": "40"}
    till.brings_back(bought, _1="20.00")
    assert till.buys("100.00") == {"old": "20"}
    till.comes("2026-03-21T12:00")
    assert till.buys("30.00") == {"old": "30"}
    till.comes("2026-03-26T12:00")
    assert till.buys("100.00") == {}
    till.brings_back(bought, _1="30.00")
    assert till.buys("100.00") == {"new": "30"}


def test_a_version_that_was_published_while_the_cap_was_away_measures_what_lies_before() -> None:
    """It filled the cap, by the points of its own rules, though it begins later."""
    till = Till(program(rule("old"), caps=[YEARLY]))
    till.buys("60.00")
    bought = till.order
    till.comes("2026-03-20T00:00")
    till.publishes(program(rule("old"), rule("new", points="0.1")))
    till.comes("2026-03-21T00:00")
    till.publishes(program(rule("new"), caps=[YEARLY]), begins="2026-03-25T00:00")
    assert till.buys("100.00") == {"old": "100", "new": "10"}
    till.brings_back(bought)
    till.comes("2026-03-26T12:00")
    assert till.buys("1000.00") == {"new": "90"}


def test_of_versions_to_come_the_one_that_filled_the_cap_measures_until_another_begins() -> None:
    """A third is published later and begins earlier: what was counted by then stays as it is."""
    till = Till(program(rule("old"), rule("new", points="0.1")))
    till.publishes(program(rule("new"), caps=[YEARLY]), begins="2026-03-25T00:00")
    till.buys("100.00")
    bought = till.order
    till.comes("2026-03-11T12:00")
    till.publishes(program(rule("old"), rule("new"), caps=[YEARLY]), begins="2026-03-15T00:00")
    till.brings_back(bought)
    till.comes("2026-03-16T12:00")
    assert till.buys("80.00") == {"old": "80", "new": "20"}
