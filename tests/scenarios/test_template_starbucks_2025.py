"""The template starbucks-2025: Stars by tender to the hundredth, six months to use them."""

from typing import Any

import pytest

CARD, OTHER = "2 Stars a dollar, paid from your card", "1 Star a dollar"


def paid(**amounts: str) -> dict[str, Any]:
    return {"tenders": [{"kind": kind, "amount": amount} for kind, amount in amounts.items()]}


@pytest.mark.parametrize(
    ("total", "tenders", "stars"),
    [
        ("5.45", {"STORED_VALUE": "5.45"}, {CARD: "10.90"}),
        ("5.45", {"CARD": "5.45"}, {OTHER: "5.45"}),
        ("10.00", {"STORED_VALUE": "6.00", "CASH": "4.00"}, {CARD: "12.00", OTHER: "4.00"}),
        ("10.00", {"GIFT_CARD": "6.00", "CASH": "4.00"}, {OTHER: "4.00"}),
    ],
)
async def test_each_tender_earns_at_its_own_rate(
    starts: Any, total: str, tenders: dict[str, str], stars: dict[str, str]
) -> None:
    """SB-1 and SB-2: 10.90 from the card, 5.45 by credit card; 16 for an order paid by both."""
    story = await starts("starbucks-2025", "2025-12-15T08:30")

    assert story.given(await story.buys(total, **paid(**tenders))) == stars


async def test_stars_of_december_are_gone_with_june(starts: Any) -> None:
    """SB-3: earned 2025-12-15, gone at 2026-07-01 00:00 of the program."""
    story = await starts("starbucks-2025", "2025-12-15T08:30")
    await story.buys("5.45")
    assert (await story.has())["expiries"] == [{"at": "2026-07-01T04:00:00Z", "amount": "5.45"}]

    await story.comes("2026-06-30T23:59:59")
    assert await story.available() == "5.45"
    await story.comes("2026-07-01T00:00")
    assert await story.available() == "0.00"


async def test_the_soonest_to_end_are_spent_first_and_one_order_takes_one_reward(
    starts: Any,
) -> None:
    """SB-4: lots of 30 and 100: 25 leave 5 and 100; then 100 leave 0 and 5; no second one."""
    story = await starts("starbucks-2025", "2025-12-15T08:30")
    await story.buys("30.00")
    await story.comes("2026-01-15T08:30")
    await story.buys("100.00")
    assert await story.lots() == [("2026-07-01", "30.00"), ("2026-08-01", "100.00")]

    odd = await story.asks_for("30")
    await story.redeems(reward="extra-shot", order="o-1", capture=True)
    assert await story.lots() == [("2026-07-01", "5.00"), ("2026-08-01", "100.00")]
    second = await story.asks_for(reward="brewed", order="o-1", capture=True)
    await story.redeems(reward="brewed", order="o-2", capture=True)
    assert await story.lots() == [("2026-08-01", "5.00")]
    codes = [refused["userErrors"][0]["code"] for refused in (odd, second)]
    assert codes == ["BAD_AMOUNT", "LIMIT_REACHED"]


async def test_an_order_that_comes_back_takes_the_stars_of_both_tenders(starts: Any) -> None:
    story = await starts("starbucks-2025", "2025-12-15T08:30")
    lines = [{"id": "latte", "amount": "3.33"}, {"id": "bagel", "amount": "6.67"}]
    purchase = await story.buys("10.00", lines=lines, **paid(STORED_VALUE="6.00", CASH="4.00"))
    assert await story.available() == "16.00"

    for line in ("bagel", "latte"):
        await story.brings_back(purchase, {"id": line, "quantity": "1"})

    balance = await story.has()
    assert (balance["available"], balance["deficit"]) == ("0.00", "0.00")
