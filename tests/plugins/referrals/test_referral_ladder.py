"""Steps for the first, the third and the fifth friend; limits; and what returns do to them."""

import asyncio
from typing import Any

import pytest

from loyalty.errors import Refused
from tests.plugins.referrals.circle import FRIENDS

LADDER: dict[str, Any] = {
    "referrer": [{"id": "each", "label": "A friend", "unit": "points", "amount": "10"}],
    "ladder": [
        {"id": "first", "label": "First friend", "friends": 1, "unit": "points", "amount": "100"},
        {"id": "third", "label": "Third friend", "friends": 3, "unit": "points", "amount": "1000"},
    ],
}


async def brings(story: Any, *friends: str) -> list[Any]:
    """Friends of Ada who order for 30.00; answers their orders."""
    orders = []
    for friend in friends:
        await story.brings("ada", friend)
        orders.append(await story.buys(friend, "30.00"))
    return orders


async def pending(story: Any) -> int:
    available, waiting, owed = await story.has("ada")
    assert (available, owed) == ("0", "0")
    return int(waiting)


async def test_each_step_is_given_once_when_so_many_friends_stand(circle: Any) -> None:
    story = await circle(rewards=LADDER)
    await story.enrolls("ada")
    seen = []
    for friend in "bcde":
        await brings(story, friend)
        seen.append(await pending(story))
    assert seen == [110, 120, 1130, 1140]


async def test_a_step_falls_when_any_friends_order_comes_back(circle: Any) -> None:
    """Not only that of the friend who reached it: four of five could come back otherwise."""
    story = await circle(rewards=LADDER)
    await story.enrolls("ada")
    first, _, last = await brings(story, "b", "c", "d")
    assert await pending(story) == 1130

    await story.brings_back(first)
    assert await pending(story) == 120

    await brings(story, "e")
    assert await pending(story) == 1130
    await story.brings_back(last)
    assert await pending(story) == 120


async def test_a_step_stays_where_enough_friends_stand_without_the_one_who_reached_it(
    circle: Any,
) -> None:
    story = await circle(rewards=LADDER)
    await story.enrolls("ada")
    orders = await brings(story, "b", "c", "d", "e")
    assert await pending(story) == 1140

    await story.brings_back(orders[2])
    assert await pending(story) == 1130
    await story.brings_back(orders[0])
    assert await pending(story) == 120
    for order in (orders[1], orders[3]):
        await story.brings_back(order)
    assert await pending(story) == 0


async def test_everything_at_once_ends_at_the_same(circle: Any) -> None:
    """Orders and returns that the worker comes to only later, all in one go."""
    story = await circle(rewards=LADDER)
    await story.enrolls("ada")
    orders = []
    for friend in "bcdef":
        await story.brings("ada", friend)
        orders.append(await story.buys(friend, "30.00", worked=False))
    await story.works()
    assert await pending(story) == 1150
    for order in orders[1:4]:
        await story.brings_back(order, worked=False)
    await story.works()
    assert await pending(story) == 120
    for order in (orders[0], orders[4]):
        await story.brings_back(order, worked=False)
    await story.works()
    assert await pending(story) == 0


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ({"times": 2, "period": "month"}, 120),
        ({"times": 2, "period": "lifetime", "per": "program"}, 120),
        ({"times": 3, "period": "month"}, 1130),
    ],
)
async def test_friends_beyond_the_limit_give_nothing_and_are_no_step(
    circle: Any, limit: Any, expected: int
) -> None:
    story = await circle(rewards=LADDER, limits=[limit])
    await story.enrolls("ada")
    await brings(story, "b", "c", "d", "e")
    assert await pending(story) == expected
    beyond = [one["beyondLimit"] for one in (await story.of("ada"))["referrals"]]
    assert sum(beyond) == 4 - limit["times"]


async def test_a_return_makes_room_under_the_limit_and_a_new_month_does(circle: Any) -> None:
    story = await circle(rewards=LADDER, limits=[{"times": 1, "period": "month"}])
    await story.enrolls("ada")
    (order,) = await brings(story, "b")
    await story.brings_back(order)
    await brings(story, "c", "d")
    assert await pending(story) == 110

    await story.passes(days=31)
    await brings(story, "e")
    assert await story.has("ada") == ("110", "10", "0")


@pytest.mark.parametrize(
    ("spent", "kept", "next_one"),
    [("500", "0", "0"), ("1", "0", "0"), (None, "0", "500")],
    ids=["all spent", "a point spent", "none spent"],
)
async def test_who_spent_a_reward_that_the_program_bears_had_that_friend(
    circle: Any, spent: str | None, kept: str, next_one: str
) -> None:
    """Else one friend after the other could order, and bring back once the reward was spent."""
    reward = FRIENDS["rewards"]["referrer"][0] | {"take_back": "clamp"}
    story = await circle(
        hold_days=0, limits=[{"times": 1, "period": "lifetime"}], rewards={"referrer": [reward]}
    )
    await story.enrolls("ada")
    (order,) = await brings(story, "bob")
    assert await story.has("ada") == ("500", "0", "0")
    if spent is not None:
        await story.takes("ada", f"-{spent}")
    await story.brings_back(order)
    assert await story.has("ada") == (kept, "0", "0")

    for friend in ("carl", "dora"):  # the one after the next is beyond in any case
        await brings(story, friend)
        assert await story.has("ada") == (next_one, "0", "0")


