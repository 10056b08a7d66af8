"""What a tier earns on top: grants of its own, on the base or on all that was granted."""

from typing import Any

from loyalty.explaining import judgements
from loyalty.kept import view_of
from loyalty.settlement.request import Recorded
from tests.plugins.tiers.recorded.conftest import POINTS, SPEND, Begin, Club, step

DOUBLE = {
    "id": "double-day", "label": "Double day", "accounting_class": "MARKETING",
    "bonus": {"factor": "2"},
}  # fmt: skip


def bonus(rule: str, factor: str, **keys: Any) -> dict[str, Any]:
    return {
        "id": rule, "label": f"x{factor}", "accounting_class": "MARKETING", "unit": "points",
        "bonus": {"factor": factor, **keys},
    }  # fmt: skip


async def _gold(begin: Begin, *, of: str = "base", rules: Any = (), **keys: Any) -> Club:
    gold = step("gold", {"spend": "100"}, bonuses=[bonus("gold-20", "1.2", of=of) | keys])
    plus = step("plus", {"spend": "900"}, bonuses=[bonus("plus-50", "1.5")])
    return await begin(
        "2026-03-10T09:00", metrics=[SPEND], tiers=[step("basic"), gold, plus], rules=list(rules)
    )


async def _grants(shop: Club) -> list[tuple[str, str, int]]:
    """Of the newest purchase: program, rule and how much."""
    (row,) = await shop.world.rows(
        """select d.body from loyalty.decision d join loyalty.fact f on f.id = d.fact_id
            where f.kind = 'PurchaseRecorded' order by f.id desc limit 1"""
    )
    return [(one["program"], one["rule"], one["granted"]) for one in row["body"]["grants"]]


async def test_bonuses_add_up_on_the_base(club: Begin) -> None:
    """SB-7: a double day for Gold, $10: 22."""
    shop = await _gold(club, rules=[DOUBLE])
    ada = await shop.world.member()
    await shop.buys(ada, "100.00")
    assert await shop.points(ada) == 200
    await shop.buys(ada, "10.00")
    assert sorted(await _grants(shop)) == [
        ("points", "base", 10), ("points", "double-day", 10), ("status", "gold-20", 2),
    ]  # fmt: skip


async def test_or_multiply(club: Begin) -> None:
    """SB-7: 24. The ladder's program comes after the one whose bonuses it multiplies."""
    gold = step("gold", {"spend": "100"}, bonuses=[bonus("gold-20", "1.2", of="granted")])
    shop = await club("2026-03-10T09:00", metrics=[SPEND], tiers=[gold], rules=[DOUBLE])
    await shop.publish("status", position=9)
    ada = await shop.world.member()
    await shop.buys(ada, "100.00")
    await shop.buys(ada, "10.00")
    assert (await _grants(shop))[-1] == ("status", "gold-20", 4)


async def test_a_return_takes_the_bonus_back_with_what_it_was_on(club: Begin) -> None:
    shop = await _gold(club)
    ada = await shop.world.member()
    await shop.buys(ada, "100.00")
    made = await shop.buys(ada, "10.00")
    assert await shop.points(ada) == 112
    await shop.world.record(shop.world.back(made))
    assert await shop.points(ada) == 100


async def test_limits_of_a_bonus(club: Begin) -> None:
    shop = await _gold(club, limits=[{"times": 1, "period": "day"}])
    ada = await shop.world.member()
    await shop.buys(ada, "100.00")
    for total in (112, 122):
        await shop.buys(ada, "10.00")
        assert await shop.points(ada) == total
    capped = await _gold(club, caps=[{"points": "3", "period": "month"}])
    eve = await capped.world.member()
    for total in (100, 112, 123, 133):
        await capped.buys(eve, "100.00" if total == 100 else "10.00")
        assert await capped.points(eve) == total


async def test_every_bonus_says_why_it_gave_or_not(club: Begin) -> None:
    shop = await _gold(club)
    world, ada = shop.world, await shop.world.member()
    await shop.buys(ada, "100.00")
    purchase = world.purchase(ada, "10.00")
    previewed = await world.recorder.preview(world.tenant_id, world.request(purchase))
    assert isinstance(previewed, Recorded)
    assert previewed.body is not None
    setup = await world.recorder.setups.get(world.tenant_id)
    told = [
        (judged.program.slug, one.rule, one.fired, one.reason, one.message)
        for judged in judgements(world.plugins, setup, purchase, previewed.body)
        for one in judged.rules
    ]
    assert told == [
        ("status", "gold-20", True, None, None),
        ("status", "plus-50", False, "OTHER_TIER", "it is for Plus, and the member's tier is Gold"),
        ("points", "base", True, None, None),
    ]
    earned = {one["rule"]: one["amount"] for one in previewed.answer["earned"]}
    assert earned == {"points/base": 10, "status/gold-20": 2}
    assert view_of(previewed.body, "status", setup).traits["status.tier"].value == "gold"
    assert await shop.points(ada) == 100


async def test_points_that_the_bonus_gave_count_where_no_program_is_named(club: Begin) -> None:
    gold = step("gold", {"points": "100"}, bonuses=[bonus("gold-100", "2")])
    top = step("top", {"points": "300"})
    shop = await club("2026-03-10T09:00", metrics=[POINTS], tiers=[gold, top])
    ada = await shop.world.member()
    for tier in ("gold", "top"):
        await shop.buys(ada, "100.00")
        assert await shop.tier(ada) == tier
