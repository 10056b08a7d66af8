"""Points that live on: with activity, and while a condition on the member holds."""

from typing import Any

import pytest

from loyalty.commands import Redeem

HALF_YEAR = {"span": "P6M", "ends": "month"}
MONTHLY = {"activities": ["check-in"], "lifetime": {"span": "P1M", "ends": "month"}}
GREEN = {"lifetime": {**HALF_YEAR, "extended_by": MONTHLY}}
GOLD = {"lifetime": {**HALF_YEAR, "never_while": 'member.tier in ["gold", "reserve"]'}}


async def test_points_live_while_there_is_activity_every_month(club: Any) -> None:
    """SB-6: six months, and as long as something is done in every month."""
    shop = await club("2026-03-15T09:00", terms=GREEN)
    ada = await shop.world.member()
    await shop.buys(ada, "100.00")
    assert await shop.ends(ada) == [("2026-10-01T00:00", 100)]

    for month in ("2026-06-05", "2026-08-31"):  # no longer than they live anyway
        await shop.comes(f"{month}T12:00")
        await shop.does(ada, "check-in")
    assert await shop.ends(ada) == [("2026-10-01T00:00", 100)]

    for month, end in (("2026-09", "2026-11"), ("2026-10", "2026-12"), ("2026-11", "2027-01")):
        await shop.comes(f"{month}-20T12:00")
        await shop.does(ada, "check-in")
        assert await shop.ends(ada) == [(f"{end}-01T00:00", 100)]

    await shop.comes("2026-12-31T23:59:59")
    assert await shop.ends(ada) == [("2027-01-01T00:00", 100)]
    await shop.comes("2027-01-01T00:00")
    assert await shop.ends(ada) == []


async def test_only_what_counts_extends_and_only_open_lots(club: Any) -> None:
    shop = await club("2026-03-15T09:00", terms=GREEN)
    ada, eve = await shop.world.member(), await shop.world.member()
    await shop.buys(ada, "100.00")
    await shop.buys(eve, "100.00")

    await shop.comes("2026-09-20T12:00")
    await shop.does(ada, "survey")
    assert await shop.ends(ada) == [("2026-10-01T00:00", 100)]
    await shop.buys(ada, "10.00")
    assert await shop.ends(ada) == [("2026-11-01T00:00", 100), ("2027-04-01T00:00", 10)]

    await shop.comes("2026-10-02T12:00", worked=False)
    await shop.does(eve, "check-in")  # too late, whether or not a sweep ran
    assert await shop.ends(eve) == []
    await shop.works()
    assert await shop.ends(eve) == []


async def test_a_late_activity_does_not_revive_what_has_ended(club: Any) -> None:
    shop = await club("2026-03-15T09:00", terms=GREEN)
    ada = await shop.world.member()
    await shop.buys(ada, "100.00")

    await shop.comes("2026-10-05T12:00", worked=False)
    await shop.buys(ada, "1.00", at="2026-09-30T12:00")

    assert [amount for _, amount in await shop.ends(ada)] == [1]


async def test_a_restart_counts_the_whole_lifetime_from_what_counts(club: Any) -> None:
    by = {"purchases": False, "redemptions": True}
    shop = await club("2026-03-15T09:00", terms={"lifetime": {"span": "P90D", "extended_by": by}})
    ada = await shop.world.member()
    await shop.buys(ada, "100.00")

    await shop.comes("2026-04-01T10:00")
    await shop.buys(ada, "50.00")
    assert await shop.ends(ada) == [("2026-06-13T09:00", 100), ("2026-06-30T10:00", 50)]
    await shop.comes("2026-05-01T08:00")
    now = shop.world.clock.now()
    await shop.world.record(
        Redeem(
            member=ada, occurred_at=now, program="points", unit="points", amount=30, capture=True
        )
    )

    assert await shop.ends(ada) == [("2026-07-30T08:00", 120)]


