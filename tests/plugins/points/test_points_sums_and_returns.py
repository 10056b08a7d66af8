"""What a period earns is what is left of its sum earns, whatever comes back of it and when."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.purchase import Line
from loyalty.units import Rounding, format_minor, rounded
from tests.plugins.points.till import Till, program, rule

DAY: dict[str, Any] = {
    "per": {"USD": "5.00"},
    "levels": [{"from": "500", "points": "125"}, {"from": "1000", "points": "1000"}],
    "over": {"period": "day"},
}


def casino() -> Till:
    return Till(program(rule("day", **DAY)))


def test_goods_that_are_exchanged_lift_no_day_to_a_higher_level() -> None:
    till = casino()
    till.buys("2500.00")
    till.brings_back()
    till.buys("2500.00")
    assert till.balance() == "125"


def test_what_lifted_a_day_takes_the_level_with_it_also_weeks_later() -> None:
    till = casino()
    till.buys("2500.00")
    first = till.order
    till.buys("2500.00")
    assert till.balance() == "1000"
    till.comes("2026-04-02T12:00")
    till.brings_back(first)  # its own share is 125, but what is left has reached one level only
    assert till.balance() == "125"
    till.brings_back()
    assert till.balance() == "0"


def test_what_is_left_of_a_sum_keeps_the_points_that_it_earns() -> None:
    """1.80 came to one point; whichever 0.60 goes, 1.20 are left and earn one as well."""
    for gone in range(3):
        till = Till(program(rule(over={"period": "month"})))
        orders = []
        for _ in range(3):
            till.buys("0.60")
            orders.append(till.order)
        till.brings_back(orders[gone])
        assert till.balance() == "1", gone


def test_a_unit_beside_it_follows() -> None:
    till = Till(
        program(rule("day", also=[{"unit": "credits"}], **DAY)), places={"points": 0, "credits": 2}
    )
    till.buys("2500.00")
    first = till.order
    till.buys("2500.00")
    till.brings_back(first)
    assert (till.balance(), till.balance("credits")) == ("125", "125.00")


def test_what_a_cap_cut_lifts_no_rest_to_its_level() -> None:
    """Of the 375 that the second was given the rest of the day earns 125."""
    till = Till(program(rule("day", **DAY, caps=[{"points": "500", "period": "day"}])))
    till.buys("2500.00")
    first = till.order
    till.buys("2500.00")
    assert till.balance() == "500"
    till.brings_back(first)
    assert till.balance() == "125"
    till.brings_back()
    assert till.balance() == "0"


def of_a_group(grants: str) -> Till:
    """The rule that stands second is outbid by the other and gives nothing; its sum goes on."""
    visit = rule("visit", count="visit", group="g", priority=1)
    day = rule("day", count="visit", over={"period": "day"}, group="g", priority=2)
    return Till(program(visit, day, groups=[{"id": "g", "grants": grants}]))


@pytest.mark.parametrize("grants", ["best", "first"])
def test_what_a_rule_was_outbid_with_is_not_taken_back(grants: str) -> None:
    till = of_a_group(grants)
    assert till.buys("0.01") == {"visit": "1"}
    till.brings_back()
    assert till.balance() == "0"


def test_in_a_group_that_grants_all_each_rule_ends_at_its_sum() -> None:
    till = of_a_group("all")
    assert till.buys("0.01") == {"visit": "1", "day": "1"}
    till.brings_back()
    assert till.balance() == "0"


@pytest.mark.parametrize("first_back", [0, 1])
def test_what_was_bought_in_a_rolling_period_takes_its_own_points_with_it(first_back: int) -> None:
    """The window before each purchase is another one: what lifted one is in the sum of no other."""
    till = Till(program(rule("week", **DAY | {"over": {"period": "rolling", "days": 7}})))
    orders = []
    for day in ("2026-03-10", "2026-03-12"):
        till.comes(f"{day}T12:00")
        till.buys("2500.00")
        orders.append(till.order)
    assert till.balance() == "1000"
    till.brings_back(orders[first_back])
    till.brings_back(orders[1 - first_back])
    assert till.balance() == "0"


@pytest.mark.parametrize("first_back", [0, 1])
@pytest.mark.parametrize(
    "change",
    [
        {"caps": [{"points": "500", "period": "day"}]},
        {"levels": [{"from": "500", "points": "50"}, {"from": "1000", "points": "60"}]},
        {"levels": [{"from": "500", "points": "500"}, {"from": "1000", "points": "2000"}]},
        {"at_most": "100"},
        {"rounding": "ceiling", "points": "0.333", "levels": []},
    ],
)
def test_a_rule_that_changed_within_its_period_ends_at_nothing(
    change: dict[str, Any], first_back: int
) -> None:
    """Its sum goes on, but what was given is what neither version would have given of all of it."""
    till = Till(program(rule("day", **DAY)))
    till.buys("2500.00")
    orders = [till.order]
    till.comes("2026-03-10T13:00")
    till.publishes(program(rule("day", **DAY | change)))
    till.buys("2500.00")
    orders.append(till.order)
    till.brings_back(orders[first_back])
    assert int(till.balance()) >= 0
    till.brings_back(orders[1 - first_back])
    assert till.balance() == "0"


def test_other_words_or_another_day_leave_a_period_settled() -> None:
    till = casino()
    till.comes("2026-03-11T12:00")
    till.buys("2500.00")
    first = till.order
    till.comes("2026-03-11T13:00")
    till.publishes(program(rule("day", label="Of a day", **DAY)))
    till.buys("2500.00")
    till.comes("2026-03-12T12:00")
    till.publishes(program(rule("day", **DAY, caps=[{"points": "1", "period": "day"}])))
    assert till.balance() == "1000"
    till.brings_back(first)
    assert till.balance() == "125"


def test_points_that_a_return_adds_are_no_use_of_the_rule() -> None:
    """A limit counts purchases that earned, not what is settled with the goods that come back."""
    limits = [{"times": 2, "period": "month"}]
    till = Till(program(rule(over={"period": "month"}, limits=limits)))
    till.buys("0.60")
    till.buys("2.00")
    till.brings_back(_1="0.60")  # its share is a point, but the 2.00 that are left earn two
    assert till.balance() == "2"
    till.buys("1.00")
    assert till.balance() == "3"


@settings(max_examples=60, deadline=None)
@given(
    rounding=st.sampled_from(list(Rounding)),
    steps=st.lists(st.tuples(st.booleans(), st.integers(1, 300), st.integers(0, 99)), max_size=14),
)
def test_any_mix_of_purchases_and_returns_has_what_the_rest_earns(
    rounding: Rounding, steps: list[tuple[bool, int, int]]
) -> None:
    till = Till(program(rule(rounding=rounding.value, over={"period": "year"})))
    kept: dict[str, int] = {}
    for day, (buys, amount, which) in enumerate(steps):
        till.comes(f"2026-03-{day + 1:02}T12:00")
        if buys or not kept:
            till.buys(format_minor(amount, 2))
            kept[till.order] = amount
        else:
            order = list(kept)[which % len(kept)]
            part = min(amount, kept[order])
            till.brings_back(order, _1=format_minor(part, 2))
            kept[order] -= part
            if not kept[order]:
                del kept[order]
        assert till.balance() == str(rounded(Fraction(sum(kept.values()), 100), rounding))


@pytest.mark.parametrize(
    "parts",
    [
        [(1, "1.00", "1"), (0, "0.50", "1"), (2, "1.75", "0"), (1, "1.00", "0"), (2, "0.25", "0"),
         (0, "1.50", "0")],
        [(0, "2.00", "1"), (2, "1.00", "1"), (1, "0.50", "0"), (2, "1.00", "0"), (1, "1.50", "0")],
    ],
)  # fmt: skip
def test_another_unit_of_the_rule_has_as_much_in_its_own_places(
    parts: list[tuple[int, str, str]],
) -> None:
    """The halves of a share are a point or none, and 0.50: the rest of the sum earns the same."""
    month = rule(per={"USD": "3.00"}, over={"period": "month"}, also=[{"unit": "miles"}])
    till, orders = Till(program(month), places={"miles": 2}), []
    for _ in range(3):
        till.buys("2.00")
        orders.append(till.order)
    assert (till.balance(), till.balance("miles")) == ("2", "2.00")
    for order, back, left in parts:
        till.brings_back(orders[order], _1=back)
        assert (till.balance(), till.balance("miles")) == (left, f"{left}.00")


@pytest.mark.parametrize("count", ["visit", "quantity"])
def test_pieces_and_visits_add_up_where_losing_the_minimum_takes_points_back(count: str) -> None:
    minimum: dict[str, Any] = {"minimum_purchase": {"USD": "5.00"}, "minimum_lost": "recompute"}
    levels = [{"from": "2", "points": "10"}]
    till = Till(program(rule(count=count, levels=levels, over={"period": "week"}, **minimum)))
    assert till.buys("8.00") == {}
    first = till.order
    assert till.buys("8.00") == {"base": "10"}
    till.brings_back(first, _1="4.00")
    assert till.balance() == "0"
    assert till.buys("8.00") == {"base": "10"}


def test_what_nothing_was_charged_for_stays_under_its_cap_with_its_points() -> None:
    """Two pieces, one of them for nothing: that one is kept when the other comes back."""
    caps = [{"points": "5", "period": "day"}]
    till = Till(program(rule(count="quantity", points="3", caps=caps)))
    paid, free = Line(id="1", amount=100), Line(id="2", amount=100, discount=100)
    assert till.buys(paid, free) == {"base": "5"}
    assert till.body["grants"][0]["lines"] == {"1": 3, "2": 2}
    till.brings_back(_1="1.00")
    assert till.balance() == "2"
    assert till.buys("1.00") == {"base": "3"}
    assert till.buys("1.00") == {}


MONTHS: list[dict[str, Any]] = [{}, {"over": {"period": "month"}}]


@pytest.mark.parametrize("over", MONTHS)
def test_a_visit_goes_with_what_was_charged_for_though_something_free_is_kept(
    over: dict[str, Any],
) -> None:
    till = Till(program(rule(count="visit", points="5", **over)))
    paid, free = Line(id="1", amount=100), Line(id="2", amount=100, discount=100)
    assert till.buys(free, paid) == {"base": "5"}
    first = till.order
    till.brings_back(_1="0.50")
    kept = till.balance()
    till.brings_back(_1="0.50")
    assert till.balance() == "0"
    assert till.buys(paid) == {"base": "5"}
    till.brings_back(first)
    assert till.balance() == "5"
    assert kept == ("5" if over else "2")  # half a visit's points; a month counts visits


def test_what_was_paid_for_is_a_visit_however_little_it_was() -> None:
    till = Till(program(rule(count="visit", points="5", over={"period": "month"})))
    # Of a thousand parts of the visit the second line has none.
    assert till.buys(Line(id="1", amount=200_000), Line(id="2", amount=50)) == {"base": "5"}
    till.brings_back(_1="2000.00")
    assert till.balance() == "5"
    till.brings_back(_2="0.50")
    assert till.balance() == "0"


@pytest.mark.parametrize("over", MONTHS)
def test_a_visit_of_nothing_but_free_goods_goes_with_the_first_of_them(
    over: dict[str, Any],
) -> None:
    till = Till(program(rule(count="visit", points="5", **over)))
    lines = [Line(id=name, amount=100, discount=100, quantity=1000) for name in "12"]
    assert till.buys(*lines) == {"base": "5"}
    till.brings_back_a_piece("1")
    assert till.balance() == "0"
    assert till.buys(*lines) == {"base": "5"}
    till.brings_back_a_piece("2")
    assert till.balance() == "5"
