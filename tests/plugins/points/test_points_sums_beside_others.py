"""What returns settle of a sum that stands beside others: in its group, in its units, in its
currencies, and between its own bounds."""

from typing import Any

import pytest

from loyalty.purchase import Line
from loyalty.units import Unit, UnitKind
from loyalty_cashback.plugin import plugin as cashback
from tests.plugins.points.till import Till, program, rule

MONTH: dict[str, Any] = {"over": {"period": "month"}}
FIRST = [{"from": "0", "points": "10"}, {"from": "3", "points": "0"}]  # the first three dollars


def bought(till: Till, *baskets: Any) -> list[str]:
    orders = []
    for basket in baskets:
        till.buys(basket)
        orders.append(till.order)
    return orders


@pytest.mark.parametrize("grants", ["best", "first"])
def test_never_two_of_a_group_give_for_one_purchase(grants: str) -> None:
    """The second purchase earned nothing by its sum, so the visit gave 20. Which rule gives is
    decided when it is bought: it stays so when the first purchase goes back."""
    groups = [{"id": "g", "grants": grants}]
    visit = rule("visit", count="visit", points="20", group="g", priority=2)
    summed = rule("sum", brackets=FIRST, group="g", priority=1, **MONTH)
    till = Till(program(summed, visit, groups=groups))
    first, second = bought(till, "3.00", "3.00")
    assert till.balance() == "50"
    till.brings_back(first)
    assert till.balance() == "20"
    till.brings_back(second)
    assert till.balance() == "0"


@pytest.mark.parametrize("grants", ["best", "first"])
def test_what_is_outbid_is_so_in_all_its_units(grants: str) -> None:
    other = rule(
        "other", count="visit", points="50", include={"categories": ["x"]}, group="g", priority=1
    )
    own = rule("sum", brackets=FIRST, also=[{"unit": "miles"}], group="g", priority=2, **MONTH)
    groups = [{"id": "g", "grants": grants}]
    till = Till(program(other, own, groups=groups), places={"miles": 0})
    first, _ = bought(till, Line(id="1", amount=300, category="x"), "3.00")
    assert (till.balance(), till.balance("miles")) == ("50", "0")
    till.brings_back(first)
    assert (till.balance(), till.balance("miles")) == ("0", "0")


@pytest.mark.parametrize("caps", [{}, {"caps": [{"points": "1000", "period": "month"}]}],
                         ids=["free", "capped"])  # fmt: skip
def test_a_sum_of_visits_that_are_paid_in_two_currencies(caps: Any) -> None:
    """5.00 for a visit and 20.00 for two, each in the money that it was paid in."""
    visits = {
        "id": "sum", "label": "visits", "accounting_class": "CASHBACK", "count": "visit",
        "levels": [{"from": "1", "points": "5.00"}, {"from": "2", "points": "20.00"}], **MONTH,
    }  # fmt: skip
    config = {
        "unit": "USD", "currency": "USD", "other_currencies": [{"currency": "EUR", "unit": "EUR"}],
        "rules": [visits], **caps,
    }  # fmt: skip
    till = Till(config, places={"USD": 2, "EUR": 2}, plugin=cashback)
    for code in ("USD", "EUR"):
        till.setup.units[code] = Unit(code=code, places=2, kind=UnitKind.MONEY)  # type: ignore[index]
    till.buys("30.00", currency="USD")
    first = till.order
    till.buys("30.00", currency="EUR")
    second = till.order
    assert (till.balance("USD"), till.balance("EUR")) == ("5.00", "15.00")
    till.brings_back(first)
    assert (till.balance("USD"), till.balance("EUR")) == ("0.00", "5.00")
    till.brings_back(second)
    assert (till.balance("USD"), till.balance("EUR")) == ("0.00", "0.00")


def test_what_gives_at_least_so_much_does_when_another_purchase_goes() -> None:
    levels = [{"from": "3", "points": "5"}]
    till = Till(program(rule("sum", levels=levels, at_least="7", **MONTH)))
    first, second = bought(till, "9.00", "9.00")
    assert till.balance() == "7"
    till.brings_back(first)
    assert till.balance() == "7"
    till.brings_back(second)
    assert till.balance() == "0"


def test_no_return_leaves_less_than_at_least() -> None:
    """Nothing was bounded: 30.00 gave 3. The rest is 25.00: 2, but at least 3."""
    till = Till(program(rule("sum", per={"USD": "10.00"}, at_least="3", **MONTH)))
    first, _ = bought(till, "5.00", "25.00")
    assert till.balance() == "3"
    till.brings_back(first)
    assert till.balance() == "3"
