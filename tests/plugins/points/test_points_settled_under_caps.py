"""What a return settles of a sum is counted where its purchase was: no cap gains or loses by it."""

from typing import Any

import pytest

from tests.plugins.points.till import Till, program, rule

YEARLY = {"points": "100", "period": "year"}
LEVELS = [{"from": "10", "points": "10"}, {"from": "50", "points": "500"}]
MONTH: dict[str, Any] = {"over": {"period": "month"}}


def by_levels(**keys: Any) -> dict[str, Any]:
    """What a month's sum comes to."""
    return rule("sum", levels=LEVELS, **MONTH | keys)


def lifted(config: dict[str, Any]) -> tuple[Till, list[str]]:
    """Two purchases, of which the second lifted the sum to the second level."""
    till, orders = Till(config), []
    for wanted in ("10", "490"):
        assert till.buys("30.00") == {"sum": wanted}
        orders.append(till.order)
    return till, orders


@pytest.mark.parametrize("per", ["member", "program"])
def test_a_rule_that_joined_a_capped_group_makes_no_room_by_what_it_gave_before(per: str) -> None:
    groups = [{"id": "g", "caps": [YEARLY | {"per": per}]}]
    till, orders = lifted(program(by_levels(), groups=groups))
    till.comes("2026-03-12T12:00")
    till.publishes(program(by_levels(group="g"), rule("x", group="g"), groups=groups))
    till.brings_back(orders[0])
    assert till.balance() == "10"
    till.buys("1000.00")
    assert till.balance() == "110"


@pytest.mark.parametrize("period", ["month", "day"])
def test_a_cap_that_came_has_no_more_room_in_a_later_period(period: str) -> None:
    till, orders = lifted(program(by_levels()))
    till.comes("2026-04-12T12:00")
    caps = [{"points": "100", "period": period}]
    till.publishes(program(by_levels(), rule("x"), caps=caps))
    till.brings_back(orders[0])
    assert till.balance() == "10"
    till.buys("1000.00")
    assert till.balance() == "110"


def test_a_cap_that_came_has_the_room_of_what_went_back_where_it_was_counted() -> None:
    """It was filled with what had been given."""
    till, orders = lifted(program(by_levels()))
    till.comes("2026-03-12T12:00")
    till.publishes(program(by_levels(), rule("x"), caps=[YEARLY]))
    assert till.buys("1000.00") == {}
    till.brings_back()
    till.brings_back(orders[0])
    assert till.balance() == "10"
    till.buys("1000.00")
    assert till.balance() == "100"


def test_a_cap_that_comes_is_filled_with_what_was_settled_where_it_was_bought() -> None:
    """Of 500 in March 10 are left, whenever goods went back; April has all of its room."""
    till, orders = lifted(program(by_levels()))
    till.comes("2026-04-10T12:00")
    till.brings_back(orders[0])
    till.comes("2026-04-12T12:00")
    caps = [{"points": "100", "period": "month"}]
    till.publishes(program(by_levels(), rule("x"), caps=caps))
    till.buys("1000.00")
    assert till.balance() == "110"


def test_what_the_shares_took_too_much_takes_no_room_of_a_group_that_the_rule_joined() -> None:
    """Twice 0.60 come to a point, the second's; what is left of three earns one all the same."""
    groups = [{"id": "g", "caps": [YEARLY]}]
    till, orders = Till(program(rule("sum", **MONTH), groups=groups)), []
    for _ in range(3):
        till.buys("0.60")
        orders.append(till.order)
    till.comes("2026-03-12T12:00")
    till.publishes(program(rule("sum", group="g", **MONTH), rule("x", group="g"), groups=groups))
    till.brings_back(orders[1])
    assert till.balance() == "1"
    till.buys("1000.00")
    assert till.balance() == "101"


def test_what_a_return_lifted_is_taken_where_it_was_given() -> None:
    """10 points a dollar up to 3.00 in a month: the second purchase earns the first one's 15 once
    that is gone, and when it goes as well, its own day has no more room than its cap says."""
    till = Till(program(brackets(), caps=[{"points": "15", "period": "day"}]))
    till.comes("2026-03-10T12:00")
    assert till.buys("1.50") == {"sum": "15"}
    first = till.order
    till.comes("2026-03-11T12:00")
    assert till.buys("3.00") == {"sum": "15"}
    second = till.order
    till.brings_back(first)
    assert till.balance() == "30"
    till.brings_back(second)
    assert till.balance() == "0"
    assert till.buys("3.00") == {"sum": "15"}


def test_a_budget_gives_nothing_of_what_another_month_had() -> None:
    caps = [{"points": "30", "period": "month", "per": "program"}]
    other = rule("x", per={"EUR": "1.00"})
    till = Till(program(brackets(period="year"), other, caps=caps))
    till.comes("2026-03-10T12:00")
    assert till.buys("3.00") == {"sum": "30"}
    first = till.order
    till.comes("2026-04-11T12:00")
    assert till.buys("3.00") == {}
    second = till.order
    till.brings_back(first)
    assert till.balance() == "30"
    till.brings_back(second)
    assert till.balance() == "0"
    assert till.buys("60.00", currency="EUR") == {"x": "30"}


