"""Of a group one rule gives: the one that a member gets most from, under the caps of its own."""

from typing import Any

import pytest

from tests.plugins.points.till import Till, program, rule

DAILY = {"points": "14", "period": "day"}
PLAIN = rule(group="either", priority=2)


def either(*caps: dict[str, Any], grants: str = "best", **keys: Any) -> Till:
    """A point per dollar, or two by the app, under caps."""
    app = rule("app", points="2", group="either", priority=1, caps=list(caps))
    groups = [{"id": "either", "grants": grants} | keys.pop("group", {})]
    return Till(program(PLAIN, app, groups=groups, **keys))


def test_a_rule_whose_own_cap_leaves_less_than_another_one_gives_is_outbid() -> None:
    till = either(DAILY)
    assert till.buys("5.00") == {"app": "10"}
    assert till.buys("5.00") == {"base": "5"}  # the cap leaves 4
    assert till.buys("1.00") == {"app": "2"}
    assert till.buys("2.00") == {"app": "2"}  # as much as the other one: it wants more
    assert till.cuts() == {"app": (4, 2, "RULE_CAP")}
    assert till.buys("5.00") == {"base": "5"}
    assert till.cuts() == {}
    till.comes("2026-03-11T12:00")
    assert till.buys("5.00") == {"app": "10"}
    assert till.balance() == "34"


def test_where_every_own_cap_is_used_up_the_one_that_wants_most_says_so() -> None:
    app = rule("app", points="2", group="either", caps=[{"points": "10", "period": "day"}])
    base = PLAIN | {"caps": [{"points": "5", "period": "day"}]}
    till = Till(program(base, app, groups=[{"id": "either", "grants": "best"}]))
    assert [till.buys("5.00") for _ in range(3)] == [{"app": "10"}, {"base": "5"}, {}]
    assert till.cuts() == {"app": (10, 0, "RULE_CAP")}


def test_a_budget_of_all_members_counts_as_well() -> None:
    till = either({"points": "12", "period": "month", "per": "program"})
    assert till.buys("5.00") == {"app": "10"}
    assert till.buys("5.00") == {"base": "5"}


@pytest.mark.parametrize("where", ["group", "program"])
def test_a_cap_that_hits_all_of_them_alike_is_not_asked(where: str) -> None:
    caps = [{"points": "10", "period": "day"}]
    till = either(**{"group": {"caps": caps}} if where == "group" else {"caps": caps})
    assert till.buys("5.00") == {"app": "10"}
    assert till.buys("5.00") == {}
    assert till.cuts() == {"app": (10, 0, f"{where.upper()}_CAP")}


def test_what_its_own_cap_gives_later_is_had_from_it_as_well() -> None:
    till = either(DAILY | {"carry_over": True})
    assert till.buys("5.00") == {"app": "10"}
    assert till.buys("5.00") == {"app": "4"}
    till.comes("2026-03-11T00:00")
    assert till.carries("rule.app") == {"app:carried": "6"}


def test_of_several_own_caps_only_what_one_carries_over_is_given_later() -> None:
    """The month cuts 7 of 10, of which nothing is given; the day cuts the other 3 and gives them
    later: less than the 5 of the other rule."""
    month = {"points": "3", "period": "month"}
    day = {"points": "1", "period": "day", "carry_over": True}
    assert either(month, day).buys("5.00") == {"base": "5"}
    assert either(month, day).buys("3.00") == {"app": "1"}  # and 2 later: as much


def test_what_comes_back_makes_room_for_it_again() -> None:
    till = either(DAILY)
    till.buys("5.00")
    first = till.order
    assert till.buys("5.00") == {"base": "5"}
    till.brings_back(first)
    assert till.buys("5.00") == {"app": "10"}
    till.brings_back()
    assert till.balance() == "5"


def test_the_first_is_the_first_of_which_its_own_cap_leaves_something() -> None:
    till = either(DAILY, grants="first")
    assert [till.buys("5.00") for _ in range(2)] == [{"app": "10"}, {"app": "4"}]
    assert till.buys("5.00") == {"base": "5"}


