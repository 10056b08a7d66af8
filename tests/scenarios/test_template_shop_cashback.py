"""The template shop-cashback: 3 %, pending for 30 days, paid out each month from 10.00 on."""

from typing import Any

import pytest

from tests.scenarios.teller import Teller

PAYOUTS = """query { payouts(program: "points") { edges { node {
  id amount state day member { externalId } } } } }"""
TELL = """mutation($input: RecordPayoutInput!) { recordPayout(input: $input) {
  payout { state } userErrors { code field message } } }"""


async def payouts(story: Teller) -> list[tuple[str, str, str]]:
    """Day, amount and state, oldest first."""
    found = (await story.brand.admin.run(PAYOUTS))["payouts"]["edges"]
    nodes = [edge["node"] for edge in reversed(found)]
    return [(one["day"], one["amount"], one["state"]) for one in nodes]


async def becomes(story: Teller, state: str) -> None:
    """What became of the newest payout."""
    newest = (await story.brand.admin.run(PAYOUTS))["payouts"]["edges"][0]["node"]
    given = {"payout": newest["id"], "state": state, "idempotencyKey": story.brand.key()}
    data = await story.brand.service.run(TELL, input=given)
    assert data["recordPayout"]["userErrors"] == []


async def test_three_percent_of_the_year_is_rounded_once(starts: Any) -> None:
    story = await starts("shop-cashback", "2026-01-05T12:00")

    given = [story.given(await story.buys("0.50")).get("3 % back", "0.00") for _ in range(4)]

    assert given == ["0.02", "0.01", "0.02", "0.01"]  # of 0.015, 0.03, 0.045 and 0.06
    assert (await story.has())["pending"] == "0.06"


async def test_a_statement_pays_what_can_no_longer_come_back(starts: Any) -> None:
    story = await starts("shop-cashback", "2026-01-05T12:00")
    await story.buys("400.00")
    await story.comes("2026-01-25T12:00")
    await story.buys("100.00")

    await story.comes("2026-02-01T00:30")
    assert await payouts(story) == []
    await story.comes("2026-02-04T13:00")
    assert ((await story.has())["available"], (await story.has())["pending"]) == ("12.00", "3.00")
    await story.comes("2026-03-01T00:30")

    assert await payouts(story) == [("2026-03-01", "15.00", "REQUESTED")]
    assert await story.available() == "0.00"


async def test_what_is_less_than_ten_waits_for_the_next(starts: Any) -> None:
    story = await starts("shop-cashback", "2026-01-01T12:00")
    await story.buys("300.00")
    await story.comes("2026-02-01T13:00")
    await story.buys("100.00")
    await story.comes("2026-03-10T00:30")
    assert await payouts(story) == []

    await story.comes("2026-04-01T00:30")

    assert await payouts(story) == [("2026-04-01", "12.00", "REQUESTED")]


async def test_a_payout_that_fails_is_paid_with_the_next_statement(starts: Any) -> None:
    story = await starts("shop-cashback", "2026-01-01T12:00")
    await story.buys("400.00")
    await story.comes("2026-02-01T00:30")
    await story.comes("2026-02-03T12:00")
    await becomes(story, "FAILED")
    assert await story.available() == "12.00"

    await story.comes("2026-03-01T00:30")
    await becomes(story, "PAID")

    assert await payouts(story) == [
        ("2026-02-01", "12.00", "FAILED"), ("2026-03-01", "12.00", "PAID"),
    ]  # fmt: skip
    lines = [(one["kind"], one["amount"]) for one in await story.statement()]
    assert lines == [
        ("GRANT", "12.00"), ("BURN", "-12.00"), ("REVERSE", "12.00"), ("BURN", "-12.00"),
    ]  # fmt: skip


async def test_what_comes_back_after_it_was_paid_is_owed(starts: Any) -> None:
    """A late return, which the shop takes out of kindness."""
    story = await starts("shop-cashback", "2026-01-01T12:00")
    purchase = await story.buys("400.00")
    await story.comes("2026-03-01T00:30")
    await becomes(story, "PAID")

    await story.brings_back(purchase, {"id": "1", "amount": "100.00"})
    owed = (await story.has())["deficit"]
    await story.buys("200.00")

    assert (owed, (await story.has())["pending"]) == ("3.00", "3.00")


@pytest.mark.parametrize(
    ("promotion", "back", "left"), [(False, "10.00", "5.00"), (True, "16.00", "8.00")]
)
async def test_five_or_eight_percent_with_half_of_it_returned(
    starts: Any, promotion: bool, back: str, left: str
) -> None:
    """CB-1: $200 at 5 %, in a promotion week at 8 %, pending 14 days; half returned on day 10."""

    def change(config: Any) -> None:
        (rule,) = config["rules"]
        config["rules"] = [{**rule, "percent": "5", "over": None}]
        if promotion:
            week = {"starts": "2026-03-09", "ends": "2026-03-15"}
            config["rules"].append(
                {"id": "week", "label": "3 % more", "percent": "3", "promotion": True,
                 "effective": week}
            )  # fmt: skip
        config["terms"] = {"pending_days": 14}
        config["payout"]["statement"]["minimum"] = None

    story = await starts("shop-cashback", "2026-03-10T12:00", change)
    purchase = await story.buys("200.00")
    assert (await story.has())["pending"] == back
    await story.comes("2026-03-20T12:00")
    await story.brings_back(purchase, {"id": "1", "amount": "100.00"})
    await story.comes("2026-03-24T12:00")
    assert await story.available() == left

    await story.comes("2026-04-01T00:30")

    assert await payouts(story) == [("2026-04-01", left, "REQUESTED")]
