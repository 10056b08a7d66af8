"""What each version was published with, and when, decides who measured what, and is walked so."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from loyalty.purchase import Line, ReturnedLine
from loyalty_points.plugin import plugin as points
from loyalty_tenants.program_records import program_by_slug
from loyalty_tenants.programs import update_program
from loyalty_tenants.publishing import publish_program
from tests.kernel.conftest import BOSS

from .conftest import recorded

RULE: dict[str, Any] = {
    "label": "B", "accounting_class": "MATERIAL_RIGHT", "points": "1", "per": {"USD": "1.00"},
}  # fmt: skip
OLD, NEW = RULE | {"id": "old"}, RULE | {"id": "new"}
YEARLY = {"points": "100", "period": "year"}
WAYS: list[dict[str, Any]] = [
    {}, {}, {"limits": [{"times": 5, "period": "month"}]},
    {"over": {"period": "month"}, "points": "0.7"},
    {"caps": [{"points": "60", "period": "month"}]},
]  # fmt: skip


@pytest.fixture
async def world(make_world: Any) -> Any:
    made = await make_world(None, plugins=(points,))
    made.clock.at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    yield made
    await made.audited()


async def publishes(
    world: Any, bench: Any, *rules: Any, ahead: timedelta | None = None, **keys: Any
) -> None:
    """The next version, a second later: what was recorded before it did not know it."""
    world.pass_time(seconds=1)
    now, config = world.clock.now(), {"unit": "points", "rules": list(rules), **keys}
    async with world.database.tenant(world.tenant_id) as connection:
        found = await program_by_slug(connection, "points")
    if found is None:
        await world.run_program("points", config)
        return
    async with world.database.tenant(world.tenant_id) as connection:
        found = await update_program(
            connection, world.configs, BOSS, found.id, expected_version=found.version,
            config=config, now=now,
        )  # fmt: skip
        await publish_program(
            connection, world.configs, BOSS, found.id, expected_version=found.version, now=now,
            effective_from=None if ahead is None else now + ahead,
        )  # fmt: skip
    await bench.worker(world).run_due(world.tenant_id)


async def buys(world: Any, member: Any, dollars: int) -> int:
    """How many points came of a purchase."""
    world.pass_time(hours=1)
    before = (await world.balance(member)).available
    await world.record(world.purchase(member, dollars * 100))
    return int((await world.balance(member)).available - before)


async def as_recorded(world: Any, bench: Any) -> None:
    side, heard = await bench.walk(world)
    granted, taken = await recorded(world)
    assert "\n".join(heard.comparison.differences) == ""
    assert +heard.granted == +granted
    assert +heard.taken == +taken
    assert (side.left_out, side.failures) == ({}, {})


async def test_a_cap_that_another_version_has_for_other_rules_held_in_its_time(
    world: Any, bench: Any
) -> None:
    """The third version fills the counter anew, by its own rules: nobody knew that before."""
    await publishes(world, bench, OLD, caps=[YEARLY])
    ada = await world.member()
    assert [await buys(world, ada, 60), await buys(world, ada, 100)] == [60, 40]
    await publishes(world, bench, OLD)
    assert await buys(world, ada, 100) == 100
    await publishes(world, bench, NEW, caps=[YEARLY])
    assert [await buys(world, ada, 60), await buys(world, ada, 100)] == [60, 40]

    await as_recorded(world, bench)


async def test_a_cap_that_comes_again_counts_what_was_given_before_it_was_there(
    world: Any, bench: Any
) -> None:
    await publishes(world, bench, OLD, caps=[YEARLY])
    ada = await world.member()
    assert await buys(world, ada, 60) == 60
    await publishes(world, bench, OLD)
    assert await buys(world, ada, 100) == 100
    await publishes(world, bench, OLD, caps=[YEARLY | {"points": "200"}])
    assert await buys(world, ada, 100) == 40

    await as_recorded(world, bench)


@pytest.mark.parametrize("seed", range(1, 9))
async def test_versions_come_and_go_and_come_out_as_recorded(
    world: Any, bench: Any, seed: int
) -> None:
    """Caps with and without rules of theirs, some published ahead; goods come back in parts."""
    chance = random.Random(seed)

    async def another() -> None:
        rules = [one | chance.choice(WAYS) for one in chance.choice([[OLD], [NEW], [OLD, NEW]])]
        caps = chance.sample([YEARLY, YEARLY | {"period": "month"}], chance.choice([0, 0, 1, 2]))
        ahead = chance.choice([None, timedelta(days=chance.randint(1, 9))])
        await publishes(world, bench, *rules, caps=caps, ahead=ahead)

    await publishes(world, bench, OLD, caps=[YEARLY])
    members = [await world.member() for _ in range(2)]
    bought: list[Any] = []
    for number in range(60):
        world.pass_time(hours=chance.randint(1, 30))
        if number % 7 == 6:
            await another()
        elif chance.random() < 0.75 or not bought:
            late = timedelta(days=chance.choice([0, 0, 0, 2, 6]))
            at = max(world.clock.now() - late, datetime(2026, 3, 2, 10, tzinfo=UTC))
            lines = [Line(id="a", amount=chance.randint(100, 4_000), quantity=1_000)]
            bought.append(
                world.purchase(chance.choice(members), lines[0].amount, lines=lines, at=at)
            )
            await world.record(bought[-1])
        else:
            line = ReturnedLine(id="a", amount=chance.randint(1, 90))
            await world.records(world.back(chance.choice(bought), line))

    await as_recorded(world, bench)
