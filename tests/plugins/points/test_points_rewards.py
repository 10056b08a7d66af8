"""What a ladder's config says, and what a reward is worth."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from loyalty.facts import PurchaseRecorded
from loyalty.purchase import Line, LineKind
from loyalty_points.config import PointsConfig
from loyalty_points.reward_value import value_of
from loyalty_points.rewards import Reward
from tests.plugins.points.till import program, rule

OFF = {"id": "off", "label": "$5 off", "cost": "100", "kind": "amount", "amount": {"USD": "5.00"}}
PART = {"id": "part", "label": "15% off", "cost": "100", "kind": "percent", "percent": "15"}
ITEM = {"id": "item", "label": "A tea", "cost": "100", "kind": "item", "item": "TEA"}
Purchases = Callable[..., PurchaseRecorded]


@pytest.mark.parametrize(
    ("reward", "fault"),
    [
        ({"kind": "amount"}, "amount is missing"),
        ({"kind": "percent"}, "amount does not go with it"),
        ({"percent": "10"}, "percent does not go with it"),
        ({"maximum": {"USD": "1.00"}}, "maximum goes with kind: percent"),
        ({"cost": "0"}, "more than 0"),
        ({"limits": [{"times": 1, "period": "month", "per": "program"}]}, "limited per member"),
        ({"scope": {"choice": "bonus"}}, "not by a choice"),
        ({"when": "member.tir == 'gold'"}, "did you mean member.tier"),
        ({"when": "purchase.total > 1"}, "no name purchase.total"),
        ({"colour": "red"}, "Extra inputs"),
    ],
)
def test_a_reward_that_cannot_be_is_refused(reward: dict[str, Any], fault: str) -> None:
    base = (
        OFF if reward.get("kind") != "amount" else {k: v for k, v in OFF.items() if k != "amount"}
    )
    with pytest.raises(ValidationError, match=fault):
        PointsConfig.model_validate(program(rule(), rewards=[base | reward]))


def test_no_more_than_a_hundred_hundredths_and_no_two_of_a_name() -> None:
    with pytest.raises(ValidationError, match="at most 100"):
        PointsConfig.model_validate(program(rule(), rewards=[PART | {"percent": "100.5"}]))
    with pytest.raises(ValidationError, match="the id off"):
        PointsConfig.model_validate(program(rule(), rewards=[OFF, OFF]))


def test_what_it_costs_is_in_the_units_own_places() -> None:
    assert Reward.model_validate(OFF | {"cost": "12.5"}).price(2) == 1250
    assert Reward.model_validate(OFF | {"cost": "12.5"}).price(0) == 13


LINES = (
    Line(id="1", amount=900, discount=100, quantity=3000, sku="TEA", category="drinks/tea"),
    Line(id="2", amount=333, category="pastry"),
    Line(id="3", amount=1000, kind=LineKind.SHIPPING),
)


@pytest.mark.parametrize(
    ("reward", "value"),
    [
        (OFF, 500),
        (OFF | {"amount": {"USD": "50.00"}}, 1133),  # no more than the products cost
        (OFF | {"scope": {"categories": ["pastry"]}}, 333),
        (OFF | {"amount": {"EUR": "5.00"}}, None),
        (PART, 170),  # 169.95, half up
        (PART | {"percent": "12.5", "scope": {"skus": ["TEA"]}}, 100),
        (PART | {"maximum": {"USD": "1.00"}}, 100),
        (PART | {"maximum": {"EUR": "1.00"}}, None),
        (ITEM, 267),  # one of three for 8.00
        (ITEM | {"item": "CAKE"}, 0),
    ],
)
def test_a_reward_takes_off_what_it_says(
    purchase: Purchases, reward: dict[str, Any], value: int | None
) -> None:
    assert value_of(Reward.model_validate(reward), purchase(*LINES)) == value


def test_the_terms_that_are_kept_are_those_of_the_day() -> None:
    limited = PART | {"maximum": {"USD": "1.00"}, "limits": [{"times": 1, "period": "month"}]}
    assert Reward.model_validate(limited).terms(7) == PART | {
        "maximum": {"USD": "1.00"}, "version": 7,
    }  # fmt: skip
