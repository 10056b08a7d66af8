"""What is counted and how: paths, metrics, periods."""

from typing import Any

from tests.plugins.tiers.recorded.conftest import POINTS, SPEND, Begin, step

SEGMENTS = {"id": "segments", "label": "Segments", "count": "activities", "types": ["flight"]}
MILES = SEGMENTS | {"id": "miles", "label": "Miles", "attribute": "miles"}
ALASKA = SEGMENTS | {"id": "alaska", "label": "On Alaska", "where": {"carrier": ["AS"]}}


async def test_either_of_two_paths_each_with_a_minimum_part(club: Begin) -> None:
    """AS-2: (20,000 miles or 30 segments) and at least 2 segments on Alaska."""
    paths = [{"miles": "20000", "alaska": "2"}, {"segments": "30", "alaska": "2"}]
    air = await club(
        "2021-03-01T12:00", metrics=[MILES, SEGMENTS, ALASKA], tiers=[step("mvp", *paths)]
    )
    ada, eve = await air.world.member(), await air.world.member()
    for _ in range(20):
        await air.flies(ada, miles=1000, carrier="AA")
    await air.flies(ada, miles="1000.0", carrier="AS")
    assert await air.tier(ada) == ""
    await air.flies(ada, miles=1, carrier="AS")
    assert await air.tier(ada) == "mvp"

    for flight in range(30):
        assert await air.tier(eve) == ""
        await air.flies(eve, miles=400, carrier="AS" if flight < 2 else "AA")
    assert await air.tier(eve) == "mvp"


async def test_tier_credits_of_one_gaming_day(club: Begin) -> None:
    """CA-1: $12,500 in one gaming day: 2,500 credits and a bonus of 5,000: Platinum in a day."""
    levels = [("500", "125"), ("1000", "1000"), ("2500", "5000"), ("5000", "10000")]
    rules: list[dict[str, Any]] = [
        {
            "id": "credits", "label": "Tier credits", "accounting_class": "MARKETING",
            "points": "1", "per": {"USD": "5.00"},
        },
        {
            "id": "day", "label": "Of the day", "accounting_class": "MARKETING",
            "per": {"USD": "5.00"}, "over": {"period": "day", "day_starts_at": "06:00"},
            "levels": [{"from": level, "points": given} for level, given in levels],
        },
    ]  # fmt: skip
    tiers = [
        step("gold"), step("platinum", {"credits": "5000"}), step("diamond", {"credits": "15000"}),
        step("elite", {"credits": "75000"}), step("seven", {"credits": "150000"}),
    ]  # fmt: skip
    earned = POINTS | {"id": "credits", "label": "Tier credits", "programs": ["tier-credits"]}
    casino = await club("2026-03-01T12:00", metrics=[earned], tiers=tiers)
    await casino.world.run_program("tier-credits", {"unit": "points", "rules": rules})
    ada = await casino.world.member()
    for at, total in (("2026-03-01T12:30", "5000.00"), ("2026-03-02T05:59", "7500.00")):
        await casino.comes(at)
        await casino.buys(ada, total)
    assert await casino.tier(ada) == "platinum"
    assert await casino.points(ada) == 12_500 + 7_500


async def test_visits_by_day_and_spend_of_categories(club: Begin) -> None:
    visits = {"id": "visits", "label": "Visits", "count": "visits", "by_day": True}
    tiers = [step("silver", {"visits": "2"}), step("gold", {"visits": "3", "spend": "100"})]
    shop = await club("2026-03-01T12:00", metrics=[visits, SPEND], tiers=tiers)
    ada = await shop.world.member()
    for _ in range(5):
        await shop.buys(ada, "10.00")
    assert await shop.tier(ada) == ""
    await shop.comes("2026-03-02T12:00")
    await shop.buys(ada, "40.00")
    assert await shop.tier(ada) == "silver"
    await shop.comes("2026-03-03T12:00")
    await shop.buys(ada, "9.99")
    assert await shop.tier(ada) == "silver"
    await shop.buys(ada, "0.01")
    assert await shop.tier(ada) == "gold"


async def test_the_year_of_membership_begins_with_the_day_of_enrolment(club: Begin) -> None:
    shop = await club(
        "2026-03-10T09:00", metrics=[SPEND], period={"kind": "membership"},
        tiers=[step("basic"), step("gold", {"spend": "100"})],
    )  # fmt: skip
    ada = await shop.world.member()
    await shop.comes("2027-03-09T23:59")
    await shop.buys(ada, "99.00")
    await shop.comes("2027-03-10T00:00")
    await shop.buys(ada, "99.00")
    assert await shop.tier(ada) == ""
    await shop.buys(ada, "1.00")
    assert await shop.tier(ada) == "gold"
    assert await shop.until(ada) == "2029-03-10T00:00"


async def test_for_life_by_what_was_ever_counted(club: Begin) -> None:
    ever = SPEND | {"id": "ever", "over": {"kind": "lifetime"}}
    gold = step("gold", {"spend": "100"}, lifetime=[{"needs": {"ever": "250"}}])
    shop = await club("2026-03-10T09:00", metrics=[SPEND, ever], tiers=[step("basic"), gold])
    ada = await shop.world.member()
    for year in ("2026", "2027", "2028"):
        await shop.comes(f"{year}-05-01T12:00")
        await shop.buys(ada, "100.00")
    assert [told[1:] for told in await shop.told(ada)] == [
        ("UP", "gold", "REACHED"), ("SAME", "gold", "KEPT"), ("SAME", "gold", "KEPT"),
    ]  # fmt: skip
    assert await shop.until(ada) is None
    await shop.comes("2040-01-01T12:00")
    assert await shop.tier(ada) == "gold"


async def test_corrections_by_hand_count_where_the_ladder_says_so(club: Begin) -> None:
    given = POINTS | {"adjustments": True}
    shop = await club("2026-03-10T09:00", metrics=[given], tiers=[step("gold", {"points": "100"})])
    ada = await shop.world.member()
    await shop.world.give(ada, 100)
    assert await shop.tier(ada) == "gold"


async def test_the_next_period_begins_it(club: Begin) -> None:
    shop = await club(
        "2026-03-10T09:00", metrics=[SPEND], upgrade="next_period",
        tiers=[step("basic"), step("gold", {"spend": "100"})],
    )  # fmt: skip
    ada = await shop.world.member()
    await shop.buys(ada, "100.00")
    assert await shop.told(ada) == []
    assert await shop.tier(ada, "2026-12-31T23:59:59") == ""
    assert await shop.tier(ada, "2027-01-01T00:00") == "gold"
    await shop.comes("2027-01-01T00:00")
    assert await shop.told(ada) == [("2027-01-01T00:00", "UP", "gold", "REACHED")]
    assert await shop.until(ada) == "2028-01-01T00:00"


async def test_two_ladders_stand_for_themselves(club: Begin) -> None:
    shop = await club("2026-03-10T09:00", metrics=[SPEND], tiers=[step("gold", {"spend": "100"})])
    other = {"metrics": [SPEND], "tiers": [step("fan"), step("superfan", {"spend": "10"})]}
    await shop.world.run_program("fans", other, kind="tiers")
    ada = await shop.world.member()
    await shop.buys(ada, "10.00")
    assert (await shop.tier(ada), await shop.tier(ada, slug="fans")) == ("", "superfan")
    await shop.buys(ada, "90.00")
    assert (await shop.tier(ada), await shop.tier(ada, slug="fans")) == ("gold", "superfan")
