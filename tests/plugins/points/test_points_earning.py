"""What purchases earn: exact results of real programs, and what each key changes."""

from collections.abc import Callable

import pytest

from loyalty.effects import AccountingClass, Grant
from loyalty.facts import PurchaseRecorded
from loyalty.purchase import Line, LineKind
from loyalty.units import MINOR_MAX
from loyalty.view import View
from loyalty_earning.rules.earning import earn
from loyalty_points.config import PointsConfig

Configs = Callable[..., PointsConfig]
Purchases = Callable[..., PurchaseRecorded]
Views = Callable[..., View]


def by_type(rounding: str = "floor", rounded: str = "order") -> dict[str, object]:
    return {
        "rounding": rounding,
        "rounded": rounded,
        "categories": [
            {"category": "electronics", "points": "2"},
            {"category": "grocery", "points": "0.5"},
            {"category": "gift", "points": "0"},
        ],
    }


MIXED = (
    Line(id="tv", amount=100_00, category="electronics"),
    Line(id="food", amount=31_30, category="grocery/fresh"),
    Line(id="card", amount=50_00, category="gift"),
    Line(id="pen", amount=10_00),
)


def only(grants: list[Grant]) -> Grant:
    assert len(grants) == 1
    return grants[0]


def test_a_rate_per_ten_drops_the_rest(config: Configs, purchase: Purchases, view: Views) -> None:
    grants = list(
        earn(config({"per": {"USD": "10.00"}}), purchase(Line(id="1", amount=105_00)), view())
    )
    assert grants == [
        Grant(
            unit="points",
            wanted=10,
            granted=10,
            rule="rule-0",
            label="Points",
            accounting_class=AccountingClass.MATERIAL_RIGHT,
            lines={"1": 10},
            inputs={
                "currency": "USD",
                "base": "net",
                "amount": "105.00",
                "points": "1",
                "per": "10.00",
            },
        )
    ]


@pytest.mark.parametrize(
    ("rounding", "rounded", "places", "points"),
    [
        ("floor", "order", 2, 225_65),
        ("floor", "line", 2, 225_65),
        ("floor", "order", 0, 225),
        ("floor", "line", 0, 225),
        ("half_up", "line", 0, 226),
        ("half_up", "order", 0, 226),
        ("ceiling", "order", 0, 226),
    ],
)
def test_rates_by_product_type(
    config: Configs,
    purchase: Purchases,
    view: Views,
    rounding: str,
    rounded: str,
    places: int,
    points: int,
) -> None:
    rule = config(by_type(rounding, rounded))
    grant = only(list(earn(rule, purchase(*MIXED), view(places=places))))
    assert grant.wanted == grant.granted == points
    assert sum((grant.lines or {}).values()) == points
    assert "card" not in (grant.lines or {})


def test_the_decision_keeps_where_another_rate_applied(
    config: Configs, purchase: Purchases, view: Views
) -> None:
    grant = only(list(earn(config(by_type()), purchase(*MIXED), view())))
    assert grant.inputs["amount"] == "191.30"
    assert grant.inputs["categories"] == {
        "electronics": {"amount": "100.00", "points": "2"},
        "grocery": {"amount": "31.30", "points": "0.5"},
        "gift": {"amount": "50.00", "points": "0"},
    }


def test_fractions_are_kept_where_the_unit_has_places(
    config: Configs, purchase: Purchases, view: Views
) -> None:
    basket = purchase(Line(id="1", amount=5_45))
    assert only(list(earn(config({"points": "2"}), basket, view(places=2)))).granted == 10_90
    assert only(list(earn(config({"points": "1"}), basket, view(places=2)))).granted == 5_45


STEPS = {"points": "10", "per": {"USD": "2.00"}, "whole_steps": True}


def test_only_full_steps_count(config: Configs, purchase: Purchases, view: Views) -> None:
    basket = purchase(
        Line(id="1", amount=8_50, discount=1_00, tax=50),
        Line(id="ship", amount=4_00, kind=LineKind.SHIPPING),
    )
    assert only(list(earn(config(STEPS), basket, view()))).granted == 30


