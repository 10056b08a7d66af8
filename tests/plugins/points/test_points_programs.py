"""Exact results of real programs, and of the mechanics that they are made of."""

from typing import Any

import pytest

from loyalty.errors import Refused
from loyalty.purchase import Line, LineKind
from tests.plugins.points.till import Till, minor, program, rule

PER_TEN: dict[str, Any] = {"per": {"USD": "10.00"}}
TAXED = Line(id="goods", amount=minor("9.50"), tax=minor("0.76"))


def activity(type: str, points: str, **keys: object) -> dict[str, object]:
    return rule(type, activities=[type], count="visit", points=points, **keys)


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


# --- smaller ones ---------------------------------------------------------------------------------


def test_full_steps_without_shipping_tax_and_discounts() -> None:
    till = Till(program(rule(points="10", per={"USD": "2.00"}, whole_steps=True)))
    shipping = Line(id="s", amount=minor("4.00"), kind=LineKind.SHIPPING)
    goods = Line(id="g", amount=minor("8.00"), discount=minor("1.00"))
    assert till.buys(goods, shipping) == {"base": "30"}


@pytest.mark.parametrize(
    ("rounding", "rounded", "places", "points"),
    [
        ("floor", "line", 0, "225"),
        ("floor", "order", 0, "225"),
        ("half_up", "line", 0, "226"),
        ("floor", "order", 2, "225.65"),
    ],
)
def test_rates_by_product_type(rounding: str, rounded: str, places: int, points: str) -> None:
    till = Till(
        program(
            rule(rounding=rounding, rounded=rounded,
                 rates=[{"categories": ["electronics"], "points": "2"},
                        {"attributes": {"type": ["grocery"]}, "points": "0.5"},
                        {"skus": ["gift"], "points": "0"}])
        ),
        places={"points": places},
    )  # fmt: skip
    got = till.buys(
        Line(id="1", amount=minor("100.00"), category="electronics/tv"),
        Line(id="2", amount=minor("31.30"), attributes={"type": "grocery"}),
        Line(id="3", amount=minor("50.00"), sku="gift"),
        "10.00",
    )
    assert got == {"base": points}


def test_nothing_is_lost_where_a_rule_rounds_over_a_period() -> None:
    till = Till(program(rule(over={"period": "month"}, **PER_TEN)))
    assert [till.buys("9.50") for _ in range(4)] == [
        {},
        {"base": "1"},
        {"base": "1"},
        {"base": "1"},
    ]
    till.comes("2026-04-01T00:00")
    assert till.buys("9.50") == {}


def test_brackets_count_each_part_at_its_own_rate() -> None:
    brackets = [
        {"from": "0", "points": "1"},
        {"from": "100", "points": "2"},
        {"from": "500", "points": "3"},
    ]
    till = Till(program(rule(brackets=brackets, over={"period": "year"})))
    assert till.buys("150.00") == {"base": "200"}
    assert till.buys("450.00") == {"base": "1000"}  # 350 at 2, 100 at 3
    assert Till(program(rule(brackets=brackets))).buys("600.00") == {"base": "1200"}


def test_quantities_are_counted_in_pieces_of_what_is_named() -> None:
    till = Till(
        program(
            rule(count="quantity", points="3", per_units="2", whole_steps=True,
                 include={"skus": ["cup"]})
        )
    )  # fmt: skip
    cups = Line(id="c", amount=minor("10.00"), quantity=5000, sku="cup")
    assert till.buys(cups, "7.00") == {"base": "6"}
    assert till.buys("7.00") == {}


def test_a_rule_gives_no_less_and_no_more_than_it_says() -> None:
    till = Till(program(rule(at_least="5", at_most="50")))
    assert [till.buys(total)["base"] for total in ("1.00", "20.00", "99.00")] == ["5", "20", "50"]


def test_a_budget_of_the_program_is_cut_to_the_point() -> None:
    till = Till(program(rule(), caps=[{"points": "25", "per": "program", "period": "month"}]))
    assert till.buys("20.00") == {"base": "20"}
    assert till.buys("20.00") == {"base": "5"}
    assert till.cuts() == {"base": (20, 5, "PROGRAM_BUDGET")}
    assert till.buys("20.00") == {}


def test_what_a_cap_cut_is_given_when_its_next_period_begins() -> None:
    cap = {"points": "15", "period": "month", "carry_over": True}
    till = Till(program(rule(caps=[cap])))
    assert till.buys("20.00") == {"base": "15"}
    assert till.buys("20.00") == {}
    assert till.cuts() == {"base": (20, 0, "RULE_CAP")}
    till.comes("2026-04-01T00:00")
    assert till.carries("rule.base") == {"base:carried": "15"}  # 25 are owed
    assert till.buys("20.00") == {}
    till.comes("2026-05-01T00:00")
    assert till.carries("rule.base") == {"base:carried": "15"}  # 30 were
    till.comes("2026-06-01T00:00")
    assert till.carries("rule.base") == {"base:carried": "15"}
    till.comes("2026-07-01T00:00")
    assert till.carries("rule.base") == {}
    assert till.balance() == "60"


