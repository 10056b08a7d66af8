"""Starbucks Rewards until March 2026: six months from the end of the month, soonest first."""

from typing import Any

from tests.graphql.brand import POINTS

STARS = {**POINTS, "unit": "stars", "terms": {"lifetime": {"span": "P6M", "ends": "month"}}}


async def test_stars_of_december_are_gone_with_june(tell: Any) -> None:
    """SB-3: earned 2025-12-15, gone at 2026-07-01 00:00 of the program."""
    story = await tell("2025-12-15T08:30", STARS, places=2)
    await story.buys("5.45")

    assert (await story.has())["expiries"] == [{"at": "2026-07-01T04:00:00Z", "amount": "5.45"}]
    await story.comes("2026-06-30T23:59:59", swept=False)
    assert await story.available() == "5.45"
    await story.comes("2026-07-01T00:00")
    assert await story.available() == "0.00"


async def test_the_soonest_to_end_are_spent_first_and_one_order_takes_one_reward(tell: Any) -> None:
    """SB-4: lots 30 (1 July) and 100 (1 August): 25 leaves 5 and 100; then 100 leaves 0 and 5."""
    story = await tell("2025-12-15T08:30", STARS)
    await story.buys("30.00")
    await story.comes("2026-01-15T08:30")
    await story.buys("100.00")
    assert await story.lots() == [("2026-07-01", "30"), ("2026-08-01", "100")]

    await story.redeems("25", capture=True)
    assert await story.lots() == [("2026-07-01", "5"), ("2026-08-01", "100")]
    await story.redeems("100", capture=True)
    assert await story.lots() == [("2026-08-01", "5")]
    assert (await story.asks_for("6"))["userErrors"][0]["code"] == "INSUFFICIENT_BALANCE"
