"""The template product-type: a rate for each category."""

from typing import Any

import pytest

BASKET = [
    {"id": "tv", "amount": "100.00", "category": "electronics"},
    {"id": "fruit", "amount": "31.30", "category": "grocery/fresh"},
    {"id": "card", "amount": "50.00", "category": "gift-card"},
    {"id": "book", "amount": "10.00"},
]


@pytest.mark.parametrize(
    ("changed", "points"),
    [
        ({}, "225"),
        ({"rounded": "line"}, "225"),
        ({"rounded": "line", "rounding": "half_up"}, "226"),
    ],
)
async def test_rates_by_type_of_product(starts: Any, changed: Any, points: str) -> None:
    """PT-1: 225.65, rounded down for each line or the order: 225; half up for each line: 226."""
    story = await starts(
        "product-type", "2026-01-01T12:00", lambda config: config["rules"][0].update(changed)
    )

    purchase = await story.buys("191.30", lines=BASKET)

    assert story.given(purchase) == {"Points by product type": points}
    assert await story.available() == points


async def test_what_comes_back_takes_its_own_share_and_in_the_end_all(starts: Any) -> None:
    story = await starts("product-type", "2026-01-01T12:00")
    purchase = await story.buys("191.30", lines=BASKET)

    left = []
    for line in ("card", "fruit", "book", "tv"):
        await story.brings_back(purchase, {"id": line, "quantity": "1"})
        left.append(await story.available())

    assert left == ["225", "209", "199", "0"]


async def test_points_end_with_the_month(starts: Any) -> None:
    story = await starts("product-type", "2026-01-15T12:00")
    await story.buys("191.30", lines=BASKET)
    await story.redeems("100", capture=True)
    assert await story.lots() == [("2027-02-01", "125")]

    await story.comes("2027-01-31T23:59:59", swept=False)
    assert await story.available() == "125"
    await story.comes("2027-02-01T00:00")

    assert await story.available() == "0"
