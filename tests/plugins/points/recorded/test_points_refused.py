"""Who cannot be given what fell due: the others are, the day ends, and it is tried again."""

from typing import Any

import pytest

from loyalty.commands import AdjustBalance
from loyalty.units import MINOR_MAX
from loyalty_earning import holders
from tests.plugins.points.recorded.conftest import Club
from tests.plugins.points.recorded.test_points_conversion import REWARDS


async def taken(shop: Club, member: Any, amount: int) -> None:
    now = shop.world.clock.now()
    await shop.world.record(
        AdjustBalance(
            member=member, occurred_at=now, unit="points", amount=-amount, reason_code="TEST"
        )
    )


async def refused(shop: Club) -> list[tuple[Any, ...]]:
    rows = await shop.world.rows(
        """select member_id, kind, reason ->> 'code' as code, attempts from loyalty.refused_due
            order by key"""
    )
    return [tuple(row) for row in rows]


@pytest.mark.parametrize("at_once", [1, 1_000])
async def test_who_cannot_be_converted_holds_up_nobody_and_the_window_closes(
    club: Any, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(holders, "AT_ONCE", at_once)
    shop = await club("2026-01-10T12:00", units={"rewards": 2}, issuing=[REWARDS])
    rich, ada = await shop.world.member(), await shop.world.member()
    await shop.world.give(rich, MINOR_MAX)  # 90,000,000,000,000,000 cents: more than there can be
    await shop.buys(ada, "250.00")

    await shop.comes("2026-03-15T00:00")

    assert (await shop.world.balance(ada, "rewards")).total == 20_00
    assert (await shop.world.balance(rich)).total == MINOR_MAX
    (closed,) = await shop.told("points.window_closed/1")
    assert (closed["members"], closed["amount"], closed["refused"]) == (1, "20.00", 1)
    assert await refused(shop) == [(rich.id, "points.conversion_fallen_due/1", "LIMIT_EXCEEDED", 1)]

    await taken(shop, rich, MINOR_MAX - 350)
    await shop.comes("2026-03-15T01:30")

    assert (await shop.world.balance(rich, "rewards")).total == 30_00
    assert (await shop.world.balance(rich)).total == 50
    assert await refused(shop) == []
    await shop.buys(ada, "250.00")
    await shop.comes("2026-07-15T00:00")
    assert (await shop.world.balance(ada, "rewards")).total == 50_00
    days = [(one["day"], one["members"], one["refused"]) for one in await shop.told(CLOSED)]
    assert days == [("2026-03-15", 1, 1), ("2026-07-15", 1, 0)]


CLOSED = "points.window_closed/1"


async def test_it_is_tried_again_after_an_hour_two_four_and_then_once_a_day(club: Any) -> None:
    shop = await club("2026-01-10T12:00", units={"rewards": 2}, issuing=[REWARDS])
    rich = await shop.world.member()
    await shop.world.give(rich, MINOR_MAX)
    tries: list[int] = []

    for hour in range(96):
        await shop.comes(f"2026-03-{15 + hour // 24}T{hour % 24:02}:00")
        ((_, _, _, attempts),) = await refused(shop)
        if attempts > len(tries):
            tries.append(hour)

    assert tries == [0, 1, 3, 7, 15, 31, 55, 79]
    assert len(await shop.told(CLOSED)) == 1
