"""The template starbucks-2026 as Green sees it; Gold and Reserve come with a program of tiers."""

from typing import Any

SPEND, DOUBLE = "1 Star a dollar", "Double Star day"
QUALIFYING = "qualifying_stars"


async def test_green_earns_a_star_a_dollar_and_as_many_that_qualify(starts: Any) -> None:
    """SB-5 up to the tier: 490 that qualify, and 10 more make 500."""
    story = await starts("starbucks-2026", "2026-03-10T08:30")
    await story.buys("490.00")

    purchase = await story.buys("10.00")

    assert story.given(purchase) == {SPEND: "10.00"}
    assert story.given(purchase, QUALIFYING) == {SPEND: "10.00"}
    assert (await story.available(), await story.available(QUALIFYING)) == ("500.00", "500.00")
    await story.redeems(reward="two-off", order="o-1", capture=True)
    assert (await story.available(), await story.available(QUALIFYING)) == ("440.00", "500.00")


async def test_a_double_day_doubles_stars_and_not_what_qualifies(starts: Any) -> None:
    story = await starts("starbucks-2026", "2026-04-06T08:30")  # the first Monday

    purchase = await story.buys("10.00")
    assert story.given(purchase) == {SPEND: "10.00", DOUBLE: "10.00"}
    assert story.given(purchase, QUALIFYING) == {SPEND: "10.00"}
    await story.comes("2026-04-13T08:30")
    assert story.given(await story.buys("10.00")) == {SPEND: "10.00"}

    await story.brings_back(purchase)
    assert (await story.available(), await story.available(QUALIFYING)) == ("10.00", "10.00")


async def test_green_stars_live_on_with_activity_in_every_month(starts: Any) -> None:
    story = await starts("starbucks-2026", "2026-03-15T08:30")
    await story.buys("30.00")
    assert await story.lots() == [("2026-10-01", "30.00")]

    await story.comes("2026-09-20T08:30")
    await story.does("reload")
    assert await story.lots() == [("2026-11-01", "30.00")]
    await story.comes("2026-10-31T08:30")
    await story.does("app_order")
    assert await story.lots() == [("2026-12-01", "30.00")]
    await story.comes("2026-12-01T00:00")
    assert await story.available() == "0.00"


async def test_a_treat_on_the_birthday_once_a_year(starts: Any) -> None:
    story = await starts("starbucks-2026", "2026-06-14T08:30")
    treats = []
    assert (await story.does("birthday_treat"))["earned"] == [], "no birthday is known"
    await story.is_known(birthday="06-15")
    for at in ("2026-06-14", "2026-06-15", "2026-06-15", "2026-06-16", "2027-06-15"):
        await story.comes(f"{at}T09:00")
        treats.append(len((await story.does("birthday_treat"))["earned"]))

    assert treats == [0, 1, 0, 0, 1]
    assert await story.available("birthday_treats") == "1", "that of the year before has ended"