def test_steps_are_counted_over_the_order_or_over_each_line(
    config: Configs, purchase: Purchases, view: Views
) -> None:
    basket = purchase(Line(id="a", amount=3_00), Line(id="b", amount=3_00))
    order = only(list(earn(config(STEPS), basket, view())))
    line = only(list(earn(config(STEPS | {"rounded": "line"}), basket, view())))
    assert (order.granted, order.lines) == (30, {"a": 15, "b": 15})
    assert (line.granted, line.lines) == (20, {"a": 10, "b": 10})


def test_steps_of_each_rate_are_counted_apart(
    config: Configs, purchase: Purchases, view: Views
) -> None:
    rule = STEPS | {"categories": [{"category": "coffee", "points": "20"}]}
    basket = purchase(
        Line(id="a", amount=3_00),
        Line(id="b", amount=3_00, category="coffee"),
        Line(id="c", amount=1_00),
    )
    grant = only(list(earn(config(rule), basket, view())))
    assert (grant.granted, grant.lines) == (40, {"a": 15, "b": 20, "c": 5})


@pytest.mark.parametrize(
    ("amount", "granted", "cut_by"), [(24_99, 0, "MINIMUM_PURCHASE"), (25_00, 25, None)]
)
def test_a_purchase_below_the_minimum_earns_nothing_and_says_so(
    config: Configs, purchase: Purchases, view: Views, amount: int, granted: int, cut_by: str | None
) -> None:
    rule = config({"minimum_purchase": {"USD": "25.00"}})
    grant = only(list(earn(rule, purchase(Line(id="1", amount=amount)), view())))
    assert (grant.wanted, grant.granted, grant.cut_by) == (granted, granted, cut_by)


def test_only_what_counts_goes_towards_the_minimum(
    config: Configs, purchase: Purchases, view: Views
) -> None:
    rule = config({"minimum_purchase": {"USD": "25.00"}})
    basket = purchase(
        Line(id="1", amount=20_00), Line(id="ship", amount=9_00, kind=LineKind.SHIPPING)
    )
    assert only(list(earn(rule, basket, view()))).cut_by == "MINIMUM_PURCHASE"


def test_each_currency_has_its_own_amount(
    config: Configs, purchase: Purchases, view: Views
) -> None:
    rule = config({"per": {"USD": "1.00", "JPY": "100"}})
    yen = purchase(Line(id="1", amount=1250), currency="JPY")
    assert only(list(earn(rule, yen, view()))).granted == 12


def test_a_currency_without_a_rate_earns_nothing_and_says_so(
    config: Configs, purchase: Purchases, view: Views
) -> None:
    basket = purchase(Line(id="1", amount=10_00), currency="EUR")
    grant = only(list(earn(config({}), basket, view())))
    assert (grant.wanted, grant.granted, grant.lines) == (0, 0, None)
    assert (grant.cut_by, grant.inputs) == ("CURRENCY_NOT_RATED", {"currency": "EUR"})


def test_every_rule_grants_under_its_own_name(
    config: Configs, purchase: Purchases, view: Views
) -> None:
    rules = config(
        {"id": "basic"},
        {"id": "bonus", "label": "Bonus", "points": "0.5", "accounting_class": "MARKETING"},
    )
    grants = list(earn(rules, purchase(Line(id="1", amount=10_00)), view()))
    assert [
        (grant.rule, grant.label, grant.granted, grant.accounting_class) for grant in grants
    ] == [
        ("basic", "Points", 10, AccountingClass.MATERIAL_RIGHT),
        ("bonus", "Bonus", 5, AccountingClass.MARKETING),
    ]


def test_no_basket_is_too_large_to_be_recorded(
    config: Configs, purchase: Purchases, view: Views
) -> None:
    basket = purchase(Line(id="a", amount=MINOR_MAX // 2), Line(id="b", amount=MINOR_MAX // 2))
    grant = only(list(earn(config({"points": "999999999"}), basket, view(places=2))))
    assert grant.granted == MINOR_MAX == sum((grant.lines or {}).values())


def test_a_missing_unit_is_named(config: Configs, purchase: Purchases, view: Views) -> None:
    with pytest.raises(LookupError, match="program club: the tenant has no unit stars"):
        list(earn(config(unit="stars"), purchase(Line(id="1", amount=1)), view()))
