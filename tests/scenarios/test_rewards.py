"""The rewards ladder: fixed prices, terms that are kept, so many to an order and a month."""

from asyncio import gather
from typing import Any

import pytest

from tests.graphql.brand import POINTS
from tests.graphql.desk_documents import done
from tests.graphql.documents import CAPTURE, REDEEM, REWARD_VALUE, REWARDS

LADDER: list[dict[str, Any]] = [
    {"id": "extra-shot", "label": "An extra shot", "cost": "25", "kind": "amount",
     "amount": {"USD": "1.00"}},
    {"id": "brewed", "label": "A brewed coffee", "cost": "100", "kind": "item", "item": "COFFEE"},
    {"id": "fifth-off", "label": "A fifth off pastries", "cost": "60", "kind": "percent",
     "percent": "20", "maximum": {"USD": "3.00"}, "scope": {"categories": ["pastry"]}},
]  # fmt: skip
STARS = {
    **POINTS,
    "unit": "stars",
    "terms": {"lifetime": {"span": "P6M", "ends": "month"}},
    "rewards": LADDER,
    "max_rewards_per_order": 1,
}


async def asks_for(story: Any, reward: str, **more: Any) -> Any:
    given = {
        "member": {"externalId": "ada"}, "unit": story.unit, "program": "points",
        "reward": reward, "idempotencyKey": story.brand.key(), "capture": True, **more,
    }  # fmt: skip
    return (await story.brand.service.run(REDEEM, input=given))["redeemPoints"]


async def redeems(story: Any, reward: str, **more: Any) -> Any:
    payload = await asks_for(story, reward, **more)
    assert payload["userErrors"] == [], payload
    return payload["redemption"]


async def refused(story: Any, reward: str, **more: Any) -> Any:
    payload = await asks_for(story, reward, **more)
    assert payload["redemption"] is None
    [error] = payload["userErrors"]
    return error


async def seen(story: Any) -> dict[str, Any]:
    data = await story.brand.member("ada").run(REWARDS, by={"externalId": "ada"})
    return {one["terms"]["id"]: one for one in data["member"]["rewards"]}


async def test_a_ladder_takes_the_soonest_stars_and_one_reward_an_order(tell: Any) -> None:
    """SB-4: lots 30 (1 July) and 100 (1 August): 25 leaves 5 + 100, then 100 leaves 0 + 5."""
    story = await tell("2025-12-15T08:30", STARS)
    await story.buys("30.00")
    await story.comes("2026-01-15T08:30")
    await story.buys("100.00")

    shot = await redeems(story, "extra-shot", order="o-1")
    assert (shot["amount"], shot["captured"]) == ("25", "25")
    assert await story.lots() == [("2026-07-01", "5"), ("2026-08-01", "100")]
    error = await refused(story, "brewed", order="o-1")
    assert (error["code"], error["field"]) == ("LIMIT_REACHED", "order")
    assert error["message"] == "an order takes no more than 1 of the rewards"
    assert error["details"]["part"] == "max_rewards_per_order"
    await redeems(story, "brewed", order="o-2")
    assert await story.lots() == [("2026-08-01", "5")]
    assert (await refused(story, "extra-shot", order="o-3"))["code"] == "INSUFFICIENT_BALANCE"
    assert (await refused(story, "extra-shot"))["field"] == "order"


