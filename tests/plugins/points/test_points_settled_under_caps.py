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
