"""Batches of standings: those that are due, and everybody's where the rules changed."""

import asyncio
from typing import Any

from loyalty.facts import MemberClosed
from tests.plugins.tiers.recorded.conftest import SPEND, Begin, step

LADDER: dict[str, Any] = {
    "metrics": [SPEND],
    "tiers": [step("basic"), step("silver", {"spend": "100"}), step("gold", {"spend": "500"})],
}


async def _reviews(shop: Any) -> int:
    (row,) = await shop.world.rows(
        "select count(*) from loyalty.fact where kind = 'tiers.review_fallen_due/1'"
    )
    return int(row[0])


async def test_only_those_that_are_due_are_looked_at_and_once(club: Begin) -> None:
    shop = await club("2026-03-10T09:00", **LADDER)
    members = [await shop.world.member() for _ in range(5)]
    for member, total in zip(members, ("50", "100", "500", "99", "300"), strict=True):
        await shop.buys(member, total)
    await shop.comes("2027-12-31T23:00")
    assert await _reviews(shop) == 0
    await shop.comes("2028-01-01T00:01", worked=False)
    await asyncio.gather(shop.works(), shop.works())
    assert await _reviews(shop) == 3
    assert [await shop.tier(member) for member in members] == ["", "basic", "basic", "", "basic"]
    assert [len(await shop.told(member)) for member in members] == [0, 2, 2, 0, 2]
    await shop.comes("2028-06-01T00:00")
    assert await _reviews(shop) == 3


async def test_a_late_worker_changes_nothing(club: Begin) -> None:
    """Looked at three years late: at the instants at which it was due, with what was there then."""
    shop = await club("2026-03-10T09:00", **LADDER, downgrade="one_step")
    ada, eve = await shop.world.member(), await shop.world.member()
    for member in (ada, eve):
        await shop.buys(member, "500.00")
    for at in ("2028-01-01T00:00", "2029-01-01T00:00"):
        await shop.comes(at)
    early = await shop.told(ada)
    assert [told[:3] for told in early] == [
        ("2026-03-10T09:00", "UP", "gold"), ("2028-01-01T00:00", "DOWN", "silver"),
        ("2029-01-01T00:00", "DOWN", "basic"),
    ]  # fmt: skip

    other = await club("2026-03-10T09:00", **LADDER, downgrade="one_step")
    ida = await other.world.member()
    await other.buys(ida, "500.00")
    await other.comes("2031-05-05T12:00")
    assert await other.told(ida) == early


async def test_closed_members_are_left_alone_and_keep_nobody_waiting(club: Begin) -> None:
    shop = await club("2026-03-10T09:00", **LADDER)
    ada, eve = await shop.world.member(), await shop.world.member()
    for member in (ada, eve):
        await shop.buys(member, "500.00")
    await shop.world.record(MemberClosed(member=ada, occurred_at=shop.world.clock.now()))
    await shop.comes("2028-01-01T00:01")
    assert await _reviews(shop) == 1
    assert await shop.tier(eve) == "basic"


async def test_other_rules_lift_at_once_and_take_nothing_before_its_end(club: Begin) -> None:
    shop = await club("2026-03-10T09:00", **LADDER)
    members = [await shop.world.member() for _ in range(3)]
    for member, total in zip(members, ("50.00", "300.00", "500.00"), strict=True):
        await shop.buys(member, total)
    await shop.works()
    assert await _reviews(shop) == 0

    easier = LADDER | {"tiers": [step("basic"), step("silver", {"spend": "50"}),
                                 step("gold", {"spend": "600"})]}  # fmt: skip
    await shop.publish("status", easier)
    await shop.comes("2026-03-10T10:00")
    assert [await shop.tier(member) for member in members] == ["silver", "silver", "gold"]
    assert await shop.told(members[0]) == [("2026-03-10T10:00", "UP", "silver", "REACHED")]
    looked = await _reviews(shop)
    await shop.comes("2026-03-10T11:00")
    assert await _reviews(shop) == looked
    assert await shop.tier(members[2], "2028-01-01T00:00") == "basic"


