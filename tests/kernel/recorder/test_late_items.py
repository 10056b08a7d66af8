"""A balance as of then, asked later, is the one computed then and the late items, exactly."""

import random
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from loyalty.facts import MemberRef, PurchaseRecorded
from loyalty.ledger.late import LateItems, late_items
from loyalty.purchase import ReturnedLine

CONFIG = {
    "unit": "points",
    "rules": [
        {
            "id": "base", "label": "Points", "accounting_class": "MARKETING", "points": "1",
            "per": {"USD": "1.00"},
        },
        {
            "id": "slow", "label": "Later", "accounting_class": "MARKETING", "points": "0.5",
            "per": {"USD": "1.00"}, "terms": {"pending_days": 3, "lifetime": {"span": "P9D"}},
        },
    ],
    "terms": {"lifetime": {"span": "P5D"}},
}  # fmt: skip


async def late(world: Any, member: MemberRef, at: datetime, known_at: datetime) -> LateItems:
    assert member.id is not None
    async with world.database.tenant(world.tenant_id, read_only=True) as connection:
        return await late_items(
            connection, member.id, "points", at=at, known_at=known_at, now=world.clock.now(),
            limit=500,
        )  # fmt: skip


async def net(world: Any, member: MemberRef, at: datetime, known_at: datetime) -> int:
    view = await world.as_of(member, at, known_at)
    return int(view.available + view.pending - view.deficit)


async def test_what_came_late_is_listed(world: Any) -> None:
    member = await world.member()
    bought, early = world.clock.now(), world.purchase(member, 3_000)
    await world.record(early)
    world.pass_time(days=2)
    then = world.clock.now()
    world.pass_time(days=2)
    await world.record(world.purchase(member, 500, at=bought + timedelta(days=1)))
    await world.record(world.purchase(member, 700))
    await world.record(world.purchase(member, 2_000, external_id=early.external_id, revision=2))

    found = await late(world, member, then, then)

    assert [(one.kind, one.amount, one.occurred_at) for one in found.items] == [
        ("GRANT", 5, bought + timedelta(days=1)), ("TAKE_BACK", -30, bought), ("GRANT", 20, bought),
    ]  # fmt: skip
    assert (found.amount, found.count) == (-5, 3)
    assert [await net(world, member, then, known) for known in (then, world.clock.now())] == [
        30, 25,
    ]  # fmt: skip


async def test_nothing_is_late_where_only_a_sweep_was(world: Any) -> None:
    member = await world.member()
    await world.give(member, 8, days=1)
    world.pass_time(days=2)
    then = world.clock.now()
    world.pass_time(days=1)
    await world.sweep()

    assert (await late(world, member, then, then)).items == []


@pytest.mark.parametrize("swept", [True, False])
async def test_what_was_spent_late_of_points_that_ended_did_not_end(
    world: Any, swept: bool
) -> None:
    """Ten points ended unspent; that four of them came back before is heard of afterwards."""
    member = await world.member()
    await world.give(member, 3, days=9)
    purchase = world.purchase(member, 1_000)
    short = {**CONFIG, "rules": CONFIG["rules"][:1]}  # type: ignore[index]
    await world.run_program("short", short)
    await world.record(purchase)
    at = world.clock.now() + timedelta(days=1)
    world.pass_time(days=6)
    then = world.clock.now()
    if swept:
        await world.sweep()
    world.pass_time(days=1)
    back = world.back(purchase, ReturnedLine(id="1", amount=400))
    await world.record(_at(back, at))

    found = await late(world, member, then, then)

    # The program `points` takes 4 back. Of those of `short` 4 fewer ended than was thought; or,
    # once a sweep has booked their end, their program has them already.
    ends = [] if swept else [("EXPIRE", 4), ("TAKE_BACK", -4)]
    assert sorted((one.kind, one.amount) for one in found.items) == [*ends, ("TAKE_BACK", -4)]
    now = await net(world, member, then, world.clock.now())
    assert now == await net(world, member, then, then) + found.amount == 13 - 4


@pytest.mark.parametrize("seed", range(12))
async def test_then_and_late_items_are_now(make_world: Any, seed: int) -> None:
    world, chance = await make_world(CONFIG), random.Random(seed)
    member = await world.member()
    noted: list[datetime] = []
    bought: list[PurchaseRecorded] = []
    for _ in range(28):
        await _something(world, member, chance, bought)
        noted.append(world.clock.now())
        world.pass_time(hours=chance.randint(1, 20))
        if chance.random() < 0.3:
            await world.sweep()

    listed = 0
    for at in noted[::3]:
        for known in (at, at + timedelta(days=2)):
            found = await late(world, member, at, known)
            assert found.amount == sum(one.amount for one in found.items)
            now = await net(world, member, at, world.clock.now())
            assert now == await net(world, member, at, known) + found.amount, at
            listed += found.count
    assert listed > 0
    await world.audited()


async def _something(
    world: Any, member: MemberRef, chance: random.Random, bought: list[PurchaseRecorded]
) -> None:
    """Something that happened now, or some days ago."""
    ago = timedelta(days=chance.choice([0, 0, 1, 4, 8]))
    at = max(world.clock.now() - ago, datetime.fromisoformat("2026-01-01T12:00:00Z"))
    match chance.randint(0, 7):
        case 0 | 1 | 2:
            bought.append(world.purchase(member, chance.randint(200, 4_000), at=at))
            await world.record(bought[-1])
        case 3 if bought:
            purchase = chance.choice(bought)
            amount = chance.randint(1, max(1, purchase.total // 3))
            back = world.back(purchase, ReturnedLine(id="1", amount=amount))
            await world.records(_at(back, max(at, purchase.occurred_at)))
        case 4 if bought:
            purchase = bought.pop(chance.randrange(len(bought)))
            await world.records(
                world.purchase(
                    member, chance.randint(200, 4_000), external_id=purchase.external_id,
                    revision=2,
                )
            )  # fmt: skip
        case 5:
            await world.give(member, chance.randint(1, 9), days=chance.choice([None, 1, 6]))
        case _:
            balance = await world.balance(member)
            if balance.available:
                hold = world.redeem(
                    member, chance.randint(1, balance.available), capture=chance.random() < 0.5
                )
                await hold


def _at(fact: Any, at: datetime) -> Any:
    return replace(fact, occurred_at=at)
