"""Jobs of plugins: each turn once, the missed ones in order, on the tenant's own days."""

import asyncio
from contextvars import Context
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from loyalty.facts import FactKey
from loyalty.jobs.plugin_jobs import following
from loyalty.jobs.visit import ACTOR
from loyalty.plugin import Due
from loyalty.settlement.request import Request
from loyalty_points.plugin import plugin as points
from loyalty_tenants.principal import Actor
from loyalty_tenants.program_records import program
from loyalty_tenants.programs import archive_program

NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture
async def world(make_world: Any, echo: Any) -> Any:
    made = await make_world(config=None, plugins=(echo.plugin,))
    yield made
    await made.audited()


async def days(world: Any) -> list[str]:
    rows = await world.rows(
        "select payload ->> 'day' as day from loyalty.fact where scope = 'job:echo' order by id"
    )
    return [row["day"] for row in rows]


async def test_a_job_runs_once_a_turn_from_publishing_on(world: Any, hands: Any, echo: Any) -> None:
    await hands.run(world)
    assert echo.trouble.asked == []
    await world.run_program("echo", {}, kind="echo")

    await asyncio.gather(*(hands.run(world) for _ in range(2)))
    world.pass_time(hours=23)
    await hands.run(world)

    assert await days(world) == ["2026-01-01"]


async def test_turns_that_were_missed_are_made_up_for_in_order(
    world: Any, hands: Any, echo: Any
) -> None:
    await world.run_program("echo", {}, kind="echo")
    await hands.run(world)
    world.pass_time(days=3)

    await asyncio.gather(*(hands.run(world) for _ in range(2)))
    await hands.run(world)

    assert await days(world) == ["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"]


async def test_no_day_is_left_out_where_clocks_change(world: Any, hands: Any) -> None:
    world.clock.at = datetime(2026, 3, 7, 4, 30, tzinfo=UTC)  # 23:30 in New York
    await world.run_program("echo", {}, kind="echo")
    await hands.run(world)
    world.pass_time(days=3)

    await hands.run(world)

    assert await days(world) == ["2026-03-06", "2026-03-07", "2026-03-08", "2026-03-09"]


async def test_an_archived_program_has_no_turns(world: Any, hands: Any) -> None:
    program_id = await world.run_program("echo", {}, kind="echo")
    await hands.run(world)
    async with world.database.tenant(world.tenant_id) as connection:
        version = (await program(connection, program_id)).version
        boss = Actor(role="ADMIN", subject="boss")
        await archive_program(
            connection, boss, program_id, expected_version=version, now=world.clock.now()
        )
    world.pass_time(days=2)

    await hands.run(world)

    assert await days(world) == ["2026-01-01"]


@pytest.mark.parametrize(
    ("at", "every", "turns", "then"),
    [
        ("2026-03-08T04:30Z", timedelta(days=1), 1, "2026-03-09T03:30Z"),
        ("2026-11-01T03:30Z", timedelta(days=1), 1, "2026-11-02T04:30Z"),
        ("2026-03-08T04:30Z", timedelta(hours=1), 3, "2026-03-08T07:30Z"),
        ("2026-01-01T12:00Z", timedelta(days=7), 2, "2026-01-15T12:00Z"),
    ],
)
def test_whole_days_are_counted_on_the_wall_clock(
    at: str, every: timedelta, turns: int, then: str
) -> None:
    found = following(datetime.fromisoformat(at), every, NEW_YORK, turns)

    assert found == datetime.fromisoformat(then)


async def test_a_job_that_looks_by_itself_is_asked_once_with_now(
    make_world: Any, hands: Any, echo: Any
) -> None:
    (job,) = echo.plugin.jobs
    plugin = replace(echo.plugin, jobs=(replace(job, each_turn=False),))
    world = await make_world(config=None, plugins=(plugin,))
    await world.run_program("echo", {}, kind="echo")
    await hands.run(world)
    world.pass_time(days=30)

    await hands.run(world)

    assert await days(world) == ["2026-01-01", "2026-01-31"]
    assert set(echo.trouble.asked) == {world.clock.now() - timedelta(days=30), world.clock.now()}
    await world.audited()


async def test_a_job_that_no_config_uses_has_no_turns_until_one_does(
    make_world: Any, hands: Any, echo: Any
) -> None:
    (job,) = echo.plugin.jobs
    used = replace(job, when=lambda config: bool(config.counted))
    world = await make_world(config=None, plugins=(replace(echo.plugin, jobs=(used,)),))
    await world.run_program("echo", {}, kind="echo")
    world.pass_time(days=30)

    await hands.run(world)

    assert echo.trouble.asked == []
    assert await world.rows("select name from loyalty.job where name like 'plugin:%'") == []
    await world.run_program("other", {"counted": ["spend"]}, kind="echo")
    await hands.run(world)
    assert set(echo.trouble.asked) == {world.clock.now()}


async def test_what_lies_behind_a_jobs_turn_waits_for_it(
    make_world: Any, hands: Any, echo: Any
) -> None:
    """What ends between two turns ends between them, however late the worker is."""
    world = await make_world(plugins=(points, echo.plugin))
    await world.run_program("echo", {}, kind="echo")
    await hands.run(world)
    member = await world.member()
    await world.give(member, 10, days=1.5)
    world.pass_time(days=3)

    await hands.run(world)

    rows = await world.rows(
        "select kind, occurred_at from loyalty.fact"
        " where kind in ('LotsDue', 'echo.day_closed/1') order by id"
    )
    assert [row["kind"] for row in rows] == [
        *["echo.day_closed/1"] * 2, "LotsDue", *["echo.day_closed/1"] * 2,
    ]  # fmt: skip
    assert [row["occurred_at"] for row in rows] == sorted(row["occurred_at"] for row in rows)


async def test_where_another_worker_was_faster_with_all_names_the_rest_is_still_due(
    make_world: Any, hands: Any, echo: Any
) -> None:
    """A job names one at a time here, and somebody else records the first of them meanwhile."""
    made: Any = None
    asked = 0

    async def one_at_a_time(connection: Any, setup: Any, now: datetime) -> Any:
        nonlocal asked
        asked += 1
        there = await connection.fetch("select key from loyalty.fact where scope = 'job:echo'")
        left = [key for key in "abc" if key not in {row["key"] for row in there}]
        for key in left[:1]:
            due = Due(key=key, fact=echo.DayClosed(occurred_at=now, day=key))
            if asked == 1:
                elsewhere = Request(
                    fact=due.fact, actor=ACTOR, key=FactKey("job:echo", key), any_time=True
                )
                another = hands.recorder(made).record_many(made.tenant_id, [elsewhere])
                await asyncio.create_task(another, context=Context())
            yield due

    (job,) = echo.plugin.jobs
    made = await make_world(
        config=None, plugins=(replace(echo.plugin, jobs=(replace(job, due=one_at_a_time),)),)
    )
    await made.run_program("echo", {}, kind="echo")

    await hands.run(made)

    assert await days(made) == ["a", "b", "c"]
    await made.audited()
