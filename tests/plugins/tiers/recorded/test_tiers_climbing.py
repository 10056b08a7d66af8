"""Ladders at work: what is counted, when a tier begins, and when it ends."""

from tests.plugins.tiers.recorded.conftest import POINTS, SPEND, Begin, step

STARBUCKS = {
    "metrics": [POINTS],
    "period": {"kind": "rolling", "months": 12},
    "validity": {"lasts": "span", "span": "P12M"},
    "tiers": [step("green"), step("gold", {"points": "500"}), step("reserve", {"points": "2500"})],
}
GOLD_RULE = {
    "id": "gold",
    "label": "Gold",
    "accounting_class": "MARKETING",
    "points": "0.2",
    "per": {"USD": "1.00"},
    "when": '"gold" in member.tiers',
}


async def test_gold_at_once_and_the_next_purchase_earns_more(club: Begin) -> None:
    """SB-5: Green with 490 pays $10: +10 and Gold; the next $10 give 12."""
    shop = await club("2026-05-01T12:00", rules=[GOLD_RULE], **STARBUCKS)
    ada = await shop.world.member()
    await shop.buys(ada, "490.00")
    assert await shop.points(ada) == 490
    assert await shop.told(ada) == []

    await shop.comes("2026-05-20T09:00")
    await shop.buys(ada, "10.00")
    assert await shop.points(ada) == 500
    assert await shop.told(ada) == [("2026-05-20T09:00", "UP", "gold", "REACHED")]
    assert await shop.tier(ada) == "gold"
    await shop.buys(ada, "10.00")
    assert await shop.points(ada) == 512


async def test_499_in_the_year_is_green_again(club: Begin) -> None:
    """SB-6: Gold reached on 20 May lasts through 19 May; 499 in that year: Green on 20 May."""
    shop = await club("2026-05-20T09:00", **STARBUCKS)
    ada = await shop.world.member()
    await shop.buys(ada, "500.00")
    assert await shop.until(ada) == "2027-05-20T00:00"
    await shop.comes("2026-12-01T12:00")
    await shop.buys(ada, "499.00")

    assert await shop.tier(ada, "2027-05-19T23:59:59") == "gold"
    assert await shop.tier(ada, "2027-05-20T00:00") == "green"  # known before anybody looks
    await shop.comes("2027-05-21T03:00")
    assert await shop.told(ada) == [
        ("2026-05-20T09:00", "UP", "gold", "REACHED"),
        ("2027-05-20T00:00", "DOWN", "green", "NOT_KEPT"),
    ]
    assert await shop.points(ada) == 999


async def test_500_in_the_year_keep_it(club: Begin) -> None:
    shop = await club("2026-05-20T09:00", **STARBUCKS)
    ada = await shop.world.member()
    await shop.buys(ada, "500.00")
    await shop.comes("2026-12-01T12:00")
    await shop.buys(ada, "499.00")
    await shop.buys(ada, "1.00")
    assert await shop.tier(ada, "2027-05-20T00:00") == "gold"
    await shop.comes("2027-05-20T00:00")
    assert await shop.told(ada) == [
        ("2026-05-20T09:00", "UP", "gold", "REACHED"),
        ("2027-05-20T00:00", "SAME", "gold", "KEPT"),
    ]
    assert await shop.until(ada) == "2028-05-20T00:00"


async def test_the_rules_of_2024(club: Begin) -> None:
    """AS-4: 39,999 is MVP; 40,000 on 10 September is Gold through 2025; 20,500 in 2025: MVP."""
    ladder = {
        "metrics": [SPEND],
        "tiers": [
            step("mvp", {"spend": "20000"}), step("gold", {"spend": "40000"}),
            step("gold75", {"spend": "75000"}), step("gold100", {"spend": "100000"}),
        ],
    }  # fmt: skip
    air = await club("2024-08-01T12:00", **ladder)
    ada = await air.world.member()
    assert await air.tier(ada) == ""
    await air.buys(ada, "39999.00")
    assert await air.tier(ada) == "mvp"
    await air.comes("2024-09-10T12:00")
    await air.buys(ada, "1.00")
    assert await air.tier(ada) == "gold"
    assert await air.until(ada) == "2026-01-01T00:00"
    await air.comes("2025-06-01T12:00")
    await air.buys(ada, "20500.00")
    assert await air.tier(ada, "2025-12-31T23:59:59") == "gold"
    await air.comes("2026-01-02T00:00")
    assert await air.tier(ada, "2026-01-01T00:00") == "mvp"
    assert await air.until(ada) == "2027-01-01T00:00"
    assert [told[1:] for told in await air.told(ada)] == [
        ("UP", "mvp", "REACHED"), ("UP", "gold", "REACHED"), ("DOWN", "mvp", "NOT_KEPT"),
    ]  # fmt: skip
