"""Filling counters: a counter that came late says the same as one that was there from the start."""

import asyncio
import random
from typing import Any
from uuid import UUID

import pytest

from loyalty.facts import ActivityRecorded, MemberRef
from loyalty.ids import new_id
from loyalty.jobs.backfill import Backfill
from loyalty.jobs.scheduled import Scheduled
from loyalty.purchase import ReturnedLine
from loyalty_app.worker import PublishedVersions
from loyalty_points.plugin import plugin as points
from loyalty_tenants.principal import Actor
from loyalty_tenants.program_records import program
from loyalty_tenants.programs import update_program
from loyalty_tenants.publishing import publish_program

BOTH = {"counted": ["spend", "budget", "kept"]}
BOSS = Actor(role="ADMIN", subject="boss")


@pytest.fixture
async def world(make_world: Any, echo: Any) -> Any:
    made = await make_world(plugins=(points, echo.plugin))
    yield made
    await made.audited()


async def counted(world: Any, slug: str) -> dict[Any, int]:
    rows = await world.rows(
        "select name, member_id, bucket, value from loyalty.counter"
        " where name like $1 and bucket > '-infinity' and value <> 0",
        f"{slug}/%",
    )
    return {(r["name"].split("/")[1], r["member_id"], r["bucket"]): r["value"] for r in rows}


async def state(world: Any, program_id: UUID) -> list[str]:
    rows = await world.rows(
        "select state from loyalty.program_version where program_id = $1 order by number",
        program_id,
    )
    return [row["state"] for row in rows]


async def busy_days(world: Any, members: list[MemberRef], count: int) -> None:
    """Purchases, some returned, corrected or for a friend; returns that came first; activities."""
    chance = random.Random(7)
    for _ in range(count):
        member, friend = chance.choice(members), chance.choice(members)
        purchase = world.purchase(member, chance.randint(100, 9_000))
        await world.record(purchase)
        match chance.randint(0, 5):
            case 0:
                await world.record(world.back(purchase, ReturnedLine(id="1", amount=50)))
            case 1:
                await world.record(world.back(world.purchase(member, 100)))
            case 2:
                await world.record(
                    world.purchase(member, 777, external_id=purchase.external_id, revision=2)
                )
            case 3:
                await world.record(
                    ActivityRecorded(
                        member=member,
                        occurred_at=world.clock.now(),
                        source="app",
                        external_id=str(new_id()),
                        type="thanks",
                        attributes={"to": str(friend.id)},
                    )
                )
        world.pass_time(hours=chance.randint(0, 12))


def filling(hands: Any, world: Any, size: int) -> Any:
    """One worker's turns at nothing but the backfill, in slices of `size` facts."""
    duty = Scheduled({"backfill": Backfill(PublishedVersions(), size=size)})

    async def turn() -> int:
        done: int = await duty.slice(hands.visit(world))
        return done

    return turn


async def republish(world: Any, program_id: UUID, config: Any) -> None:
    async with world.database.tenant(world.tenant_id) as connection:
        found = await program(connection, program_id)
        found = await update_program(
            connection, world.configs, BOSS, program_id, expected_version=found.version,
            config=config, now=world.clock.now(),
        )  # fmt: skip
        await publish_program(
            connection, world.configs, BOSS, program_id, expected_version=found.version,
            now=world.clock.now(),
        )  # fmt: skip


async def test_a_late_counter_says_what_one_from_the_start_says(world: Any, hands: Any) -> None:
    await world.run_program("first", BOTH, kind="echo")
    members = [await world.member() for _ in range(4)]
    await busy_days(world, members, 60)
    late = await world.run_program("late", BOTH, kind="echo")
    assert await state(world, late) == ["BACKFILLING"]

    await hands.run(world)

    assert await state(world, late) == ["ACTIVE"]
    assert await counted(world, "late") == await counted(world, "first")
    assert len(await counted(world, "late")) > 20
    await busy_days(world, members, 10)
    assert await counted(world, "late") == await counted(world, "first")
    assert not await world.rows("select 1 from loyalty.job where name like 'backfill:%'")


