"""The template square: the best of several ways to earn, promotions, rewards that are cancelled."""

from typing import Any

import pytest

from tests.graphql.documents import ADJUST

SPEND, BEANS = "1 point for every 10 dollars", "3 points for each bag of beans"
HAPPY, SEASON = "Happy hour", "Something of the season"
TUESDAY = "2020-07-07T14:30"


async def test_a_point_for_every_ten_dollars(starts: Any) -> None:
    """SQ-1: $105 give 10; what is excluded gives nothing."""
    story = await starts("square", "2020-07-06T12:00")

    assert story.given(await story.buys("105.00")) == {SPEND: "10"}
    wine = [{"id": "1", "amount": "105.00", "category": "alcohol/wine"}]
    assert story.given(await story.buys("105.00", lines=wine)) == {}


@pytest.mark.parametrize(
    ("total", "factor", "base", "more"),
    [("40.00", "1.5", "4", "2"), ("50.00", "1.5", "5", "2"), ("50.00", "3", "5", "10")],
)
async def test_a_promotion_multiplies_and_drops_the_fraction(
    starts: Any, total: str, factor: str, base: str, more: str
) -> None:
    """SQ-2: base 4 x1.5 is 6 in all; base 5 x1.5 is 7, x3 is 15."""

    def change(config: Any) -> None:
        config["rules"][2]["bonus"]["factor"] = factor

    story = await starts("square", TUESDAY, change)
    assert story.given(await story.buys(total)) == {SPEND: base, HAPPY: more}


async def test_of_two_ways_to_earn_the_best_gives(starts: Any) -> None:
    """SQ-3: 8 by spend and 12 by items: 12 only."""
    story = await starts("square", "2020-07-06T12:00")
    four = [{"id": "1", "amount": "80.00", "quantity": "4", "category": "coffee-beans"}]
    one = [{"id": "1", "amount": "80.00", "quantity": "1", "category": "coffee-beans"}]

    assert story.given(await story.buys("80.00", lines=four)) == {BEANS: "12"}
    assert story.given(await story.buys("80.00", lines=one)) == {SPEND: "8"}


async def test_once_a_day_and_other_promotions_still_apply(starts: Any) -> None:
    """SQ-5: the second purchase of the day has the base, and what else is on."""
    story = await starts("square", TUESDAY)
    season = [{"id": "1", "amount": "40.00", "category": "seasonal"}]

    first = await story.buys("40.00", lines=season)
    second = await story.buys("40.00", lines=season)
    await story.comes("2020-07-07T17:00")
    late = await story.buys("40.00")
    await story.comes("2020-07-14T14:00")
    next_week = await story.buys("40.00")

    assert story.given(first) == {SPEND: "4", HAPPY: "2", SEASON: "2"}
    assert story.given(second) == {SPEND: "4", SEASON: "2"}
    assert story.given(late) == {SPEND: "4"}
    assert story.given(next_week) == {SPEND: "4", HAPPY: "2"}


@pytest.mark.parametrize(("base", "points"), [("net", {}), ("net_with_tax", {SPEND: "1"})])
async def test_before_or_after_tax(starts: Any, base: str, points: Any) -> None:
    """SQ-6: goods of $9.50 and tax of $0.76."""
    story = await starts(
        "square", "2020-07-06T12:00", lambda config: config["rules"][0].update(base=base)
    )
    goods = [{"id": "1", "amount": "9.50", "tax": "0.76"}]

    purchase = await story.buys("10.26", lines=goods, taxIncluded=False)

    assert story.given(purchase) == points


async def test_points_of_july_are_usable_through_july_of_the_next_year(starts: Any) -> None:
    """SQ-7: earned 2020-07-06, usable through 2021-07-31, gone on 2021-08-01."""
    story = await starts("square", "2020-07-06T12:00")
    await story.buys("200.00")
    assert await story.lots() == [("2021-08-01", "20")]

    await story.comes("2021-07-31T23:59:59")
    assert await story.available() == "20"
    await story.comes("2021-08-01T00:00")
    assert await story.available() == "0"


async def test_a_reward_is_cancelled_before_it_is_used_and_not_afterwards(starts: Any) -> None:
    """SQ-8: balance 20, reward of 15; the deadlines sum to the balance at all times."""
    story = await starts("square", "2020-07-06T12:00")
    await story.buys("120.00")
    await story.comes("2020-09-01T12:30")
    await story.buys("80.00")
    lots = await story.lots()
    assert lots == [("2021-08-01", "12"), ("2021-10-01", "8")]

    reward = await story.redeems(reward="five-off")
    assert await story.lots() == [("2021-10-01", "5")]
    await story.releases(reward)
    assert await story.lots() == lots

    reward = await story.redeems(reward="five-off", capture=True)
    assert await story.available() == "5"
    for undone in (await story.releases(reward), await story.reverses(reward)):
        assert undone["redemption"] is None
    assert await story.available() == "5"


async def test_a_balance_goes_below_nothing_only_where_that_is_said(starts: Any) -> None:
    """SQ-9: -10 at a balance of 4: refused; allowed, the member owes 6."""
    story = await starts("square", "2020-07-06T12:00")
    await story.buys("40.00")

    async def adjusts(**more: Any) -> Any:
        given = {
            "member": {"externalId": "ada"}, "unit": "points", "amount": "-10",
            "reasonCode": "CORRECTION", "idempotencyKey": story.brand.key(), **more,
        }  # fmt: skip
        return (await story.brand.admin.run(ADJUST, input=given))["adjustBalance"]["userErrors"]

    [refused] = await adjusts()
    assert refused["code"] == "INSUFFICIENT_BALANCE"
    assert await adjusts(allowDeficit=True) == []
    balance = await story.has()
    assert (balance["available"], balance["deficit"]) == ("0", "6")


async def test_a_return_takes_the_bonus_with_it(starts: Any) -> None:
    story = await starts("square", TUESDAY)
    purchase = await story.buys("50.00")
    assert await story.available() == "7"

    await story.brings_back(purchase)

    assert await story.available() == "0"
