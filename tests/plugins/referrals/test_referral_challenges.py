"""A challenge as a reward: a ladder of tiers beside the program begins it, and lets it go again."""

from typing import Any

from tests.graphql.standings import STANDINGS

REWARD = {"id": "dash", "label": "A gold dash", "challenge": "gold-dash"}
DASH = {
    "id": "gold-dash",
    "label": "A gold dash",
    "tier": "gold",
    "lasts": "P30D",
    "qualify": [{"needs": {"spend": "100"}}],
}


async def begun(circle: Any, side: str = "friend", **dash: Any) -> Any:
    """Bob was brought by Ada and has ordered; the return window is of 14 days."""
    story = await circle(rewards={side: [REWARD]})
    ladder = {
        "metrics": [{"id": "spend", "label": "Spend", "count": "spend", "currency": "USD"}],
        "tiers": [{"id": "gold", "label": "Gold", "qualify": [{"needs": {"spend": "1000"}}]}],
        "challenges": [DASH | dash],
    }
    await story.brand.run_program("status", ladder, kind="tiers")
    await story.works()
    await story.enrolls("ada")
    await story.brings("ada", "bob")
    return story, await story.buys("bob", "120.00")


async def standing(story: Any, name: str = "bob") -> tuple[str | None, str, str | None]:
    """The tier, why, and the challenge under way."""
    data = await story.brand.service.run(STANDINGS, by={"externalId": name})
    (found,) = data["member"]["standings"]
    tier, under_way = found["tier"], found["challenge"]
    return tier and tier["id"], found["reason"], under_way and under_way["id"]


async def test_it_begins_when_the_return_window_closes(circle: Any) -> None:
    story, _ = await begun(circle)
    await story.passes(days=13, hours=23)
    assert await standing(story) == (None, "START", None)
    await story.passes(hours=2)
    assert await standing(story) == (None, "START", "gold-dash")
    await story.buys("bob", "99.00")
    assert await standing(story) == (None, "START", "gold-dash")
    await story.buys("bob", "1.00")
    assert await standing(story) == ("gold", "CHALLENGE", None)


async def test_it_ends_unmet_and_is_not_begun_again(circle: Any) -> None:
    story, _ = await begun(circle)
    await story.passes(days=15)
    await story.passes(days=31)
    await story.buys("bob", "100.00")
    assert await standing(story) == (None, "START", None)


async def test_an_order_that_comes_back_in_the_window_begins_none(circle: Any) -> None:
    story, order = await begun(circle)
    await story.brings_back(order)
    await story.passes(days=15)
    assert await standing(story) == (None, "START", None)


async def test_an_order_that_comes_back_later_ends_it(circle: Any) -> None:
    story, order = await begun(circle)
    await story.passes(days=15)
    await story.brings_back(order)
    assert await standing(story) == (None, "START", None)
    await story.buys("bob", "100.00")
    await story.passes(days=15)  # another order, another window
    assert await standing(story) == (None, "START", "gold-dash")


async def test_the_tier_that_was_lent_meanwhile_goes_with_it(circle: Any) -> None:
    story, order = await begun(circle, meanwhile=True)
    await story.passes(days=15)
    assert await standing(story) == ("gold", "CHALLENGE", "gold-dash")
    await story.brings_back(order)
    assert await standing(story) == (None, "RETURNED", None)


async def test_what_was_reached_by_it_stays(circle: Any) -> None:
    story, order = await begun(circle)
    await story.passes(days=15)
    await story.buys("bob", "100.00")
    await story.brings_back(order)
    assert await standing(story) == ("gold", "CHALLENGE", None)


async def test_one_waits_for_the_end_of_another(circle: Any) -> None:
    story, _ = await begun(circle, side="referrer", times=2)
    await story.brings("ada", "cem")
    await story.buys("cem", "120.00")
    for days in (15, 29, 2):
        await story.passes(days=days)
        assert await standing(story, "ada") == (None, "START", "gold-dash")
    await story.passes(days=30)
    assert await standing(story, "ada") == (None, "START", None)
