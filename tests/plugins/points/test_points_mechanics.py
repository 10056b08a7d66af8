"""What each key of a rule changes, by exact results."""

from typing import Any

import pytest
from pydantic import ValidationError

from loyalty.errors import Refused
from loyalty.purchase import Line, LineKind
from loyalty_points.config import PointsConfig
from tests.plugins.points.till import Till, activity, minor, program, rule

PER_TEN: dict[str, Any] = {"per": {"USD": "10.00"}}


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


@pytest.mark.parametrize(
    ("cap", "fault"),
    [
        ({"per": "program", "period": "month"}, "for caps per member"),
        ({"period": "lifetime"}, "not lifetime"),
        ({"period": "rolling", "days": 7}, "not rolling"),
    ],
)
@pytest.mark.parametrize("on", ["rule", "group", "program"])
def test_what_no_period_would_give_is_not_carried_over(cap: Any, fault: str, on: str) -> None:
    caps = [{"points": "15", "carry_over": True} | cap]
    config = {
        "rule": program(rule(caps=caps)),
        "group": program(rule(), groups=[{"id": "g", "caps": caps}]),
        "program": program(rule(), caps=caps),
    }[on]
    with pytest.raises(ValidationError, match=fault) as refused:
        Till(config)
    assert refused.value.errors()[0]["loc"][-2:] == ("caps", 0)


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


@pytest.mark.parametrize(
    ("config", "fault"),
    [
        (program(rule(also=[{"unit": "points"}])), "gives points twice"),
        (program(rule(also=[{"unit": "stars"}, {"unit": "stars"}])), "gives stars twice"),
        (
            program(rule(group="g"), rule("b", unit="stars", group="g"),
                    groups=[{"id": "g", "grants": "best"}]),
            "which is best is asked of one unit",
        ),
        (
            program(rule(group="g"), rule("b", unit="stars", group="g"),
                    groups=[{"id": "g", "caps": [{"points": "9", "period": "day"}]}]),
            "its caps count one unit",
        ),
    ],
)  # fmt: skip
def test_what_would_be_compared_or_counted_is_of_one_unit(config: Any, fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        Till(config)


def test_an_activity_schema_with_a_number_that_no_reader_takes_is_refused() -> None:
    schema = {"type": "object", "properties": {"n": {"maximum": 10**30}}}
    with pytest.raises(ValidationError, match="64-bit"):
        Till(
            program(
                activity("run", "1"),
                activities=[{"type": "run", "label": "A run", "attributes": schema}],
            )
        )


@pytest.mark.parametrize(
    ("keys", "points"),
    [({}, "40"), ({"kinds": ["PRODUCT", "SHIPPING"]}, "45"), ({"kinds": ["SHIPPING"]}, "35")],
)
def test_a_multiplier_is_of_its_kinds_of_lines_in_a_draft_as_once_it_is_published(
    keys: dict[str, Any], points: str
) -> None:
    """A draft has the keys that were written, a version has all of them."""
    base = rule(points="2", kinds=["PRODUCT", "SHIPPING"])
    draft = program(base, rule("double", bonus={"factor": "1.5"}, **keys))
    version = PointsConfig.model_validate(draft).model_dump(mode="json")
    for config in (draft, version):
        till = Till(config)
        till.buys(Line(id="1", amount=1_000), Line(id="2", amount=500, kind=LineKind.SHIPPING))
        assert till.balance() == points
