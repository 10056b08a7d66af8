"""What caps cut and give later: each cap answers for its own cut."""

from typing import Any

import pytest

from tests.plugins.points.till import Till, activity, program, rule

MONTHLY = {"points": "60", "period": "month", "carry_over": True}


def test_the_cap_that_carries_over_may_stand_beside_others_on_the_same_rule() -> None:
    daily = {"points": "60", "period": "day"}
    till = Till(program(rule(caps=[daily, MONTHLY | {"points": "100"}])))
    till.buys("60.00")
    till.comes("2026-03-11T12:00")
    till.buys("70.00")  # the day cuts 10, for ever; of the 60 left the month cuts 20
    assert till.cuts() == {"base": (70, 40, "RULE_CAP")}
    till.comes("2026-04-01T00:00")
    assert till.carries("rule.base") == {"base:carried": "20"}
    till.comes("2026-05-01T00:00")
    assert till.carries("rule.base") == {}


def test_two_caps_of_one_rule_that_both_carry_over_owe_together() -> None:
    yearly = {"points": "100", "period": "year", "carry_over": True}
    till = Till(program(rule(caps=[MONTHLY, yearly])))
    till.buys("150.00")  # 60 are given, 90 are owed
    till.comes("2026-04-01T00:00")
    assert till.carries("rule.base") == {"base:carried": "40"}  # the year has no more room
    till.comes("2026-05-01T00:00")
    assert till.carries("rule.base") == {}
    till.comes("2027-01-01T00:00")
    assert till.carries("rule.base") == {"base:carried": "50"}


@pytest.mark.parametrize(
    ("carries_over", "target", "later"),
    [("rule", "rule.base", 40), ("program", "program", 50)],
)
def test_what_one_cap_left_and_another_cut_is_each_ones_own(
    carries_over: str, target: str, later: int
) -> None:
    """Of 100 the rule's cap cuts 40, and of the 60 left the program's cuts 50."""
    caps = {
        on: {"points": points, "period": "month", "carry_over": on == carries_over}
        for on, points in (("rule", "60"), ("program", "10"))
    }
    till = Till(program(rule(caps=[caps["rule"]]), caps=[caps["program"]]))
    assert till.buys("100.00") == {"base": "10"}
    for month in range(4, 13):
        till.comes(f"2026-{month:02}-01T00:00")
        till.carries(target)
    assert till.balance() == str(10 + later)


def test_what_was_given_later_goes_back_with_the_goods() -> None:
    till = Till(program(rule(caps=[MONTHLY])))
    till.buys("100.00")
    bought = till.order
    till.comes("2026-04-01T00:00")
    assert till.carries("rule.base") == {"base:carried": "40"}
    till.brings_back(bought, _1="50.00")  # 30 of what was given at once, 20 of what came later
    assert till.balance() == "50"
    till.brings_back(bought)
    assert till.balance() == "0"
    till.comes("2026-05-01T00:00")
    assert till.carries("rule.base") == {}


@pytest.mark.parametrize("given", [True, False])
def test_half_of_what_three_caps_cut_is_half_of_all_that_the_goods_earn(given: bool) -> None:
    """Of 76 the rule's cap cuts 36, the group's 15, the program's 15: ten are left. Each half of
    these rounded by itself would leave 37."""
    caps = [MONTHLY | {"points": points} for points in ("40", "25", "10")]
    groups = [{"id": "g", "caps": caps[1:2]}]
    till = Till(program(rule(caps=caps[:1], group="g"), groups=groups, caps=caps[2:]))
    assert till.buys("76.00") == {"base": "10"}
    bought = till.order
    if not given:
        till.brings_back(_1="38.00")
    for month in range(4, 13):
        till.comes(f"2026-{month:02}-01T00:00")
        for target in ("rule.base", "group.g", "program"):
            till.carries(target)
    if given:
        assert till.balance() == "76"
        till.brings_back(bought, _1="38.00")
    assert till.balance() == "38"
    till.brings_back(bought)
    assert till.balance() == "0"


def test_what_is_not_given_yet_is_owed_no_more() -> None:
    till = Till(program(rule(caps=[MONTHLY])))
    till.buys("100.00")
    till.brings_back(_1="50.00")
    till.comes("2026-04-01T00:00")
    assert till.carries("rule.base") == {"base:carried": "20"}
    till.brings_back()
    assert till.balance() == "0"


def test_a_return_leaves_room_for_what_was_carried_over_of_other_goods() -> None:
    """80 of 140 are owed. April gives 60 of them, and the return of 100.00 takes back what it alone
    had to be given: 40 are left, and were bought for 40.00."""
    till = Till(program(rule(caps=[MONTHLY])))
    till.buys("100.00")
    large = till.order
    till.buys("40.00")
    till.comes("2026-04-01T00:00")
    assert till.carries("rule.base") == {"base:carried": "60"}
    till.brings_back(large)
    assert till.balance() == "40"