async def test_a_reward_is_issued_cancelled_and_used(tell: Any) -> None:
    """SQ-8: balance 20, a reward of 15: 5 while it is issued, 20 when it is cancelled."""
    reward = {"id": "five-off", "label": "$5 off", "cost": "15", "kind": "amount",
              "amount": {"USD": "5.00"}, "valid_for": "P30D"}  # fmt: skip
    month_end = {**POINTS, "terms": {"lifetime": {"span": "P12M", "ends": "month"}}}
    story = await tell("2020-07-06T12:00", {**month_end, "rewards": [reward]})
    await story.buys("12.00")
    await story.comes("2020-09-01T12:00")
    await story.buys("8.00")
    lots = await story.lots()

    issued = await redeems(story, "five-off", capture=False)
    assert issued["heldUntil"] == "2020-10-01T16:00:00Z"
    assert await story.available() == "5"
    assert (await story.releases(issued["id"]))["redemption"]["state"] == "RELEASED"
    assert (await story.available(), await story.lots()) == ("20", lots)
    issued = await redeems(story, "five-off", capture=False)
    assert (await story.captures(issued["id"]))["redemption"]["state"] == "CAPTURED"
    assert await story.available() == "5"
    [error] = (await story.releases(issued["id"]))["userErrors"]
    assert error["code"] == "REDEMPTION_STATE"


async def test_what_was_redeemed_stays_what_it_was(tell: Any) -> None:
    story = await tell("2026-01-15T08:30", STARS)
    await story.buys("200.00")
    redeemed = await redeems(story, "fifth-off", order="o-1")
    assert redeemed["reward"] == {
        "id": "fifth-off", "label": "A fifth off pastries", "cost": "60", "kind": "percent",
        "amount": [], "percent": "20", "maximum": [{"currency": "USD", "amount": "3.00"}],
        "item": None, "version": 1,
    }  # fmt: skip
    spent = (await story.asks_for("5", capture=True))["redemption"]
    assert spent["reward"] is None


async def test_limits_count_what_stands(tell: Any) -> None:
    """Once a month: what was given back does not count, and the next month begins anew."""
    monthly = [LADDER[0] | {"limits": [{"times": 1, "period": "month"}]}]
    story = await tell("2026-01-15T08:30", {**POINTS, "rewards": monthly})
    await story.buys("200.00")
    held = await redeems(story, "extra-shot", capture=False)
    error = await refused(story, "extra-shot")
    assert (error["code"], error["field"]) == ("LIMIT_REACHED", "reward")
    assert error["message"] == "a member may have it once a month"
    assert (await seen(story))["extra-shot"]["code"] == "LIMIT_REACHED"
    await story.releases(held["id"])
    assert (await seen(story))["extra-shot"]["available"] is True
    await redeems(story, "extra-shot")
    assert (await refused(story, "extra-shot"))["code"] == "LIMIT_REACHED"
    await story.comes("2026-01-31T23:59")
    assert (await refused(story, "extra-shot"))["code"] == "LIMIT_REACHED"
    await story.comes("2026-02-01T00:00")
    await redeems(story, "extra-shot")
    assert await story.available() == "150"


async def test_of_many_at_once_one_order_takes_one(tell: Any) -> None:
    """Whether or not they meet in one batch: one stands, and no points of the others are gone."""
    story = await tell("2026-01-15T08:30", STARS)
    await story.buys("1000.00")
    payloads = await gather(*(asks_for(story, "extra-shot", order="o-1") for _ in range(8)))
    codes = [one["userErrors"][0]["code"] for one in payloads if one["userErrors"]]
    assert codes == ["LIMIT_REACHED"] * 7
    assert await story.available() == "975"


async def test_a_reserved_reward_is_used_as_a_whole_and_for_an_order_with_room(tell: Any) -> None:
    story = await tell("2026-01-15T08:30", STARS)
    await story.buys("200.00")
    one = await redeems(story, "extra-shot", capture=False)
    two = await redeems(story, "fifth-off", capture=False)

    async def captures(redemption: Any, **more: Any) -> Any:
        given = {"redemption": redemption["id"], "idempotencyKey": story.brand.key(), **more}
        return (await story.brand.service.run(CAPTURE, input=given))["captureRedemption"]

    [error] = (await captures(one))["userErrors"]
    assert (error["code"], error["field"]) == ("BAD_USER_INPUT", "order")
    [error] = (await captures(one, order="o-1", amount="20"))["userErrors"]
    assert (error["code"], error["field"]) == ("BAD_AMOUNT", "amount")
    assert (await captures(one, order="o-1"))["redemption"]["order"] == "o-1"
    [error] = (await captures(two, order="o-1"))["userErrors"]
    assert (error["code"], error["field"]) == ("LIMIT_REACHED", "order")
    assert (await captures(two, order="o-2"))["redemption"]["state"] == "CAPTURED"