def test_what_goes_with_another_purchase_makes_room_in_the_month_that_has_it() -> None:
    """The point of 7.00 and 7.00 is the second's, and its month has it."""
    base = rule("sum", per={"USD": "10.00"}, over={"period": "year"})
    till = Till(program(base, caps=[{"points": "1", "period": "month"}]))
    till.comes("2026-03-10T12:00")
    till.buys("7.00")
    first = till.order
    till.comes("2026-04-11T12:00")
    assert till.buys("7.00") == {"sum": "1"}
    till.brings_back(first)
    assert till.balance() == "0"
    assert till.buys("10.00") == {"sum": "1"}


def test_what_a_return_may_not_give_for_want_of_room_is_owed_where_the_cap_carries_over() -> None:
    """20.00 at a tenth were 2; by the new table the 5.00 after it earn 30 once these are gone."""
    till = Till(program(rule("sum", points="0.1", **MONTH)))
    till.buys("20.00")
    first = till.order
    cap = {"points": "12", "period": "day", "carry_over": True}
    till.publishes(program(brackets(), caps=[cap]))
    assert till.buys("5.00") == {}
    till.brings_back(first)
    assert till.balance() == "12"
    till.comes("2026-03-11T12:00")
    assert till.carries("program") == {"program:carried": "12"}
    till.comes("2026-03-12T12:00")
    assert till.carries("program") == {"program:carried": "6"}
    till.comes("2026-03-13T12:00")
    assert till.carries("program") == {}


def test_what_is_owed_so_goes_with_its_goods() -> None:
    till = Till(program(rule("sum", points="0.1", **MONTH)))
    till.buys("20.00")
    first = till.order
    cap = {"points": "12", "period": "day", "carry_over": True}
    till.publishes(program(brackets(), caps=[cap]))
    till.buys("5.00")
    second = till.order
    till.brings_back(first)
    till.brings_back(second)
    assert till.balance() == "0"
    till.comes("2026-03-11T12:00")
    assert till.carries("program") == {}
    assert till.buys("3.00") == {"sum": "12"}


def brackets(period: str = "month") -> dict[str, Any]:
    table = [{"from": "0", "points": "10"}, {"from": "3", "points": "0"}]
    return rule("sum", brackets=table, over={"period": period})


def test_a_day_gives_no_more_than_its_cap_after_a_purchase_that_was_heard_of_late() -> None:
    """The shares of the first take from its day what another day holds."""
    cap = {"points": "40", "period": "day"}
    till = Till(program(by_two_levels(), rule("x", per={"EUR": "1.00"}), caps=[cap]))
    till.comes("2026-03-11T12:00")
    assert till.buys("20.00") == {"sum": "40"}
    first = till.order
    till.brings_back(first, _1="1.00")
    till.comes("2026-03-10T12:00")
    assert till.buys("1.00") == {"sum": "35"}
    till.comes("2026-03-11T13:00")
    till.brings_back(first)
    assert till.balance() == "0"
    assert till.buys("100.00", currency="EUR") == {"x": "40"}


def test_a_month_in_which_all_came_back_has_all_of_its_budget() -> None:
    """No day keeps what another one lacks."""
    cap = {"points": "100", "period": "month", "per": "program"}
    till = Till(program(by_two_levels("year"), rule("x", per={"EUR": "1.00"}), caps=[cap]))
    till.comes("2026-03-10T12:00")
    till.buys("20.00")
    first = till.order
    till.brings_back(first, _1="1.00")
    till.comes("2026-04-11T12:00")
    till.buys("1.00")
    second = till.order
    till.brings_back(first)
    till.brings_back(second)
    assert till.balance() == "0"
    assert till.buys("100.00", currency="EUR") == {"x": "100"}


def test_a_cap_of_a_day_holds_after_what_was_carried_over_is_taken() -> None:
    """Each day gave 10 of what was carried over, and each has it taken."""
    caps = [
        {"points": "10", "period": "day", "carry_over": True},
        {"points": "1000", "period": "month", "carry_over": True},
    ]
    till = Till(program(rule(), caps=caps))
    till.comes("2026-03-10T12:00")
    assert till.buys("50.00") == {"base": "10"}
    first = till.order
    for day in (11, 12, 13, 14):
        till.comes(f"2026-03-{day}T00:00")
        assert till.carries("program") == {"program:carried": "10"}
    till.comes("2026-03-14T12:00")
    till.brings_back(first)
    assert till.balance() == "0"
    assert till.buys("100.00") == {"base": "10"}


def test_a_day_has_room_again_once_what_was_carried_over_into_it_is_taken() -> None:
    cap = {"points": "10", "period": "day", "carry_over": True}
    till = Till(program(rule(), caps=[cap]))
    till.comes("2026-03-10T12:00")
    till.buys("50.00")
    first = till.order
    for day in (11, 12, 13, 14):
        till.comes(f"2026-03-{day}T00:00")
        till.carries("program")
    till.comes("2026-03-14T12:00")
    till.brings_back(first)
    assert till.balance() == "0"
    assert till.buys("100.00") == {"base": "10"}


def by_two_levels(period: str = "month") -> dict[str, Any]:
    levels = [{"from": "3", "points": "5"}, {"from": "20", "points": "40"}]
    return rule("sum", levels=levels, over={"period": period})
