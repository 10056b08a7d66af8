"""The template casino-day: the levels of a gaming day, and surprises within a budget."""

from typing import Any

from tests.graphql.documents import ACTIVITY

PLAY, DAY, SURPRISE = "1 credit for every 5 dollars", "Bonus of the gaming day", "A surprise"
TIER = "tier_credits"


async def test_a_gaming_day_gives_only_the_highest_level_reached(starts: Any) -> None:
    """CA-1: $12,500 in one gaming day: 2,500 reward credits and 7,500 tier credits."""
    story = await starts("casino-day", "2026-03-10T22:00")

    first = await story.buys("2500.00")
    assert (story.given(first), story.given(first, TIER)) == (
        {PLAY: "500"}, {PLAY: "500", DAY: "125"},
    )  # fmt: skip
    await story.comes("2026-03-11T05:59")
    second = await story.buys("10000.00")
    assert (story.given(second), story.given(second, TIER)) == (
        {PLAY: "2000"}, {PLAY: "2000", DAY: "4875"},
    )  # fmt: skip
    assert (await story.available(), await story.available(TIER)) == ("2500", "7500")

    await story.comes("2026-03-11T06:00")
    third = await story.buys("2499.99")
    assert (story.given(third), story.given(third, TIER)) == ({PLAY: "499"}, {PLAY: "499"})


async def test_what_is_undone_takes_its_credits_and_what_it_gave_of_the_bonus(starts: Any) -> None:
    story = await starts("casino-day", "2026-03-10T22:00")
    await story.buys("2500.00")
    second = await story.buys("10000.00")

    await story.brings_back(second)

    assert (await story.available(), await story.available(TIER)) == ("500", "625")


async def test_credits_live_on_with_play_and_a_status_is_of_a_year(starts: Any) -> None:
    story = await starts("casino-day", "2026-03-10T22:00")
    await story.buys("100.00")
    assert await story.lots() == [("2026-09-11", "20")]
    await story.comes("2026-06-01T20:00")
    await story.buys("50.00")
    assert await story.lots() == [("2026-12-02", "30")]

    await story.redeems("25", capture=True)
    await story.comes("2026-12-02T00:00")
    assert await story.available() == "0"
    await story.comes("2027-12-31T23:59:59")
    assert await story.available(TIER) == "30"
    await story.comes("2028-01-01T00:00")
    assert await story.available(TIER) == "0"


def _always(config: Any) -> None:
    """Every swipe wins 50, and the budget of a month is 120."""
    [surprise] = [rule for rule in config["rules"] if rule["id"] == "surprise"]
    surprise["chance"] = {
        "odds": "sure", "probability": "1", "prizes": [{"points": "50", "weight": "1"}],
    }  # fmt: skip
    surprise["caps"][0]["points"] = "120"


async def test_one_surprise_a_gaming_day_and_a_budget_that_holds(starts: Any) -> None:
    """CA-3, with a draw that is always won: what is left is the limit and the budget."""
    story = await starts("casino-day", "2026-03-10T22:00", _always)
    won = []
    for at in (
        "2026-03-10T22:00", "2026-03-11T05:59", "2026-03-11T06:00", "2026-03-12T06:00",
        "2026-03-13T06:00", "2026-04-01T06:00",
    ):  # fmt: skip
        await story.comes(at)
        won.append(story.given(await story.does("swipe", kiosk="north")).get(SURPRISE))

    assert won == ["50", None, "50", "20", None, "50"]
    assert await story.available() == "170"


async def test_the_same_swipe_never_rolls_twice(starts: Any) -> None:
    """CA-3 with the odds as they ship: whatever fell, it is what is answered again."""
    story = await starts("casino-day", "2026-03-10T22:00")
    for day in range(10, 30):
        await story.comes(f"2026-03-{day}T22:00", swept=False)
        given = {
            "member": {"externalId": "ada"}, "source": "kiosk", "externalId": f"swipe-{day}",
            "type": "swipe", "occurredAt": story.brand.now(), "attributes": {"kiosk": "north"},
        }  # fmt: skip
        run = story.brand.service.run
        first = (await run(ACTIVITY, input=given))["recordActivity"]
        before = await story.available()
        again = (await run(ACTIVITY, input=given))["recordActivity"]

        assert (first["replayed"], again["replayed"]) == (False, True)
        assert again["earned"] == first["earned"]
        assert await story.available() == before
        assert all(one["amount"] in ("50", "200", "1000") for one in first["earned"])
