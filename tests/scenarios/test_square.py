"""Square Loyalty: lifespans that end with a month, rewards that are cancelled or used."""

from typing import Any

from tests.graphql.brand import POINTS

MONTH_END = {**POINTS, "terms": {"lifetime": {"span": "P12M", "ends": "month"}}}


async def test_points_of_july_are_usable_through_july_of_the_next_year(tell: Any) -> None:
    """SQ-7: earned 2020-07-06, usable through 2021-07-31, gone on 2021-08-01."""
    story = await tell("2020-07-06T12:00", MONTH_END)
    await story.buys("20.00")

    [deadline] = (await story.has())["expiries"]
    assert deadline == {"at": "2021-08-01T04:00:00Z", "amount": "20"}

    await story.comes("2021-07-31T23:59:59", swept=False)
    assert await story.available() == "20"
    assert (await story.asks_for("20"))["userErrors"] == []
    await story.comes("2021-07-31T23:59:59.5", swept=False)
    await story.comes("2021-08-01T00:00", swept=False)
    assert (await story.asks_for("1"))["userErrors"][0]["code"] == "INSUFFICIENT_BALANCE"


async def test_whether_or_not_a_sweep_ran_what_ended_is_gone(tell: Any) -> None:
    story = await tell("2020-07-06T12:00", MONTH_END)
    await story.buys("20.00")
    await story.comes("2021-08-01T00:00", swept=False)
    unswept = await story.available()
    await story.comes("2021-08-03T00:00")

    assert (unswept, await story.available()) == ("0", "0")
    last = (await story.statement())[-1]
    assert (last["kind"], last["amount"]) == ("EXPIRE", "-20")
    assert last["occurredAt"] == "2021-08-01T04:00:00Z"
    assert last["recordedAt"] == "2021-08-03T04:00:00Z"
    before = await story.has(asOf="2021-08-01T03:59:59Z")
    assert before["available"] == "20"


async def test_a_reward_that_is_cancelled_gives_back_and_a_used_one_does_not(tell: Any) -> None:
    """SQ-8: balance 20, reward of 15; the deadlines sum to the balance at all times."""
    story = await tell("2020-07-06T12:00", MONTH_END)
    await story.buys("12.00")
    await story.comes("2020-09-01T12:00")
    await story.buys("8.00")
    lots = await story.lots()
    assert lots == [("2021-08-01", "12"), ("2021-10-01", "8")]

    reward = await story.redeems("15")
    assert await story.available() == "5"
    assert await story.lots() == [("2021-10-01", "5")]
    assert (await story.releases(reward))["redemption"]["state"] == "RELEASED"
    assert await story.available() == "20"
    assert await story.lots() == lots

    reward = await story.redeems("15")
    assert (await story.captures(reward))["redemption"]["state"] == "CAPTURED"
    assert await story.available() == "5"
    cancelled = await story.releases(reward)
    assert cancelled["redemption"] is None
    assert cancelled["userErrors"][0]["code"] == "REDEMPTION_STATE"
    assert await story.available() == "5"


async def test_a_part_is_captured_and_the_rest_goes_back(tell: Any) -> None:
    story = await tell("2020-07-06T12:00", MONTH_END)
    await story.buys("20.00")

    reward = await story.redeems("15")
    captured = await story.captures(reward, "6")

    assert (captured["redemption"]["captured"], captured["redemption"]["amount"]) == ("6", "15")
    balance = await story.has()
    assert (balance["available"], balance["held"]) == ("14", "0")


async def test_a_reservation_lapses_when_its_time_is_over(tell: Any) -> None:
    story = await tell("2020-07-06T12:00", MONTH_END)
    await story.buys("20.00")
    reward = await story.redeems("15", holdForSeconds=600)
    held = await story.has()
    assert (held["available"], held["held"]) == ("5", "15")

    await story.comes("2020-07-06T12:10")

    balance = await story.has()
    assert (balance["available"], balance["held"]) == ("20", "0")
    late = await story.captures(reward)
    assert late["userErrors"][0]["code"] == "REDEMPTION_STATE"
    assert (await story.statement())[-1]["cause"] == "HoldLapsed"


async def test_what_is_reserved_does_not_expire(tell: Any) -> None:
    story = await tell("2020-07-06T12:00", MONTH_END)
    await story.buys("20.00")
    await story.comes("2021-07-31T23:55", swept=False)
    reward = await story.redeems("15")

    await story.comes("2021-08-01T00:05")

    assert (await story.has())["held"] == "15"
    assert (await story.captures(reward))["redemption"]["captured"] == "15"
    assert (await story.has())["held"] == "0"
