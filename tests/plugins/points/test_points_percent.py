"""A rate as a percentage of money, in a points program; and sums keep the names they had."""

import pytest
from pydantic import ValidationError

from loyalty_points.config import PointsConfig
from tests.plugins.points.till import Till, program, rule

PERCENT = {"id": "back", "label": "Back", "accounting_class": "CASHBACK", "percent": "2.5"}


def test_a_percentage_is_of_the_currency_that_the_program_names() -> None:
    till = Till({"unit": "credit", "currency": "EUR", "rules": [PERCENT]}, places={"credit": 2})
    till.buys("100.00", currency="EUR")
    till.buys("100.00", currency="USD")
    assert till.balance("credit") == "2.50"


def test_without_a_currency_there_is_nothing_that_it_could_be_of() -> None:
    with pytest.raises(ValidationError, match="give the currency of the unit"):
        PointsConfig.model_validate(program(PERCENT))


def test_a_new_percentage_goes_on_with_the_sum_of_the_old() -> None:
    def sums(percent: str, **more: str) -> list[str]:
        one = PERCENT | {"percent": percent, "over": {"period": "year"}} | more
        till = Till({"unit": "credit", "currency": "EUR", "rules": [one]}, places={"credit": 2})
        return [counter.name for counter in till.counters()]

    assert sums("1") == sums("2") != sums("1", base="gross")


def test_running_sums_are_known_by_the_names_that_they_had() -> None:
    """A member's sum of this year must not begin anew with a new version of the platform."""
    year = {"period": "year"}
    rates = {"categories": [{"category": "x", "points": "2"}],
             "rates": [{"skus": ["s"], "points": "3"}]}  # fmt: skip
    till = Till(
        program(
            rule("a", over=year), rule("b", over=year, **rates),
            rule("c", count="attribute", attribute="km", activities=["w"], over=year),
        )
    )  # fmt: skip
    assert [counter.name for counter in till.counters()] == [
        "sum.a.61962211.USD:member:year",
        "sum.b.57620caa.USD:member:year",
        "sum.c.1332bd61:member:year",
    ]