async def test_whom_a_reward_is_for_and_when(tell: Any) -> None:
    gated = [
        LADDER[0] | {"when": 'member.attributes.plan == "gold"'},
        LADDER[1] | {"effective": {"starts": "2026-02-01", "ends": "2026-02-28"}},
    ]
    story = await tell("2026-01-15T08:30", {**POINTS, "rewards": gated})
    await story.buys("50.00")
    error = await refused(story, "extra-shot")
    assert (error["code"], error["details"]["part"]) == ("REWARD_NOT_AVAILABLE", "when")
    assert error["details"]["condition"] == 'member.attributes.plan == "gold"'
    error = await refused(story, "brewed")
    assert error["message"] == "it can be redeemed from 2026-02-01 on"

    all_seen = await seen(story)
    assert (all_seen["extra-shot"]["affordable"], all_seen["extra-shot"]["available"]) == (
        True, False,
    )  # fmt: skip
    assert all_seen["brewed"]["whyNot"] == "it can be redeemed from 2026-02-01 on"
    assert (all_seen["brewed"]["affordable"], all_seen["brewed"]["code"]) == (
        False, "REWARD_NOT_AVAILABLE",
    )  # fmt: skip
    await story.comes("2026-03-01T00:00")
    assert (await refused(story, "brewed"))["message"] == "it can be redeemed until 2026-02-28 only"


async def test_who_is_frozen_sees_that_they_can_have_none(tell: Any) -> None:
    story = await tell("2026-01-15T08:30", {**POINTS, "rewards": LADDER[:1]})
    await story.buys("50.00")
    assert (await seen(story))["extra-shot"]["available"]
    await done(story.brand.admin, "freezeMember", member={"externalId": "ada"}, reason="Stolen")
    shown = (await seen(story))["extra-shot"]
    assert (shown["affordable"], shown["available"], shown["code"], shown["whyNot"]) == (
        True, False, "MEMBER_FROZEN", "the member is frozen",
    )  # fmt: skip


async def test_what_is_asked_wrongly_says_what_was_meant(tell: Any) -> None:
    story = await tell("2026-01-15T08:30", STARS)
    error = await refused(story, "extra-shoot", order="o-1")
    assert (error["code"], error["field"]) == ("REWARD_NOT_FOUND", "reward")
    assert error["message"] == "there is no reward extra-shoot: did you mean extra-shot?"
    error = await refused(story, "extra-shot", order="o-1", amount="25")
    assert (error["code"], error["field"]) == ("BAD_USER_INPUT", "amount")
    given = {
        "member": {"externalId": "ada"}, "unit": "stars", "program": "points",
        "idempotencyKey": story.brand.key(),
    }  # fmt: skip
    [error] = (await story.brand.service.run(REDEEM, input=given))["redeemPoints"]["userErrors"]
    assert error["field"] == "amount"


@pytest.mark.parametrize(
    ("reward", "value"), [("extra-shot", "1.00"), ("brewed", "2.50"), ("fifth-off", "2.20")]
)
async def test_what_a_reward_is_worth_in_a_basket(tell: Any, reward: str, value: str) -> None:
    story = await tell("2026-01-15T08:30", STARS)
    basket = story.brand.purchase(
        "ada", "16.00",
        lines=[
            {"id": "1", "amount": "5.00", "quantity": "2", "sku": "COFFEE", "category": "drinks"},
            {"id": "2", "amount": "11.00", "category": "pastry/croissant"},
        ],
    )  # fmt: skip
    worth = await story.brand.service.run(
        REWARD_VALUE, program="points", reward=reward, input=basket
    )
    assert worth["rewardValue"] == {
        "value": {"currency": "USD", "amount": value}, "userErrors": [],
    }  # fmt: skip
