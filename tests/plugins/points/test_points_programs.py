"""Exact results of real programs, and of the mechanics that they are made of."""

from typing import Any

import pytest

from loyalty.purchase import Line
from tests.plugins.points.till import Till, activity, minor, program, rule

PER_TEN: dict[str, Any] = {"per": {"USD": "10.00"}}
TAXED = Line(id="goods", amount=minor("9.50"), tax=minor("0.76"))


# --- Square ---------------------------------------------------------------------------------------


def test_a_point_per_ten() -> None:
    assert Till(program(rule(**PER_TEN))).buys("105.00") == {"base": "10"}


@pytest.mark.parametrize(
    ("base", "factor", "bonus"), [("4", "1.5", "2"), ("5", "1.5", "2"), ("5", "3", "10")]
)
def test_a_promotion_multiplies_and_drops_the_fraction(base: str, factor: str, bonus: str) -> None:
    till = Till(program(rule(count="visit", points=base), rule("happy", bonus={"factor": factor})))
    assert till.buys("10.00") == {"base": base, "happy": bonus}


def test_of_two_rules_only_the_best_gives() -> None:
    till = Till(
        program(
            rule("eight", count="visit", points="8", group="accrual"),
            rule("twelve", count="visit", points="12", group="accrual"),
            groups=[{"id": "accrual", "grants": "best"}],
        )
    )
    assert till.buys("10.00") == {"twelve": "12"}


def test_of_a_group_the_first_by_priority_that_gives() -> None:
    till = Till(
        program(
            rule("late", count="visit", points="1", group="g", priority=3),
            rule("never", points="9", group="g", priority=1, minimum_purchase={"USD": "50.00"}),
            rule("early", count="visit", points="5", group="g", priority=2),
            groups=[{"id": "g", "grants": "first"}],
        )
    )
    assert till.buys("10.00") == {"early": "5"}
    assert till.buys("50.00") == {"never": "450"}


def test_a_trigger_limit_per_day_leaves_the_base_and_other_promotions() -> None:
    once: dict[str, Any] = {"limits": [{"times": 1, "period": "day"}]}
    till = Till(
        program(
            rule(),
            rule("double", bonus={"factor": "2"}, **once),
            rule("extra", count="visit", points="3", promotion=True),
        )
    )
    assert till.buys("10.00") == {"base": "10", "double": "10", "extra": "3"}
    assert till.buys("10.00") == {"base": "10", "extra": "3"}
    till.comes("2026-03-11T00:00")
    assert till.buys("10.00") == {"base": "10", "double": "10", "extra": "3"}


@pytest.mark.parametrize(("base", "points"), [("net", {}), ("net_with_tax", {"base": "1"})])
def test_before_or_after_tax(base: str, points: dict[str, str]) -> None:
    till = Till(program(rule(base=base, **PER_TEN)))
    assert till.buys(TAXED, tax_included=False) == points


# --- Starbucks ------------------------------------------------------------------------------------

STARS = [
    rule("preloaded", points="2", paid_with={"kinds": ["STORED_VALUE"]}),
    rule("other", points="1", not_paid_with={"kinds": ["STORED_VALUE"]}),
]


@pytest.mark.parametrize(
    ("total", "paid", "stars"),
    [
        ("5.45", {"STORED_VALUE": "5.45"}, {"preloaded": "10.90"}),
        ("5.45", {"CARD": "5.45"}, {"other": "5.45"}),
        (
            "10.00",
            {"STORED_VALUE": "6.00", "CASH": "4.00"},
            {"preloaded": "12.00", "other": "4.00"},
        ),
        ("10.00", {"STORED_VALUE": "3.33", "CASH": "6.67"}, {"preloaded": "6.66", "other": "6.67"}),
    ],
)
def test_each_tender_earns_at_its_own_rate(
    total: str, paid: dict[str, str], stars: dict[str, str]
) -> None:
    till = Till(program(*STARS), places={"points": 2})
    assert till.buys(total, paid=paid) == stars