@pytest.mark.parametrize(
    "given",
    [{"referrer": [{"id": "dash", "label": "A dash", "challenge": "gold-dash"}]}, {}],
    ids=["a challenge", "steps alone"],
)
async def test_limits_hold_where_no_unit_is_given(circle: Any, given: Any) -> None:
    """A part that comes back and leaves too little makes room as a whole order does."""
    rewards = LADDER | {"referrer": []} | given
    story = await circle(rewards=rewards, limits=[{"times": 2, "period": "month"}])
    await story.enrolls("ada")
    first, *_ = await brings(story, "b", "c", "d")
    await story.brings_back(first, {"id": "1", "amount": "5.01"})
    await brings(story, "e", "f")
    beyond = [one["beyondLimit"] for one in (await story.of("ada"))["referrals"]]
    assert beyond == [True, False, True, False, False]
    assert await pending(story) == 100

    await story.brings_back(first)
    await brings(story, "g")
    assert (await story.of("ada"))["referrals"][0]["beyondLimit"]


async def test_a_step_can_be_used_when_the_windows_of_so_many_friends_have_closed(
    circle: Any,
) -> None:
    """Also where the friend who reaches it was held until the own window closed."""
    ladder = [{"id": "two", "label": "Two", "friends": 2, "unit": "points", "amount": "1000"}]
    story = await circle(rewards={"ladder": ladder})
    await story.enrolls("ada", address="1 Main Street")
    await story.brings("ada", "held", address="1 Main Street")
    await story.buys("held", "30.00")
    await story.passes(days=13)
    await brings(story, "b")
    await story.passes(days=2)
    await story.reviews("held", release=True)
    assert await story.has("ada") == ("0", "1000", "0")
    await story.passes(days=12)
    assert await story.has("ada") == ("1000", "0", "0")


async def test_any_unit_and_a_challenge_may_be_given(circle: Any, written: Any) -> None:
    """Cashback to one side; to the other a challenge that another program begins."""
    rewards = {
        "referrer": [{"id": "money", "label": "Money", "unit": "cash", "amount": "7.50",
                      "accounting_class": "CASHBACK", "lifetime": {"span": "P30D"}}],
        "friend": [{"id": "dash", "label": "Gold dash", "challenge": "gold-dash"}],
    }  # fmt: skip
    story = await circle(units={"cash": 2}, rewards=rewards)
    await story.enrolls("ada")
    await story.brings("ada", "bob")
    order = await story.buys("bob", "30.00")

    assert await story.has("ada", "cash") == ("0.00", "7.50", "0.00")
    told = (await written(story.brand.tenant_id))["outbox"]
    assert ["gold-dash" in one for one in told if "referrals.rewarded" in one] == [True, False]

    await story.passes(days=14)
    assert await story.has("ada", "cash") == ("7.50", "0.00", "0.00")
    await story.brings_back(order)
    assert await story.has("ada", "cash") == ("0.00", "0.00", "0.00")
    told = (await written(story.brand.tenant_id))["outbox"]
    assert sum("gold-dash" in one for one in told if "referrals.withdrawn" in one) == 1


async def test_what_a_unit_has_no_places_for_is_no_reward(circle: Any) -> None:
    """It was given rounded down: half a point was nothing."""
    for unit, amount in (("points", "0.5"), ("cash", "7.505")):
        rewards = {"friend": [{"id": "x", "label": "X", "unit": unit, "amount": amount}]}
        with pytest.raises(Refused, match=r"rewards\.friend\.0\.amount"):
            await circle(units={"cash": 2}, rewards=rewards)


async def test_what_was_spent_is_owed_when_the_order_comes_back(circle: Any) -> None:
    story = await circle(hold_days=0)
    await story.enrolls("ada")
    await story.brings("ada", "bob")
    order = await story.buys("bob", "30.00")
    assert await story.has("ada") == ("500", "0", "0")
    await story.takes("ada", "-480")
    await story.brings_back(order)
    assert (await story.has("ada"), await story.has("bob")) == (("0", "0", "480"), ("0", "0", "0"))


async def test_many_friends_who_order_at_once_keep_to_the_limit_and_reach_each_step_once(
    circle: Any,
) -> None:
    """Two workers at once, beside the orders themselves."""
    story = await circle(rewards=LADDER, limits=[{"times": 3, "period": "month"}])
    await story.enrolls("ada")
    friends = [f"f{number}" for number in range(12)]
    for friend in friends:
        await story.brings("ada", friend)
    await asyncio.gather(
        *(story.buys(friend, "30.00", worked=False) for friend in friends),
        story.works(),
        story.works(),
    )
    await asyncio.gather(story.works(), story.works())
    await story.works()
    assert await pending(story) == 1130
    beyond = [one["beyondLimit"] for one in (await story.of("ada"))["referrals"]]
    assert sum(beyond) == 9
