"""Holds that lapse: their lots go back as they were, at the instant the hold was over."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

from loyalty.commands import CaptureRedemption, Redeem


def hold(world: Any, member: Any, amount: int, **span: float) -> Redeem:
    return Redeem(
        member=member,
        occurred_at=world.clock.now(),
        program="points",
        unit="points",
        amount=amount,
        hold_for=timedelta(**span),
    )


async def states(world: Any) -> list[str]:
    rows = await world.rows("select state from loyalty.redemption order by id")
    return [row["state"] for row in rows]


async def test_a_hold_that_is_over_gives_its_points_back(world: Any, hands: Any) -> None:
    member = await world.member()
    await world.record(world.purchase(member, 1_000))
    await world.record(hold(world, member, 7, minutes=15))
    world.pass_time(minutes=14)
    await hands.run(world)
    assert (await world.balance(member)).available == 3

    world.pass_time(days=2)
    await asyncio.gather(*(hands.run(world) for _ in range(2)))

    balance = await world.balance(member)
    assert (balance.available, balance.held, await states(world)) == (10, 0, ["LAPSED"])
    facts = await world.rows("select occurred_at from loyalty.fact where kind = 'HoldLapsed'")
    assert [world.clock.now() - fact["occurred_at"] for fact in facts] == [
        timedelta(days=2) - timedelta(minutes=1)
    ]


async def test_a_hold_that_was_settled_stays_settled(world: Any, hands: Any) -> None:
    member = await world.member()
    await world.record(world.purchase(member, 1_000))
    held = await world.record(hold(world, member, 7, minutes=15))
    capture = CaptureRedemption(
        occurred_at=world.clock.now(), redemption_id=UUID(held.answer["redemptionId"])
    )
    await world.record(capture)
    world.pass_time(days=1)

    await hands.run(world)

    assert await states(world) == ["CAPTURED"]
    assert (await world.balance(member)).available == 3


async def test_points_whose_term_ended_while_they_were_held_end_when_they_come_back(
    world: Any, hands: Any
) -> None:
    member = await world.member()
    await world.record(world.purchase(member, 1_000))
    world.pass_time(days=364)
    await world.record(hold(world, member, 7, days=10))
    world.pass_time(days=5)
    await hands.run(world)
    balance = await world.balance(member)
    assert (balance.available, balance.held) == (0, 7)  # what is held does not expire

    world.pass_time(days=6)
    await hands.run(world)

    balance = await world.balance(member)
    assert (balance.total, balance.held, await states(world)) == (0, 0, ["LAPSED"])
    ended = await world.rows(
        "select sum(amount)::int as n from loyalty.posting where kind = 'EXPIRE'"
    )
    assert ended[0]["n"] == 10
