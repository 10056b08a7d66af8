"""Smaller programs: what a reverted spend brings back, rates by the type of product."""

from typing import Any

import pytest

from tests.graphql.brand import POINTS

CREDITS = {**POINTS, "terms": {"lifetime": {"span": "P12M", "ends": "month"}}}


@pytest.mark.parametrize(
    ("grace", "available", "reinstated", "expired"),
    [(None, "10", "5", "10"), (30, "20", "15", "0")],
)
async def test_a_reverted_spend_brings_back_what_has_not_ended_meanwhile(
    tell: Any, grace: int | None, available: str, reinstated: str, expired: str
) -> None:
    """SH-4: credits 10 (May) and 10 (December); 15 spent and reverted in June: 10, or 20."""
    redemption = {"reversible": {"allowed": True, "grace_days": grace}}
    story = await tell("2024-04-10T12:00", {**CREDITS, "redemption": redemption})
    await story.buys("10.00")
    await story.comes("2024-11-10T12:00")
    await story.buys("10.00")
    assert await story.lots() == [("2025-05-01", "10"), ("2025-12-01", "10")]

    spend = await story.redeems("15", capture=True)
    assert await story.lots() == [("2025-12-01", "5")]
    await story.comes("2025-06-10T12:00")
    payload = await story.reverses(spend)

    assert payload["userErrors"] == []
    assert payload["redemption"]["state"] == "REVERSED"
    assert (payload["reinstated"], payload["expired"]) == (reinstated, expired)
    assert await story.available() == available
    if grace:
        assert await story.lots() == [("2025-07-10", "10"), ("2025-12-01", "10")]


@pytest.mark.parametrize(
    ("day", "until"),
    [("2025-03-05", "2025-03-16T03:30:00Z"), ("2025-10-30", "2025-11-10T04:30:00Z")],
)
async def test_days_of_grace_are_the_tenants_also_where_clocks_change(
    tell: Any, day: str, until: str
) -> None:
    """Ten days after half past eleven at night it is half past eleven at night."""
    redemption = {"reversible": {"allowed": True, "grace_days": 10}}
    lifetime = {"terms": {"lifetime": {"span": "P1M"}}}
    story = await tell("2025-01-10T12:00", {**CREDITS, **lifetime, "redemption": redemption})
    await story.buys("10.00")
    spend = await story.redeems("10", capture=True)
    await story.comes(f"{day}T23:30")

    await story.reverses(spend)

    assert (await story.has())["expiries"] == [{"at": until, "amount": "10"}]


async def test_a_program_may_say_that_spent_is_spent(tell: Any) -> None:
    config = {**CREDITS, "redemption": {"reversible": {"allowed": False}}}
    story = await tell("2024-04-10T12:00", config)
    await story.buys("10.00")
    spend = await story.redeems("10", capture=True)

    payload = await story.reverses(spend)

    assert payload["userErrors"][0]["code"] == "NOT_REVERSIBLE"
    assert await story.available() == "0"


def _by_type(**rule: Any) -> dict[str, Any]:
    rates = {"electronics": "2", "grocery": "0.5", "gift-card": "0"}
    by_type = {
        "id": "by-type", "label": "Points by product type", "accounting_class": "MATERIAL_RIGHT",
        "points": "1", "per": {"USD": "1.00"},
        "categories": [{"category": name, "points": rate} for name, rate in rates.items()],
        **rule,
    }  # fmt: skip
    return {**POINTS, "rules": [by_type]}


BASKET = [
    {"id": "tv", "amount": "100.00", "category": "electronics"},
    {"id": "fruit", "amount": "31.30", "category": "grocery/fresh"},
    {"id": "card", "amount": "50.00", "category": "gift-card"},
    {"id": "book", "amount": "10.00"},
]


@pytest.mark.parametrize(
    ("rule", "places", "points"),
    [
        ({}, 0, "225"),
        ({"rounded": "line"}, 0, "225"),
        ({"rounded": "line", "rounding": "half_up"}, 0, "226"),
        ({}, 2, "225.65"),
    ],
)
async def test_rates_by_type_of_product(tell: Any, rule: Any, places: int, points: str) -> None:
    """PT-1: electronics 2, grocery 0.5, gift card 0, others 1."""
    config = {**_by_type(**rule), "unit": "stars"}
    story = await tell("2026-01-01T12:00", config, places=places)

    purchase = await story.buys("191.30", lines=BASKET)

    [earned] = purchase["earned"]
    assert (earned["amount"], earned["label"]) == (points, "Points by product type")
    assert await story.available() == points


async def test_why_did_i_get_12_points(tell: Any) -> None:
    """The decision names the rule, its version, what it read and each line's share."""
    story = await tell("2026-01-01T12:00", _by_type())
    lines = [
        {"id": "cable", "amount": "5.00", "category": "electronics/cables"},
        {"id": "apple", "amount": "4.00", "category": "grocery"},
    ]

    purchase = await story.buys("9.00", lines=lines)

    [decision] = await story.why(purchase)
    decision["lines"].sort(key=lambda share: share["line"])
    assert decision == {
        "program": "points",
        "programVersion": 1,
        "rule": "by-type",
        "label": "Points by product type",
        "stage": "BASE",
        "accountingClass": "MATERIAL_RIGHT",
        "unit": "points",
        "wanted": "12",
        "granted": "12",
        "cutBy": None,
        "lines": [{"line": "apple", "amount": "2"}, {"line": "cable", "amount": "10"}],
        "inputs": {
            "currency": "USD",
            "base": "net",
            "amount": "9.00",
            "points": "1",
            "per": "1.00",
            "categories": {
                "electronics": {"amount": "5.00", "points": "2"},
                "grocery": {"amount": "4.00", "points": "0.5"},
            },
        },
    }


async def test_why_did_i_get_nothing(tell: Any) -> None:
    story = await tell("2026-01-01T12:00", _by_type(minimum_purchase={"USD": "10.00"}))

    small = await story.buys("9.99")
    foreign = await story.buys("50.00", currency="EUR")

    assert [small["earned"], foreign["earned"]] == [[], []]
    assert [one["cutBy"] for one in await story.why(small)] == ["MINIMUM_PURCHASE"]
    assert [one["cutBy"] for one in await story.why(foreign)] == ["CURRENCY_NOT_RATED"]