async def test_ends_are_counted_though_nothing_is_kept_of_how_they_were_decided(
    world: Any, hands: Any, many_lots: Any
) -> None:
    await world.run_program("first", BOTH, kind="echo")
    await many_lots(world, 3, 2)
    world.pass_time(days=400)
    await hands.run(world)
    late = await world.run_program("late", BOTH, kind="echo")

    await hands.run(world)

    assert await state(world, late) == ["ACTIVE"]
    assert await counted(world, "late") == await counted(world, "first")
    decided = """
        select count(*) filter (where d.fact_id is not null) as decided, count(*) as ends
          from loyalty.fact f left join loyalty.decision d on d.fact_id = f.id
         where f.kind = 'LotsDue'"""
    assert [dict(row) for row in await world.rows(decided)] == [{"decided": 0, "ends": 6}]


async def test_purchases_that_go_on_are_counted_once_while_two_workers_fill(
    world: Any, hands: Any
) -> None:
    await world.run_program("first", BOTH, kind="echo")
    members = [await world.member() for _ in range(4)]
    await busy_days(world, members, 40)
    late = await world.run_program("late", BOTH, kind="echo")
    going_on = asyncio.create_task(busy_days(world, members, 60))

    async def fill() -> None:
        turn = filling(hands, world, size=5)
        while await state(world, late) != ["ACTIVE"]:
            await turn()
            await asyncio.sleep(0.01)

    await asyncio.gather(fill(), fill(), going_on)

    assert await counted(world, "late") == await counted(world, "first")


async def test_a_crash_between_slices_or_within_one_counts_nothing_twice(
    world: Any, hands: Any, echo: Any
) -> None:
    await world.run_program("first", BOTH, kind="echo")
    members = [await world.member() for _ in range(4)]
    await busy_days(world, members, 40)
    late = await world.run_program("late", BOTH, kind="echo")
    turn = filling(hands, world, size=10)
    for _ in range(3):
        await turn()  # and this worker is gone

    echo.trouble.measuring_fails_at = echo.trouble.measured + 7
    turn = filling(hands, world, size=10)
    assert await turn() == 0  # and this one died within its slice
    assert await filling(hands, world, size=10)() == 0  # it is left alone for a while
    world.pass_time(minutes=1)
    while await filling(hands, world, size=10)():
        pass

    assert await state(world, late) == ["ACTIVE"]
    assert await counted(world, "late") == await counted(world, "first")


async def test_a_counter_that_was_dropped_and_comes_back_starts_from_nothing(
    world: Any, hands: Any
) -> None:
    await world.run_program("first", BOTH, kind="echo")
    other = await world.run_program("other", BOTH, kind="echo")
    members = [await world.member() for _ in range(4)]
    await busy_days(world, members, 20)
    world.pass_time(hours=1)
    await republish(world, other, {"counted": ["budget"]})
    await busy_days(world, members, 20)
    assert await counted(world, "other") != await counted(world, "first")
    world.pass_time(hours=1)

    await republish(world, other, BOTH)
    await busy_days(world, members, 5)
    await hands.run(world)

    assert await state(world, other) == ["ACTIVE"] * 3
    assert await counted(world, "other") == await counted(world, "first")


async def test_a_version_published_while_an_older_one_fills_waits_for_it(
    world: Any, hands: Any
) -> None:
    await world.run_program("first", BOTH, kind="echo")
    members = [await world.member() for _ in range(4)]
    await busy_days(world, members, 20)
    late = await world.run_program("late", {"counted": ["spend"]}, kind="echo")
    turn = filling(hands, world, size=2)
    for _ in range(3):
        await turn()
    await republish(world, late, {"counted": ["spend"]})
    await republish(world, late, BOTH)
    await busy_days(world, members, 5)
    for _ in range(4):
        await turn()
    assert await state(world, late) == ["BACKFILLING"] * 3

    await hands.run(world)

    assert await state(world, late) == ["ACTIVE"] * 3
    assert await counted(world, "late") == await counted(world, "first")