@pytest.mark.parametrize(("of", "double"), [("base", "10"), ("granted", "12")])
def test_a_double_day_for_gold_adds_or_multiplies(of: str, double: str) -> None:
    till = Till(
        program(
            rule(),
            rule("gold", bonus={"factor": "1.2"}, when='member.tier == "gold"'),
            rule("double", bonus={"factor": "2", "of": of}, when='member.tier == "gold"'),
        )
    )
    assert till.buys("10.00") == {"base": "10"}
    till.says("club.tier", "gold")
    assert till.buys("10.00") == {"base": "10", "gold": "2", "double": double}


# --- Alaska ---------------------------------------------------------------------------------------


def test_elite_and_double_miles_are_both_on_flown_miles() -> None:
    till = Till(
        program(
            rule("flown", activities=["flight"], count="attribute", attribute="miles"),
            rule("elite", activities=["flight"], bonus={"factor": "2"}),
            rule("double", activities=["flight"], bonus={"factor": "2"}),
        )
    )
    assert till.does("flight", miles=500) == {"flown": "500", "elite": "500", "double": "500"}


def test_qualifying_miles_beside_spendable_ones() -> None:
    till = Till(
        program(
            rule("flown", activities=["flight"], count="attribute", attribute="miles",
                 also=[{"unit": "elite"}]),
            rule("gold", activities=["flight"], bonus={"factor": "1.5"}),
            rule("grocer", per={"USD": "3.00"}),
        ),
        places={"elite": 0},
    )  # fmt: skip
    assert till.does("flight", miles=800) == {"flown": "800", "flown@elite": "800", "gold": "400"}
    assert till.buys("31.50") == {"grocer": "10"}


# --- The North Face -------------------------------------------------------------------------------


def test_activities_are_capped_together_and_some_count_once_for_life() -> None:
    till = Till(
        program(
            rule(),
            activity("referral", "25", group="activities"),
            activity("app", "10", group="activities", limits=[{"times": 1, "period": "lifetime"}]),
            activity("check_in", "5", group="activities"),
            groups=[{"id": "activities", "caps": [{"points": "100", "period": "year"}]}],
        )
    )
    till.buys("640.00")
    assert till.does("app") == {"app": "10"}
    assert till.does("app") == {}
    for _ in range(3):
        assert till.does("referral") == {"referral": "25"}
    assert till.does("referral") == {"referral": "15"}
    assert till.cuts() == {"referral": (25, 15, "GROUP_CAP")}
    assert till.does("check_in") == {}
    assert till.balance() == "740"
    till.comes("2027-01-01T00:00")
    assert [till.does("check_in") for _ in range(21)][-2:] == [{"check_in": "5"}, {}]


def test_points_by_what_was_recycled_at_most_twice_a_month() -> None:
    till = Till(
        program(
            rule("recycled", activities=["gear_recycled"], count="visit", points="5",
                 rates=[{"attributes": {"category": ["jacket", "tent"]}, "points": "25"}],
                 limits=[{"times": 2, "period": "month"}]),
        )
    )  # fmt: skip
    assert till.does("gear_recycled", category="jacket") == {"recycled": "25"}
    assert till.does("gear_recycled", category="socks") == {"recycled": "5"}
    assert till.does("gear_recycled", category="tent") == {}


# --- a casino's day -------------------------------------------------------------------------------

DAY = {"period": "day", "day_starts_at": "06:00"}
LEVELS = [
    {"from": "500", "points": "125"},
    {"from": "1000", "points": "1000"},
    {"from": "2500", "points": "5000"},
    {"from": "5000", "points": "10000"},
]
CASINO = program(
    rule("credits", per={"USD": "5.00"}, also=[{"unit": "tier"}]),
    rule("day", unit="tier", per={"USD": "5.00"}, levels=LEVELS, over=DAY),
)


def test_a_gaming_day_gives_only_the_highest_level_reached() -> None:
    till = Till(CASINO, places={"tier": 0}, zone="America/Los_Angeles")
    till.comes("2026-03-10T22:00")
    assert till.buys("2500.00") == {"credits": "500", "credits@tier": "500", "day@tier": "125"}
    till.comes("2026-03-11T05:59")
    assert till.buys("10000.00") == {"credits": "2000", "credits@tier": "2000", "day@tier": "4875"}
    assert (till.balance(), till.balance("tier")) == ("2500", "7500")
    till.comes("2026-03-11T06:00")
    assert till.buys("2499.99") == {"credits": "499", "credits@tier": "499"}
