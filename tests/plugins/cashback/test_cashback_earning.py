"""What purchases give back in money: percentages, currencies, choices, caps, rounding."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from loyalty.purchase import Line
from loyalty_cashback.config import CashbackConfig
from tests.plugins.cashback.conftest import CashTill
from tests.plugins.points.till import ADA

EUR: dict[str, Any] = {"other_currencies": [{"currency": "EUR", "unit": "cash-eur"}]}
FIVE: dict[str, Any] = {"percent": "5"}


def config(*rules: dict[str, Any], **keys: Any) -> CashbackConfig:
    numbered = [{"id": f"rule-{at}", "label": "Cashback"} | one for at, one in enumerate(rules)]
    return CashbackConfig.model_validate(
        {"unit": "cash", "currency": "USD", "rules": numbered} | keys
    )


def faults(*rules: dict[str, Any], **keys: Any) -> str:
    with pytest.raises(ValidationError) as refused:
        config(*rules, **keys)
    return str(refused.value)


def test_five_percent_is_five_of_a_hundred_and_nothing_is_lost_by_lines() -> None:
    till = CashTill(FIVE)
    till.buys("200.00")
    assert till.has() == "10.00"
    till.buys("0.10", "0.10", "0.19")  # 39 cents: 1.95, rounded down once
    assert till.has() == "10.01"


def test_a_promotion_week_gives_eight() -> None:
    week = {"starts": "2026-03-09", "ends": "2026-03-15"}
    promo = {"percent": "3", "promotion": True, "effective": week}
    till = CashTill(FIVE, promo)
    till.buys("200.00")
    assert till.has() == "16.00"
    till.brings_back(_1="100.00")
    assert till.has() == "8.00"


def test_each_currency_gives_money_of_its_own() -> None:
    till = CashTill(FIVE, **EUR)
    till.buys("200.00")
    till.buys("100.00", currency="EUR")
    till.buys("999.00", currency="HKD")
    assert (till.has(), till.has("cash-eur")) == ("10.00", "5.00")
    assert till.cuts()["rule-0"][2] == "CURRENCY_NOT_RATED"


def test_a_currency_without_a_unit_gives_nothing_of_any_rule() -> None:
    """Neither a fixed sum nor a bonus: there is no money in which it could."""
    till = CashTill(
        {"count": "visit", "points": "1.00"}, {"bonus": {"factor": "2"}},
        {"chance": {"odds": "v1", "probability": "1",
                    "prizes": [{"points": "5.00", "weight": "1"}]}},
    )  # fmt: skip
    assert till.buys("10.00", currency="EUR") == {}
    assert till.has() == "0.00"


@pytest.mark.parametrize(
    ("line", "back"),
    [
        (Line(id="1", amount=10_000, category="grocery/fresh"), "5.00"),
        (Line(id="1", amount=10_000, category="alcohol"), "0.00"),
        (Line(id="1", amount=10_000, sku="TV"), "2.50"),
        (Line(id="1", amount=10_000, brand="Acme"), "10.00"),
        (Line(id="1", amount=10_000), "1.00"),
    ],
)
def test_rates_go_by_category_product_and_brand(line: Line, back: str) -> None:
    till = CashTill(
        {
            "percent": "1",
            "categories": [
                {"category": "grocery", "percent": "5"},
                {"category": "alcohol", "percent": "0"},
            ],
            "rates": [{"skus": ["TV"], "percent": "2.5"}, {"brands": ["Acme"], "percent": "10"}],
        }
    )
    till.buys(line)
    assert till.has() == back


def test_a_tender_counts_for_what_it_paid() -> None:
    till = CashTill({"percent": "4", "paid_with": {"kinds": ["CARD"]}})
    till.buys("100.00", paid={"CARD": "25.00", "CASH": "75.00"})
    assert till.has() == "1.00"


def test_a_tier_has_a_rate_of_its_own() -> None:
    till = CashTill(
        {"percent": "1"}, {"percent": "2", "when": 'member.tier == "gold"', "promotion": True}
    )
    till.buys("100.00")
    till.says("club.tier", "gold")
    till.buys("100.00")
    assert till.has() == "4.00"


def test_a_chosen_category_has_its_rate_from_the_choice_on() -> None:
    choice = {
        "id": "favourite", "label": "Favourite",
        "options": [
            {"id": "fuel", "label": "Fuel", "categories": ["fuel"]},
            {"id": "food", "label": "Food", "categories": ["grocery"]},
        ],
    }  # fmt: skip
    rule = {"percent": "1", "rates": [{"choice": "favourite", "percent": "5"}]}
    till = CashTill(rule, choices=[choice])
    basket = (Line(id="a", amount=10_000, category="fuel"), Line(id="b", amount=10_000))
    till.buys(*basket)
    till.says("club.choices", {"favourite": "fuel"})
    till.buys(*basket)
    assert till.has() == "8.00"  # 1 + 1, then 5 + 1


def test_caps_count_each_currency_by_itself() -> None:
    cap = {
        "points": "10.00", "period": "quarter",
        "in_units": [{"unit": "cash-eur", "points": "4.00"}],
    }  # fmt: skip
    till = CashTill(FIVE, caps=[cap], **EUR)
    till.buys("150.00")
    till.buys("100.00", currency="EUR")
    till.buys("150.00")
    assert (till.has(), till.has("cash-eur")) == ("10.00", "4.00")
    assert till.cuts() == {"rule-0": (750, 250, "PROGRAM_CAP")}


def test_what_a_cap_cut_is_owed_in_its_own_currency() -> None:
    cap = {"points": "1.00", "period": "month", "carry_over": True}
    till = CashTill(FIVE, caps=[cap], **EUR)
    names = {counter.name for counter in till.counters() if counter.name.startswith("owed")}
    assert names == {"owed.program", "owed.program.cash-eur"}


def test_a_return_under_a_cap_reckons_each_currency_in_the_places_of_its_unit() -> None:
    """Visits are one sum in all currencies: 3 of it are 300 cents here and 3 whole ones there."""
    visit = {
        "count": "visit", "points": "3", "over": {"period": "month"},
        "caps": [{"points": "1000", "period": "year"}],
    }  # fmt: skip
    till = CashTill(visit, other_currencies=[{"currency": "HKD", "unit": "cash-whole"}])
    orders = []
    for currency in ("USD", "HKD", "USD", "HKD", "USD"):
        till.buys("10.00", currency=currency)
        orders.append(till.order)
    left = [(till.has(), till.has("cash-whole"))]
    for order in orders:
        till.brings_back(order)
        left.append((till.has(), till.has("cash-whole")))
    assert left == [
        ("9.00", "6"), ("6.00", "6"), ("6.00", "3"), ("3.00", "3"), ("3.00", "0"), ("0.00", "0"),
    ]  # fmt: skip


def test_over_a_year_fractions_of_a_cent_add_up() -> None:
    """Ten times 0.10 at 5 % are 5 cents, not ten times nothing."""
    alone, summed = CashTill(FIVE), CashTill(FIVE | {"over": {"period": "year"}})
    for _ in range(10):
        alone.buys("0.10")
        summed.buys("0.10")
    assert (alone.has(), summed.has()) == ("0.00", "0.05")


def test_money_is_cashback_to_the_books_unless_it_says_otherwise() -> None:
    read = config(FIVE, FIVE | {"accounting_class": "PARTNER_FUNDED"})
    assert [rule.accounting_class.value for rule in read.rules] == ["CASHBACK", "PARTNER_FUNDED"]


def test_the_decision_keeps_the_percentage() -> None:
    till = CashTill(FIVE | {"categories": [{"category": "fuel", "percent": "2"}]})
    till.buys(Line(id="1", amount=10_000), Line(id="2", amount=5_000, category="fuel"))
    (grant,) = till.body["grants"]
    assert grant["inputs"] == {
        "currency": "USD", "base": "net", "amount": "150.00", "percent": "5",
        "categories": {"fuel": {"amount": "50.00", "percent": "2"}},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({"percent": "5", "points": "1"}, "percent is of an amount"),
        ({"percent": "5", "per": {"USD": "1.00"}}, "percent is of an amount"),
        ({"percent": "5", "count": "visit"}, "percent is of an amount"),
        ({"percent": "0"}, "percent is 0 and no rate gives any either"),
        ({"percent": "1", "categories": [{"category": "a", "points": "1"}]}, "are in percent, too"),
        ({"points": "1", "per": {"USD": "1.00"}, "rates": [{"skus": ["a"], "percent": "1"}]},
         "go with percent"),
        ({"percent": "1", "rates": [{"skus": ["a"], "percent": "1", "points": "1"}]},
         "give points; in a rule with percent"),
        ({"percent": "1", "levels": [{"from": "1", "points": "1"}]}, "levels stands instead"),
        ({"points": "1", "per": {"CHF": "1.00"}}, "the rule rule-0 names CHF"),
    ],
)  # fmt: skip
def test_what_does_not_fit_a_percentage_is_told(rule: dict[str, Any], told: str) -> None:
    assert told in faults(rule)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"other_currencies": [{"currency": "USD", "unit": "x"}]}, "the currency USD"),
        ({"other_currencies": [{"currency": "EUR", "unit": "cash"}]}, "the unit cash"),
        (EUR | {"payout": {"on_request": {"minimum": {"USD": "1.00"}}}}, "see EUR"),
        ({"payout": {"statement": {"every": "week", "day": 8}}}, "1 to 7"),
        ({"payout": {"statement": {"every": "month", "minimum": {"CHF": "1"}}}}, "see CHF"),
    ],
)
def test_currencies_fit_together(keys: dict[str, Any], told: str) -> None:
    assert told in faults(FIVE, **keys)


def test_money_waits_for_no_activation() -> None:
    assert "for no activation" in faults(FIVE, terms={"pending_until": "activation"})


def test_money_lives_on_with_what_a_member_buys() -> None:
    terms = {"lifetime": {"span": "P6M", "extended_by": {"purchases": True}}}
    till = CashTill(FIVE, terms=terms, **EUR)
    till.buys("100.00", currency="EUR")
    till.comes("2026-08-01T12:00")
    till.buys("100.00")
    account = till.batch.book.accounts[ADA, "cash-eur", "main"]
    assert [lot.expires_at for lot in till.batch.book.open_lots(account)] == [
        datetime(2027, 2, 1, 12, tzinfo=UTC)
    ]
