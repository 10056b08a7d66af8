"""Whatever is converted: no points come of it, the rest stays, and it is done once."""

import asyncio
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyalty.ledger.balances import balances
from tests.plugins.points.recorded.conftest import Club

REWARDS = {
    "id": "rewards", "label": "Reward", "windows": ["2026-03-15", "2026-07-15"],
    "unit": "rewards", "step": "100", "gives": "10.00",
}  # fmt: skip


async def open_value(shop: Club, member: Any, unit: str) -> tuple[int, int]:
    """The balance, and what its lots sum to by their deadlines."""
    now = shop.world.clock.now()
    async with shop.world.database.tenant(shop.world.tenant_id, read_only=True) as connection:
        found = (await balances(connection, [(member.id, unit)], now))[member.id, unit]
    return found.view.total, sum(lot.remaining for lot in found.lots)


async def test_a_step_that_gives_less_than_the_smallest_part_stays(club: Any) -> None:
    given = {**REWARDS, "step": "0.5", "gives": "0.001"}
    shop = await club("2026-03-14T12:00", units={"rewards": 2}, issuing=[given])
    ada = await shop.world.member()
    await shop.buys(ada, "11.00")

    await shop.comes("2026-03-15T00:00")

    # 22 steps come to 2.2 cents: 20 of them, and 10 points, are what two cents are given for.
    assert await open_value(shop, ada, "rewards") == (2, 2)
    assert await open_value(shop, ada, "points") == (1, 1)


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    step=st.integers(1, 300),
    gives=st.integers(1, 2_000),
    most=st.none() | st.integers(0, 5_000),
    yearly=st.none() | st.integers(0, 8_000),
    bought=st.lists(
        st.tuples(st.integers(1, 90_000), st.integers(20, 400)), min_size=1, max_size=5
    ),
)
async def test_conversion_creates_no_points_and_what_remains_stays(
    club: Any, step: int, gives: int, most: int | None, yearly: int | None, bought: Any
) -> None:
    """S9, and S5: the deadlines sum to the balance."""
    limits = {
        key: f"{(gives + extra) / 100:.2f}"
        for key, extra in (("max_per_window", most), ("max_per_year", yearly))
        if extra is not None
    }
    given = {**REWARDS, "step": str(step), "gives": f"{gives / 100:.2f}", **limits}
    shop = await club("2026-01-10T12:00", units={"rewards": 2}, issuing=[given])
    ada = await shop.world.member()
    for cents, days in bought:
        await shop.buys(ada, f"{cents / 100:.2f}")
        await shop.world.give(ada, 7, days=days)

    had = await shop.world.balance(ada)
    rewarded = 0
    for day in ("2026-03-15", "2026-07-15"):
        await shop.comes(f"{day}T00:00", worked=False)
        before = await shop.world.balance(ada)
        await shop.works()
        after, reward = await shop.world.balance(ada), await shop.world.balance(ada, "rewards")
        burned, issued = before.total - after.total, reward.total - rewarded
        rewarded = reward.total

        assert burned % step == 0
        assert issued == burned // step * gives
        possible = before.available // step
        caps = [possible]
        if most is not None:
            caps.append((gives + most) // gives)
        if yearly is not None:
            caps.append((gives + yearly - (rewarded - issued)) // gives)
        assert burned // step == max(0, min(caps))
        for unit, balance in (("points", after), ("rewards", reward)):
            total, deadlines = await open_value(shop, ada, unit)
            assert total == deadlines == balance.total
    assert had.total >= (await shop.world.balance(ada)).total


async def test_members_without_a_step_are_not_looked_at(club: Any) -> None:
    shop = await club("2026-01-10T12:00", units={"rewards": 2}, issuing=[REWARDS])
    rich, poor = await shop.world.member(), await shop.world.member()
    await shop.buys(rich, "250.00")
    await shop.buys(poor, "99.00")

    await shop.comes("2026-03-15T00:00")
    await shop.comes("2026-03-16T00:00")

    rows = await shop.world.rows(
        "select member_id from loyalty.fact where kind = 'points.conversion_fallen_due/1'"
    )
    assert [row["member_id"] for row in rows] == [rich.id]
    (closed,) = await shop.told("points.window_closed/1")
    assert (closed["members"], closed["amount"], closed["day"]) == (1, "20.00", "2026-03-15")
    assert Decimal(closed["amount"]) * 100 == (await shop.world.balance(rich, "rewards")).total


async def test_many_members_and_two_workers_once_each(club: Any) -> None:
    shop = await club("2026-01-10T12:00", units={"rewards": 2}, issuing=[REWARDS])
    members = [await shop.world.member() for _ in range(30)]
    for member in members:
        await shop.buys(member, "250.00")
    await shop.comes("2026-03-15T00:00", worked=False)

    await asyncio.gather(*(shop.works() for _ in range(3)))
    # Who found that others had done it all left the rest for the next turn, an hour later.
    await shop.comes("2026-03-15T01:30")

    for member in members:
        assert (await shop.world.balance(member)).total == 50
        assert (await shop.world.balance(member, "rewards")).total == 20_00
    (closed,) = await shop.told("points.window_closed/1")
    assert closed["members"] == 30


async def test_a_window_of_a_day_on_which_the_config_had_none_is_none(club: Any) -> None:
    shop = await club("2026-03-15T12:00", units={"rewards": 2}, issuing=[REWARDS])
    ada = await shop.world.member()
    await shop.buys(ada, "250.00")

    await shop.comes("2026-03-16T12:00")

    assert (await shop.world.balance(ada)).total == 250


async def test_what_is_pending_on_the_day_is_not_converted(club: Any) -> None:
    shop = await club(
        "2026-03-10T12:00", units={"rewards": 2}, issuing=[REWARDS], terms={"pending_days": 14}
    )
    ada = await shop.world.member()
    await shop.buys(ada, "250.00")

    await shop.comes("2026-03-15T12:00")

    assert await shop.world.balance(ada, "rewards") == await shop.world.balance(ada, "none")
    await shop.comes("2026-07-15T12:00")
    assert (await shop.world.balance(ada, "rewards")).total == 20_00
