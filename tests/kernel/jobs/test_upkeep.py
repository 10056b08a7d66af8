"""Parked returns that end or meet their purchase, and rows whose time is over."""

import asyncio
from typing import Any

import asyncpg

from loyalty.commands import AdjustBalance
from loyalty.jobs.cleaning import clean


async def parked(world: Any) -> list[tuple[str, Any]]:
    rows = await world.rows("select state, settled_at from loyalty.parked_return order by id")
    return [(row["state"], row["settled_at"]) for row in rows]


async def test_a_return_whose_purchase_never_comes_ends_with_its_window(
    world: Any, hands: Any
) -> None:
    purchase = world.purchase(await world.member(), 500)
    await world.record(world.back(purchase))
    world.pass_time(days=7, seconds=-1)
    await hands.run(world)
    assert await parked(world) == [("PARKED", None)]

    world.pass_time(seconds=1)
    await asyncio.gather(*(hands.run(world) for _ in range(2)))

    assert await parked(world) == [("ENDED", world.clock.now())]
    await world.record(purchase)  # comes after all: nothing is taken from it
    assert (await parked(world))[0][0] == "ENDED"


async def test_a_return_that_just_missed_its_purchase_is_applied(
    world: Any, hands: Any, dsn: Any
) -> None:
    member = await world.member()
    purchase = world.purchase(member, 500)
    await world.record(world.back(purchase))
    await _set_state(world, dsn, "ENDED")  # so that the purchase does not notice it
    await world.record(purchase)
    await _set_state(world, dsn, "PARKED")

    world.pass_time(days=8)  # the end of its window is reached: what came counts none the less
    await hands.run(world)

    assert [state for state, _ in await parked(world)] == ["APPLIED"]
    assert (await world.balance(member)).total == 0


async def test_a_parked_return_that_cannot_stand_keeps_its_reason(
    world: Any, hands: Any, dsn: Any
) -> None:
    purchase = world.purchase(await world.member(), 500)
    await world.record(world.back(purchase))
    await _set_state(world, dsn, "ENDED")
    await world.record(purchase)
    await world.record(world.back(purchase))
    await _set_state(world, dsn, "PARKED")
    world.pass_time(minutes=11)

    await hands.run(world)

    rows = await world.rows("select state, reason from loyalty.parked_return")
    assert [(row["state"], row["reason"]["code"]) for row in rows] == [
        ("REFUSED", "RETURN_TOO_LARGE")
    ]


async def _set_state(world: Any, dsn: Any, state: str) -> None:
    admin = await asyncpg.connect(dsn.admin)
    statement = "update loyalty.parked_return set state = $1 where tenant_id = $2"
    await admin.execute(statement, state, world.tenant_id)
    await admin.close()


async def test_keys_of_commands_are_kept_thirty_days_and_natural_keys_for_ever(
    world: Any, hands: Any
) -> None:
    member = await world.member()
    purchase = world.purchase(member, 500)
    await world.record(purchase)

    async def give(key: str) -> bool:
        command = AdjustBalance(
            member=member, occurred_at=world.clock.now(), unit="points", amount=1,
            reason_code="goodwill",
        )  # fmt: skip
        return bool((await world.record(command, key=key)).replayed)

    await give("old")
    world.pass_time(days=29)
    await give("young")
    world.pass_time(hours=23)
    await hands.run(world)
    assert await give("old")

    world.pass_time(hours=2)
    await hands.run(world)

    assert await give("young")
    assert not await give("old")
    assert (await world.record(purchase)).replayed


async def test_old_rows_go_in_batches(world: Any, hands: Any) -> None:
    member = await world.member()
    await world.records(*(world.purchase(member, 100) for _ in range(25)))
    await hands.run(world)
    world.pass_time(days=8)
    await world.record(world.purchase(member, 100))

    first = await clean(hands.visit(world), batch=10)
    await hands.run(world)

    left = await world.rows("select state, recorded_at from loyalty.outbox")
    assert first == 10
    assert {row["recorded_at"] for row in left} == {world.clock.now()}
    assert {row["state"] for row in left} == {"DONE"}


async def test_every_tenant_gets_its_upkeep_without_being_asked(world: Any, hands: Any) -> None:
    worker = hands.recorder(world)
    await hands.run(world)
    due = "select loyalty.tenants_due($1)"

    assert world.tenant_id not in await worker.database.unscoped(due, world.clock.now())
    world.pass_time(minutes=10)
    assert world.tenant_id in await worker.database.unscoped(due, world.clock.now())
