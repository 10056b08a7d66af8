"""Which lines a rule counts, and how much of each."""

from collections.abc import Callable

import pytest

from loyalty.effects import Grant
from loyalty.facts import PurchaseRecorded
from loyalty.purchase import Line, LineKind
from loyalty.view import View
from loyalty_earning.counting import counted
from loyalty_earning.rules.earning import earn
from loyalty_points.config import PointsConfig

Configs = Callable[..., PointsConfig]
Purchases = Callable[..., PurchaseRecorded]
Views = Callable[..., View]


def only(grants: list[Grant]) -> Grant:
    assert len(grants) == 1
    return grants[0]


@pytest.mark.parametrize("tax_included", [True, False])
@pytest.mark.parametrize(("base", "points"), [("net", []), ("net_with_tax", [1])])
def test_tax_counts_only_where_the_base_says_so(
    config: Configs,
    purchase: Purchases,
    view: Views,
    base: str,
    points: list[int],
    tax_included: bool,
) -> None:
    goods = Line(id="1", amount=10_26 if tax_included else 9_50, tax=76)
    rule = config({"per": {"USD": "10.00"}, "base": base})
    grants = earn(rule, purchase(goods, tax_included=tax_included), view())
    assert [grant.granted for grant in grants] == points


@pytest.mark.parametrize(
    ("base", "points"),
    [("net", 80), ("net_with_tax", 88), ("gross", 100), ("gross_with_tax", 108)],
)
@pytest.mark.parametrize("tax_included", [True, False])
def test_each_base_counts_its_amount(
    config: Configs,
    purchase: Purchases,
    view: Views,
    base: str,
    points: int,
    tax_included: bool,
) -> None:
    goods = Line(id="1", amount=108_00 if tax_included else 100_00, discount=20_00, tax=8_00)
    basket = purchase(goods, tax_included=tax_included)
    assert only(list(earn(config({"base": base}), basket, view()))).granted == points


def test_a_line_with_more_tax_than_price_does_not_count_against_the_others(
    config: Configs, purchase: Purchases, view: Views
) -> None:
    odd = Line(id="odd", amount=1_00, discount=1_00, tax=50)
    grant = only(list(earn(config({}), purchase(odd, Line(id="a", amount=10_00)), view())))
    assert (grant.granted, grant.lines) == (10, {"a": 10})


@pytest.mark.parametrize(
    ("category", "points"),
    [
        ("grocery", 10),
        ("grocery/coffee", 30),
        ("grocery/coffee/beans", 30),
        ("groceryware", 20),
        (None, 20),
    ],
)
def test_the_longest_category_path_wins(
    config: Configs, purchase: Purchases, view: Views, category: str | None, points: int
) -> None:
    rates = [{"category": "grocery", "points": "1"}, {"category": "grocery/coffee", "points": "3"}]
    rule = config({"points": "2", "categories": rates})
    basket = purchase(Line(id="1", amount=10_00, category=category))
    assert only(list(earn(rule, basket, view()))).granted == points


@pytest.mark.parametrize(
    "line",
    [
        Line(id="out", amount=90_00, category="tobacco/pipes"),
        Line(id="out", amount=90_00, sku="GIFT-1"),
        Line(id="out", amount=90_00, brand="Acme"),
        Line(id="out", amount=90_00, kind=LineKind.GIFT_CARD),
        Line(id="out", amount=90_00, kind=LineKind.SHIPPING),
    ],
)
def test_what_is_excluded_earns_nothing(
    config: Configs, purchase: Purchases, view: Views, line: Line
) -> None:
    rule = config({"exclude": {"categories": ["tobacco"], "skus": ["GIFT-1"], "brands": ["Acme"]}})
    grant = only(list(earn(rule, purchase(line, Line(id="in", amount=10_00)), view())))
    assert (grant.granted, grant.lines) == (10, {"in": 10})
    assert list(earn(rule, purchase(line), view())) == []


def test_kinds_of_lines_that_count_can_be_named(
    config: Configs, purchase: Purchases, view: Views
) -> None:
    basket = purchase(Line(id="a", amount=10_00), Line(id="tip", amount=2_00, kind=LineKind.TIP))
    assert only(list(earn(config({"kinds": ["PRODUCT", "TIP"]}), basket, view()))).granted == 12


KINDS = [
    {},
    {"base": "gross"},
    {"kinds": ["PRODUCT", "SHIPPING"]},
    {"include": {"brands": ["acme"]}},
    {"exclude": {"brands": ["acme"]}},
    {"count": "quantity", "per": None},
    {"count": "visit", "per": None},
    {"count": "attribute", "attribute": "nights", "per": None},
    {"count": "attribute", "attribute": "days", "per": None},
]
SAME = [
    {"points": "3"}, {"rounding": "ceiling"}, {"per": {"USD": "2.00"}}, {"at_most": "1"},
    {"when": "purchase.total > 0"}, {"categories": [{"category": "tea", "points": "2"}]},
]  # fmt: skip


def test_rules_that_are_about_the_same_count_the_same_and_others_do_not(
    config: Configs, purchase: Purchases
) -> None:
    """A basket is counted once for all rules of one `about`: it has to name all that decides."""
    basket = purchase(
        Line(id="1", amount=10_00, discount=1_00, brand="acme", quantity=3000),
        Line(id="2", amount=20_00, category="tea"),
        Line(id="3", amount=5_00, kind=LineKind.SHIPPING),
        attributes={"nights": "2", "days": "3"},
    )
    rules = config(*KINDS, *SAME).rules
    told = {rule.about: counted(rule, basket) for rule in rules}
    assert len(told) == len(KINDS)
    found = {(*(line.id for line in one.lines), *one.weights) for one in told.values()}
    assert len(found) == len(KINDS)
    assert {rule.about for rule in rules[len(KINDS) :]} == {rules[0].about}
