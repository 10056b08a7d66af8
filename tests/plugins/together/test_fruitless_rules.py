"""Rules by which nothing is ever given with what a tenant has: a draft that has one is refused."""

from typing import Any

import pytest

from loyalty.plugin import Means
from loyalty_app.installed import installed
from loyalty_tenants.configs import Configs

CONFIGS = Configs({plugin.name: plugin for plugin in installed()})
PLAIN: dict[str, Any] = {"id": "base", "label": "Base", "accounting_class": "MARKETING"}
VISIT: dict[str, Any] = {**PLAIN, "count": "visit", "points": "0.5"}
LEVELS = [{"from": "1", "points": "0.5"}]
SPEND: dict[str, Any] = {**PLAIN, "points": "1", "per": {"CHF": "1.00"}}
BONUS: dict[str, Any] = {**PLAIN, "bonus": {"factor": "2"}}
MEANS = Means({"points": 0, "stars": 1, "USD": 2, "JPY": 0}, ("USD", "EUR"))
NO_CHF = (
    "the tenant takes no CHF, but USD, EUR: name one of these, or let it take that one first, by"
    " updateTenant"
)


def told(kind: str, *rules: dict[str, Any], means: Means = MEANS, **keys: Any) -> dict[str, str]:
    config = {"unit": "points", "rules": list(rules), **keys}
    ask = CONFIGS.check_draft(kind, config).fruitless
    assert ask is not None
    return {".".join(map(str, path)): text for path, text in ask(means)}


def test_a_visit_that_is_rounded_to_nothing_each_time() -> None:
    assert told("points", VISIT) == {
        "rules.0.points": "a visit gives less than the smallest part of points, rounded floor to"
        " nothing each time: give over, so that visits add up, or give more"
    }


@pytest.mark.parametrize(
    ("keys", "path"),
    [
        ({"points": "0.499999", "rounding": "half_up"}, "points"),
        ({"rounding": "half_even"}, "points"),
        ({"points": "1", "per_units": "3"}, "points"),
        ({"points": "0.05", "unit": "stars"}, "points"),
        ({"points": "0.5", "categories": [{"category": "tea", "points": "0.9"}]}, "points"),
        ({"activities": ["check_in"]}, "points"),
        ({"promotion": True, "at_least": "5"}, "points"),
        ({"points": "0", "levels": LEVELS}, "levels"),
        ({"points": "0", "brackets": [{"from": "0", "points": "0.9"}]}, "brackets"),
    ],
)
def test_it_is_told_of_whatever_says_how_much(keys: dict[str, Any], path: str) -> None:
    assert list(told("points", VISIT | keys)) == [f"rules.0.{path}"]


@pytest.mark.parametrize(
    "keys",
    [
        {"points": "1"},
        {"rounding": "half_up"},
        {"points": "0.000001", "rounding": "ceiling"},
        {"over": {"period": "month"}},
        {"unit": "stars"},
        {"per_units": "0.5"},
        {"categories": [{"category": "tea", "points": "1"}]},
        {"count": "quantity"},
        {"points": "0", "levels": [*LEVELS, {"from": "2", "points": "1"}], "per_units": "0.5"},
    ],
)
def test_what_may_give_something_is_accepted(keys: dict[str, Any]) -> None:
    assert told("points", VISIT | keys) == {}


def test_money_is_asked_in_each_of_its_units() -> None:
    keys: dict[str, Any] = {"other_currencies": [{"currency": "JPY", "unit": "JPY"}]}
    keys |= {"currency": "USD", "unit": "USD"}
    cent = VISIT | {"points": "0.01"}
    assert told("cashback", cent, **keys) == {}  # of yen it gives none
    assert list(told("cashback", VISIT | {"points": "0.009"}, **keys)) == ["rules.0.points"]


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        (SPEND, "per"),
        (SPEND | {"minimum_purchase": {"CHF": "9.00"}}, "per"),
        (VISIT | {"points": "1", "minimum_purchase": {"CHF": "9.00"}}, "minimum_purchase"),
        (BONUS | {"minimum_purchase": {"CHF": "9.00"}}, "minimum_purchase"),
    ],
)
def test_a_rule_in_no_currency_that_the_tenant_takes(rule: dict[str, Any], path: str) -> None:
    assert told("points", rule) == {f"rules.0.{path}": NO_CHF}


def test_a_percentage_of_such_a_currency() -> None:
    franc: dict[str, Any] = {"unit": "CHF", "currency": "CHF"}
    assert told("cashback", {**PLAIN, "percent": "5"}, **franc) == {"rules.0.percent": NO_CHF}


@pytest.mark.parametrize(
    ("rule", "means"),
    [
        (SPEND | {"per": {"CHF": "1.00", "EUR": "1.00"}}, MEANS),  # one file for several brands
        (SPEND, MEANS._replace(currencies=())),  # it takes none yet
        (BONUS, MEANS),
        (VISIT | {"points": "1", "activities": ["check_in"]}, MEANS),
    ],
)
def test_a_rule_that_may_be_paid_for_is_accepted(rule: dict[str, Any], means: Means) -> None:
    assert told("points", rule, means=means) == {}


def test_what_is_stored_is_not_asked() -> None:
    assert CONFIGS.check("points", {"unit": "points", "rules": [VISIT]}).fruitless is None