@pytest.mark.parametrize("caps", [[], [MONTHLY | {"carry_over": False}]])
@pytest.mark.parametrize("given", [True, False])
def test_what_was_given_later_goes_back_also_where_nothing_is_carried_over_any_more(
    caps: list[Any], given: bool
) -> None:
    till = Till(program(rule(caps=[MONTHLY])))
    till.buys("100.00")
    bought = till.order
    till.comes("2026-04-01T00:00")
    if given:
        assert till.carries("rule.base") == {"base:carried": "40"}
    till.comes("2026-04-02T00:00")
    till.publishes(program(rule(caps=caps)))
    till.buys("10.00")
    till.brings_back(bought, _1="50.00")
    assert till.balance() == ("60" if given else "40")
    till.brings_back(bought)
    assert till.balance() == "10"


def test_what_a_rule_that_is_no_more_was_cut_goes_back_with_the_goods() -> None:
    """Its cap carries over still, for other rules."""
    caps = [{"points": "10", "period": "month", "carry_over": True}]
    till = Till(program(rule("old"), caps=caps))
    till.buys("18.00")
    first = till.order
    till.comes("2026-03-12T12:00")
    till.publishes(program(rule("new"), caps=caps))
    till.buys("5.00")
    till.comes("2026-04-01T00:00")
    till.carries("program")
    assert till.balance() == "20"  # 8 and 5 were owed
    till.brings_back(first)
    assert till.balance() == "5"
    till.comes("2026-05-01T00:00")
    assert till.carries("program") == {}
    till.brings_back()
    assert till.balance() == "0"


def test_what_a_group_owes_is_given_though_no_rule_is_in_it_any_more() -> None:
    groups = [{"id": "g", "caps": [{"points": "10", "period": "month", "carry_over": True}]}]
    till = Till(program(rule(group="g"), groups=groups))
    till.buys("18.00")
    till.comes("2026-03-12T12:00")
    till.publishes(program(rule("other"), groups=groups))
    till.comes("2026-04-01T00:00")
    assert till.carries("group.g") == {"g:carried": "8"}
    till.brings_back()
    assert till.balance() == "0"


def test_what_came_later_and_goes_back_leaves_its_room_in_the_month_that_gave_it() -> None:
    """April gave 40 of March. They go back in May, which gives its sixty and no more."""
    till = Till(program(rule(caps=[MONTHLY])))
    till.buys("100.00")
    bought = till.order
    till.comes("2026-04-01T00:00")
    assert till.carries("rule.base") == {"base:carried": "40"}
    till.comes("2026-05-05T12:00")
    till.brings_back(bought)
    assert till.balance() == "0"
    assert till.buys("200.00") == {"base": "60"}
    till.comes("2026-04-30T12:00")
    assert till.buys("200.00") == {"base": "60"}


def test_within_the_month_that_gave_it_its_room_is_there_again() -> None:
    till = Till(program(rule(caps=[MONTHLY]), caps=[{"points": "150", "period": "year"}]))
    till.buys("100.00")
    bought = till.order
    till.comes("2026-04-01T00:00")
    till.carries("rule.base")
    till.comes("2026-04-05T12:00")
    assert till.buys("15.00") == {"base": "15"}
    till.brings_back(bought)
    assert till.balance() == "15"
    assert till.buys("60.00") == {"base": "45"}
    till.comes("2026-05-05T12:00")
    assert till.buys("200.00") == {"base": "60"}
    till.comes("2026-06-05T12:00")
    assert till.buys("200.00") == {"base": "30"}  # the year has counted 120 by then


def test_what_is_given_later_is_a_use_of_its_rule() -> None:
    """Once for life: the month had no room for it, and April gives it, once."""
    groups = [{"id": "g", "caps": [{"points": "50", "period": "month", "carry_over": True}]}]
    once = {"limits": [{"times": 1, "period": "lifetime"}]}
    rules = activity("can", "50", group="g"), activity("phone", "20", group="g", **once)
    till = Till(program(*rules, groups=groups))
    assert till.does("can") == {"can": "50"}
    assert [till.does("phone") for _ in range(3)] == [{}, {}, {}]
    till.comes("2026-04-01T00:00")
    assert till.carries("group.g") == {"g:carried": "20"}
    assert till.does("phone") == {}


def test_what_a_cap_cut_for_good_is_no_use_of_its_rule() -> None:
    groups = [{"id": "g", "caps": [{"points": "50", "period": "month"}]}]
    once = {"limits": [{"times": 1, "period": "lifetime"}]}
    rules = activity("can", "50", group="g"), activity("phone", "20", group="g", **once)
    till = Till(program(*rules, groups=groups))
    assert till.does("can") == {"can": "50"}
    assert till.does("phone") == {}
    till.comes("2026-04-01T00:00")
    assert till.does("phone") == {"phone": "20"}