def test_all_of_a_group_give_whatever_their_caps_leave() -> None:
    till = either(DAILY, grants="all")
    assert till.buys("10.00") == {"base": "10", "app": "14"}
    assert till.buys("10.00") == {"base": "10"}
    assert till.cuts() == {"app": (20, 0, "RULE_CAP")}


def test_the_best_multiplier_is_asked_in_the_same_way() -> None:
    double = rule("double", bonus={"factor": "2"}, group="p", caps=[DAILY])
    half = rule("half", bonus={"factor": "1.5"}, group="p")
    till = Till(program(rule(), half, double, groups=[{"id": "p", "grants": "best"}]))
    assert till.buys("10.00") == {"base": "10", "double": "10"}
    assert till.buys("10.00") == {"base": "10", "half": "5"}  # the cap leaves 4


def test_a_multiplier_is_of_the_rule_that_gives() -> None:
    """Which that is, is asked of what it gives itself."""
    app = rule("app", points="2", group="either", caps=[{"points": "10", "period": "day"}])
    double = rule("double", bonus={"factor": "3"})
    till = Till(program(PLAIN, app, double, groups=[{"id": "either", "grants": "best"}]))
    assert till.buys("5.00") == {"app": "10", "double": "20"}
    assert till.buys("5.00") == {"base": "5", "double": "10"}


def test_each_unit_has_a_cap_and_places_of_its_own() -> None:
    """10.50 credits are 105 of the smallest; miles that come along are under no cap of the rule."""
    keys: dict[str, Any] = {"unit": "credits", "group": "g"}
    caps = [{"points": "10.50", "period": "day"}]
    app = rule("app", points="2", also=[{"unit": "miles"}], caps=caps, **keys)
    till = Till(
        program(rule(**keys), app, groups=[{"id": "g", "grants": "best"}]),
        places={"credits": 1, "miles": 0},
    )
    assert till.buys("5.00") == {"app@credits": "10.0", "app@miles": "10"}
    assert till.buys("0.60") == {"base@credits": "0.6"}  # the cap leaves 0.5
    assert till.buys("0.20") == {"app@credits": "0.4"}


def test_the_sum_of_one_that_is_outbid_goes_on() -> None:
    """Of 5.00 it wants 5, and its cap leaves 2; of 1.50 more it wants 2, for there are 12.00."""
    month = rule("sum", over={"period": "month"}, points="1", group="g",
                 caps=[{"points": "12", "period": "month"}])  # fmt: skip
    visit = rule("visit", count="visit", points="3", group="g")
    till = Till(program(month, visit, groups=[{"id": "g", "grants": "best"}]))
    assert till.buys("10.50") == {"sum": "10"}
    assert till.buys("5.00") == {"visit": "3"}
    assert till.cuts() == {"sum": (0, 0, "OUTBID")}
    till.brings_back()
    assert till.balance() == "10"
    assert till.buys("1.50") == {"visit": "3"}


# --- before and after -----------------------------------------------------------------------------


def test_a_preview_says_what_is_given() -> None:
    till = either(DAILY)
    till.buys("5.00")
    fact = till.a_purchase("5.00")
    previewed = till.would_get(fact)["grants"]
    assert [(row["rule"], row["granted"]) for row in previewed] == [("base", 5)]
    assert till.tells(fact) == {"base": "5"}
    [base, app] = till.says_why(fact, till.body)
    assert base.fired
    assert app.reason == "OUTBID"
    assert {"wanted": 10, "left": 4, "by": "base"}.items() <= app.values.items()
    assert app.message == (
        "base of the same group (either) gives instead: its own caps leave 4 of 10"
    )


def test_of_a_decision_of_before_it_was_asked_the_rule_is_told_that_gave() -> None:
    """The app's points were cut to nothing, and the other one gave none."""
    till = either({"points": "10", "period": "day"})
    till.buys("5.00")
    fact = till.a_purchase("5.00")
    body = till.would_get(fact)
    assert 10 in body["read"]["club"]["counters"].values()
    [row] = body["grants"]
    app = row | {"rule": "app", "wanted": 10, "granted": 0, "lines": {}, "cutBy": "RULE_CAP"}
    [base, told] = till.says_why(fact, body | {"grants": [app]})
    assert told.fired
    assert (base.reason, base.values["by"]) == ("OUTBID", "app")
    assert base.message == "app of the same group (either) gives instead"