async def test_gold_members_points_do_not_end(club: Any) -> None:
    """SB-6: the balance does not change with the tier; the lifetime starts when gold is over."""
    shop = await club("2026-03-15T09:00", terms=GOLD)
    ada = await shop.world.member()
    await shop.buys(ada, "490.00")
    await shop.comes("2026-05-20T10:00")
    await shop.does(ada, "tier", tier="gold", until="2027-05-20T00:00:00-04:00")
    await shop.works()
    assert await shop.ends(ada) == [("", 490)]

    await shop.buys(ada, "12.00")
    assert await shop.ends(ada) == [("", 502)]
    await shop.comes("2027-05-19T23:59")
    assert await shop.ends(ada) == [("", 502)]
    await shop.comes("2027-05-20T00:00")
    assert await shop.ends(ada) == [("2027-12-01T00:00", 502)]
    await shop.comes("2027-12-01T00:00")
    assert await shop.ends(ada) == []


async def test_a_late_worker_starts_the_lifetime_when_the_tier_was_over(club: Any) -> None:
    shop = await club("2026-03-15T09:00", terms=GOLD)
    ada = await shop.world.member()
    await shop.does(ada, "tier", tier="gold", until="2026-05-20T00:00:00-04:00")
    await shop.works()
    await shop.buys(ada, "100.00")

    await shop.comes("2026-09-10T10:00")
    assert await shop.ends(ada) == [("2026-12-01T00:00", 100)]
    await shop.comes("2027-01-10T10:00")
    assert await shop.ends(ada) == []


@pytest.mark.parametrize("tier", ["silver", "gold"])
async def test_another_tier_is_looked_at_when_it_is_set(club: Any, tier: str) -> None:
    shop = await club("2026-03-15T09:00", terms=GOLD)
    ada = await shop.world.member()
    await shop.does(ada, "tier", tier="reserve")
    await shop.works()
    await shop.buys(ada, "100.00")

    await shop.comes("2026-05-20T10:00")
    await shop.does(ada, "tier", tier=tier)
    await shop.works()

    ends = "" if tier == "gold" else "2026-12-01T00:00"
    assert await shop.ends(ada) == [(ends, 100)]


async def test_what_others_grant_or_give_by_hand_is_left_alone(club: Any) -> None:
    shop = await club("2026-03-15T09:00", terms=GOLD)
    ada = await shop.world.member()
    await shop.world.give(ada, 7, days=10)
    await shop.does(ada, "tier", tier="gold")
    await shop.works()

    assert await shop.ends(ada) == [("2026-03-25T09:00", 7)]


async def test_nobody_is_asked_where_no_condition_reads_the_tier(club: Any) -> None:
    shop = await club("2026-03-15T09:00", terms={"lifetime": HALF_YEAR})
    ada = await shop.world.member()

    await shop.does(ada, "tier", tier="gold")

    assert await shop.world.rows("select kind from loyalty.due_fact") == []


async def test_a_condition_on_attributes_shows_with_the_next_fact(club: Any) -> None:
    vip = {**HALF_YEAR, "never_while": 'member.external_id.startsWith("vip")'}
    shop = await club("2026-03-15T09:00", terms={"lifetime": vip})
    plain, special = await shop.world.member(), await shop.world.member("vip-1")

    for member in (plain, special):
        await shop.buys(member, "5.00")

    assert await shop.ends(plain) == [("2026-10-01T00:00", 5)]
    assert await shop.ends(special) == [("", 5)]


async def test_a_return_does_not_call_off_the_end_of_a_tier(club: Any) -> None:
    """The trait stays until somebody sets another: what it does ends when it says."""
    shop = await club("2026-03-15T09:00", terms=GOLD)
    ada = await shop.world.member()
    order = await shop.buys(ada, "100.00", tier="gold", until="2026-05-20T00:00:00-04:00")
    await shop.works()
    await shop.buys(ada, "40.00")
    await shop.comes("2026-04-01T10:00")

    await shop.world.record(shop.world.back(order))
    await shop.comes("2026-05-20T00:00")

    assert await shop.ends(ada) == [("2026-12-01T00:00", 40)]
    assert await shop.world.rows("select 1 from loyalty.due_fact where state <> 'DONE'") == []