async def test_who_has_a_tier_that_is_gone_has_what_the_sums_give(club: Begin) -> None:
    shop = await club("2026-03-10T09:00", **LADDER)
    ada = await shop.world.member()
    await shop.buys(ada, "500.00")
    await shop.publish("status", LADDER | {"tiers": LADDER["tiers"][:2]})
    await shop.comes("2026-03-10T10:00")
    assert (await shop.told(ada))[-1] == ("2026-03-10T10:00", "SAME", "silver", "NEW_RULES")


async def test_a_ladder_begins_with_what_was_counted_before_it_was_there(club: Begin) -> None:
    shop = await club("2026-03-10T09:00", **LADDER)
    ada = await shop.world.member()
    await shop.buys(ada, "500.00")
    other = {"metrics": [SPEND], "tiers": [step("fan"), step("superfan", {"spend": "300"})]}
    await shop.world.run_program("fans", other, kind="tiers")
    await shop.comes("2026-03-10T09:30")
    await shop.comes("2026-03-10T09:40")
    assert await shop.tier(ada, slug="fans") == "superfan"


async def test_what_comes_late_is_looked_at_again_as_of_the_same_instant(club: Begin) -> None:
    """The quarter was over and looked at; a purchase of it comes late and would be gold until its
    end, which is over as well."""
    quarters = LADDER | {
        "period": {"kind": "calendar", "months": 3}, "validity": {"lasts": "while_met"},
        "on_return": "revoke",
    }  # fmt: skip
    shop = await club("2026-02-10T09:00", **quarters)
    ada = await shop.world.member()
    await shop.buys(ada, "100.00")
    await shop.comes("2026-04-03T09:00")
    assert await shop.tier(ada) == "basic"
    for day in ("04", "05"):
        await shop.buys(ada, "500.00", at="2026-03-20T09:00")
        await shop.comes(f"2026-04-{day}T09:00")
        assert await shop.tier(ada) == "basic"
        assert await shop.tier(ada, "2026-03-25T09:00") == "gold"
    assert not await shop.world.rows(
        "select from loyalty.tiers_standing where due_at <= $1", shop.world.clock.now()
    )


async def test_rules_that_come_back_are_looked_at_again(club: Begin) -> None:
    shop = await club("2026-03-10T09:00", **LADDER)
    ada, eve = await shop.world.member(), await shop.world.member()
    await shop.buys(ada, "50.00")
    easier = LADDER | {"tiers": [step("basic"), step("silver", {"spend": "50"})]}
    harder = LADDER | {"tiers": [step("basic"), step("silver", {"spend": "500"})]}
    await shop.publish("status", easier)
    await shop.comes("2026-03-10T10:00")
    assert await shop.tier(ada) == "silver"
    await shop.publish("status", harder)
    await shop.comes("2026-03-10T11:00")
    await shop.buys(eve, "60.00")
    assert await shop.tier(eve) == ""
    await shop.publish("status", easier)
    await shop.comes("2026-03-10T12:00")
    assert await shop.tier(eve) == "silver"


async def test_what_comes_late_from_under_other_rules_is_judged_by_those_of_now(
    club: Begin,
) -> None:
    """The purchase was in time for silver at 100; silver takes 500 since, and lasts while met."""
    while_met = LADDER | {"validity": {"lasts": "while_met"}, "on_return": "revoke"}
    shop = await club("2026-03-10T09:00", **while_met)
    ada = await shop.world.member()
    await shop.comes("2026-03-12T09:00")
    harder = while_met | {"tiers": [step("basic"), step("silver", {"spend": "500"})]}
    await shop.publish("status", harder)
    await shop.comes("2026-03-12T10:00")
    await shop.buys(ada, "300.00", at="2026-03-11T09:00")
    assert await shop.tier(ada, "2026-03-11T10:00") == "silver"
    await shop.comes("2026-03-12T10:06")
    assert await shop.tier(ada) == "basic"