def test_an_activity_must_be_of_a_known_type_and_fit_its_schema() -> None:
    schema = {
        "type": "object", "required": ["stars"], "additionalProperties": False,
        "properties": {"stars": {"type": "integer", "minimum": 1, "maximum": 5}},
    }  # fmt: skip
    till = Till(
        program(
            activity("review", "5"),
            activities=[{"type": "review", "label": "A review", "attributes": schema}],
        )
    )
    assert till.does("review", stars=5) == {"review": "5"}
    with pytest.raises(Refused, match=r"less than or equal|greater than the maximum") as refused:
        till.does("review", stars=9)
    assert refused.value.field == "attributes.stars"
    with pytest.raises(Refused, match="is a required property"):
        till.does("review")
    with pytest.raises(Refused, match="did you mean review") as refused:
        till.does("reviews", stars=5)
    assert refused.value.field == "type"


def test_promotions_hold_at_their_times_only() -> None:
    tuesdays = {"recurrence": "FREQ=WEEKLY;BYDAY=TU", "starts": "2026-01-06", "at": "15:00",
                "lasts": "PT3H"}  # fmt: skip
    till = Till(
        program(rule(), rule("happy", bonus={"factor": "2"}, times=tuesdays)),
        zone="America/New_York",
    )
    given = []
    for at in ("2026-03-10T14:59", "2026-03-10T15:00", "2026-03-10T17:59", "2026-03-10T18:00"):
        till.comes(at)
        given.append("happy" in till.buys("10.00"))
    assert given == [False, True, True, False]


def test_rules_are_in_effect_between_their_days() -> None:
    days = {"starts": "2026-03-10", "ends": "2026-03-11"}
    till = Till(program(rule(effective=days)), zone="Asia/Tokyo")
    given = []
    for at in ("2026-03-09T23:59", "2026-03-10T00:00", "2026-03-11T23:59", "2026-03-12T00:00"):
        till.comes(at)
        given.append(bool(till.buys("10.00")))
    assert given == [False, True, True, False]


def test_a_bonus_on_a_category_and_on_named_rules_only() -> None:
    till = Till(
        program(
            rule(),
            rule("visit", count="visit", points="7"),
            rule("coffee", bonus={"factor": "3", "rules": ["base"]},
                 include={"categories": ["coffee"]}),
        )
    )  # fmt: skip
    got = till.buys(Line(id="c", amount=minor("4.00"), category="coffee/beans"), "6.00")
    assert got == {"base": "10", "visit": "7", "coffee": "8"}


# --- by chance ------------------------------------------------------------------------------------

ODDS = {
    "odds": "v1", "probability": "0.05",
    "prizes": [{"points": "50", "weight": "80"}, {"points": "200", "weight": "15"},
               {"points": "1000", "weight": "5"}],
}  # fmt: skip


def spins(till: Till, times: int) -> list[tuple[int, str]]:
    won = []
    for at in range(times):
        if (prize := till.does("spin")) != {}:
            won.append((at, prize["lucky"]))
    return won


def lucky(**keys: object) -> dict[str, object]:
    return program(rule("lucky", activities=["spin"], chance=ODDS, **keys))


def test_the_same_seed_and_events_give_the_same_winners() -> None:
    won = spins(Till(lucky()), 2000)
    assert won == spins(Till(lucky()), 2000)
    assert 60 < len(won) < 140
    assert {prize for _, prize in won} == {"50", "200", "1000"}
    assert won != spins(Till(lucky(), secret=b"another"), 2000)


def test_a_member_wins_once_a_day_and_never_more_than_the_budget() -> None:
    limits = [{"times": 1, "period": "day"}]
    assert len(spins(Till(lucky(limits=limits)), 2000)) == 1
    caps = [{"points": "120", "per": "program", "period": "month"}]
    prizes = [int(prize) for _, prize in spins(Till(lucky(caps=caps)), 2000)]
    assert sum(prizes) == 120
    assert len(prizes) < 5


def test_a_draw_keeps_its_odds_roll_and_prize() -> None:
    till = Till(lucky())
    while not till.does("spin"):
        pass
    [grant] = till.body["grants"]
    assert grant["inputs"]["odds"] == "v1"
    assert grant["inputs"]["prize"] in {"50", "200", "1000"}
    assert 0 <= grant["inputs"]["roll"] < 0.05
    assert till.body["draws"][0]["label"] == "lucky/v1"
