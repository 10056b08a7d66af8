"""Spending: what a redemption becomes, and what is declined before any lot is touched."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from loyalty.commands import Redeem
from loyalty.effects import Burn, Effect, Hold, Refuse, Reinstate
from loyalty.errors import Code
from loyalty.plugin import BurnWant
from loyalty.view import View
from loyalty_points.config import PointsConfig
from loyalty_points.rules.redeeming import redeem, wanted_lots

AT = datetime(2026, 3, 10, 12, tzinfo=UTC)
Configs = Callable[..., PointsConfig]
Views = Callable[..., View]


def command(amount: int = 100, **keys: Any) -> Redeem:
    return Redeem(occurred_at=AT, amount=amount, **({"program": "club", "unit": "points"} | keys))


def test_a_redemption_reserves_for_a_quarter_of_an_hour(config: Configs, view: Views) -> None:
    assert list(redeem(config(), command(), view())) == [
        Hold(unit="points", amount=100, until=AT + timedelta(minutes=15))
    ]


def test_the_config_says_for_how_long_and_the_request_may_say_otherwise(
    config: Configs, view: Views
) -> None:
    day = config(redemption={"hold_for": "P1DT30M"})
    asked = command(hold_for=timedelta(hours=2))
    effects: list[Effect] = [*redeem(day, command(), view()), *redeem(day, asked, view())]
    assert [effect.until - AT for effect in effects if isinstance(effect, Hold)] == [
        timedelta(days=1, minutes=30),
        timedelta(hours=2),
    ]


def test_captured_at_once_it_burns(config: Configs, view: Views) -> None:
    assert list(redeem(config(), command(capture=True), view())) == [
        Burn(unit="points", amount=100)
    ]


@pytest.mark.parametrize("capture", [True, False])
@pytest.mark.parametrize(
    ("reversible", "expected"),
    [
        ({}, Reinstate()),
        ({"allowed": False}, Reinstate(allowed=False)),
        ({"grace_days": 30}, Reinstate(grace=timedelta(days=30))),
    ],
)
def test_the_program_says_whether_it_can_be_undone(
    config: Configs, view: Views, capture: bool, reversible: dict[str, Any], expected: Reinstate
) -> None:
    rules = config(redemption={"reversible": reversible})
    (effect,) = redeem(rules, command(capture=capture), view())
    assert isinstance(effect, Hold | Burn)
    assert effect.reversible == expected


def test_another_program_is_none_of_its_business(config: Configs, view: Views) -> None:
    assert list(redeem(config(), command(program="other", amount=-1), view())) == []


@pytest.mark.parametrize("capture", [True, False])
@pytest.mark.parametrize(
    ("keys", "places", "refusal"),
    [
        ({"unit": "USD"}, 0, (Code.BAD_USER_INPUT, "unit", {"unit": "points"})),
        ({"amount": 0}, 0, (Code.BAD_AMOUNT, "amount", {})),
        ({"amount": 24}, 0, (Code.BAD_AMOUNT, "amount", {"minimum": "25"})),
        ({"amount": 24_99}, 2, (Code.BAD_AMOUNT, "amount", {"minimum": "25"})),
        ({"amount": 26}, 0, (Code.BAD_AMOUNT, "amount", {"increment": "2.5"})),
        ({"amount": 27_49}, 2, (Code.BAD_AMOUNT, "amount", {"increment": "2.5"})),
        ({"hold_for": timedelta(days=31)}, 0, (Code.BAD_USER_INPUT, "holdFor", {})),
        ({"hold_for": timedelta(0)}, 0, (Code.BAD_USER_INPUT, "holdFor", {})),
    ],
)
def test_what_is_declined_says_which_field_and_why(
    config: Configs,
    view: Views,
    capture: bool,
    keys: dict[str, Any],
    places: int,
    refusal: tuple[Code, str, dict[str, str]],
) -> None:
    rules = config(redemption={"minimum": "25", "increment": "2.5"})
    (effect,) = redeem(rules, command(capture=capture, **keys), view(places=places))
    assert isinstance(effect, Refuse)
    assert (effect.code, effect.field, effect.details) == refusal


@pytest.mark.parametrize(("amount", "places"), [(25, 0), (30, 0), (27_50, 2)])
def test_the_minimum_and_its_multiples_pass(
    config: Configs, view: Views, amount: int, places: int
) -> None:
    rules = config(redemption={"minimum": "25", "increment": "2.5"})
    (effect,) = redeem(rules, command(amount), view(places=places))
    assert isinstance(effect, Hold)


def test_lots_are_asked_for_only_in_the_programs_unit(config: Configs) -> None:
    assert list(wanted_lots(config(), command(40))) == [BurnWant(unit="points", amount=40)]
    assert list(wanted_lots(config(), command(40, unit="USD"))) == []
