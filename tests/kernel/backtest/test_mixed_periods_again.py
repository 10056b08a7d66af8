"""A period that began under another version of the program comes out as recorded, whatever comes
back: what else was bought in it is looked up."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from loyalty.purchase import ReturnedLine
from loyalty_points.plugin import plugin as points
from loyalty_tenants.program_records import program_by_slug
from loyalty_tenants.programs import update_program
from loyalty_tenants.publishing import publish_program
from tests.kernel.conftest import BOSS

from .conftest import recorded

RULE: dict[str, Any] = {"id": "base", "label": "B", "accounting_class": "MATERIAL_RIGHT"}
MONTH = {"period": "month"}
LEVELS = [{"from": "3", "points": "5"}, {"from": "20", "points": "40"}]
WAYS: list[dict[str, Any]] = [
    {"points": "0.3", "per": {"USD": "1.00"}, "over": MONTH},
    {"levels": LEVELS, "per": {"USD": "1.00"}, "over": MONTH},
    {"points": "0.7", "per": {"USD": "2.00"}, "over": {"period": "week"}},
    {"points": "0.7", "per": {"USD": "2.00"}, "over": {"period": "rolling", "days": 5}},
    {"points": "0.3", "per": {"USD": "1.00"}},
]


@pytest.fixture
async def world(make_world: Any) -> Any:
    made = await make_world(plugins=(points,))
    made.clock.at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    yield made
    await made.audited()


async def publishes(world: Any, bench: Any, way: dict[str, Any], **keys: Any) -> None:
    now = world.clock.now()
    async with world.database.tenant(world.tenant_id) as connection:
        found = await program_by_slug(connection, "points")
        assert found is not None
        found = await update_program(
            connection, world.configs, BOSS, found.id, expected_version=found.version,
            config={"unit": "points", "rules": [RULE | way], **keys}, now=now,
        )  # fmt: skip
        await publish_program(
            connection, world.configs, BOSS, found.id, expected_version=found.version, now=now
        )
    await bench.worker(world).run_due(world.tenant_id)


async def lives(world: Any, bench: Any, chance: random.Random, ways: list[dict[str, Any]]) -> None:
    members = [await world.member() for _ in range(2)]
    bought: list[Any] = []
    for number in range(60):
        world.pass_time(hours=chance.randint(1, 9))
        what = chance.random()
        if number % 12 == 11 and ways:
            await publishes(world, bench, ways[number // 12])
        elif what < 0.55 or not bought:
            late = timedelta(hours=chance.choice([0, 0, 0, 30, 90]))
            at = max(world.clock.now() - late, datetime(2026, 3, 2, 10, tzinfo=UTC))
            bought.append(world.purchase(chance.choice(members), chance.randint(40, 900), at=at))
            await world.record(bought[-1])
        elif what < 0.65:
            one = chance.choice(bought)
            again = world.purchase(one.member, chance.randint(40, 900))
            again = replace(again, external_id=one.external_id, revision=one.revision + 1)
            await world.records(again)
        elif what < 0.85:
            one = chance.choice(bought)
            await world.records(world.back(one, ReturnedLine(id=one.lines[0].id, amount=30)))
        else:
            await world.records(world.back(chance.choice(bought)))


async def settlements(world: Any) -> int:
    """How many returns gave or took anything beside the shares."""
    settled = await world.rows(
        "select count(*) as n from loyalty.fact f join loyalty.decision d on d.fact_id = f.id"
        " where f.kind = 'PurchaseReversed' and jsonb_array_length(d.body -> 'grants') > 0"
    )
    return int(settled[0]["n"])


@pytest.mark.parametrize("seed", [1, 2, 3, 5, 6, 7, 8, 9])
async def test_what_comes_back_of_a_mixed_period_comes_out_as_recorded(
    world: Any, bench: Any, seed: int
) -> None:
    """Tables, periods and sums change; purchases come late, under sums that go on no more, and are
    corrected; goods come back in parts."""
    chance = random.Random(seed)
    ways = chance.sample(WAYS, 5)
    while abs(ways.index(WAYS[0]) - ways.index(WAYS[1])) != 1:  # which go on with one sum
        chance.shuffle(ways)
    await publishes(world, bench, ways[0])
    await lives(world, bench, chance, ways)
    side, heard = await bench.walk(world)
    granted, taken = await recorded(world)
    assert "\n".join(heard.comparison.differences) == ""
    assert +heard.granted == +granted
    assert +heard.taken == +taken
    assert (side.left_out, side.failures) == ({}, {})
    assert await settlements(world) > 0


SEVENTHS: dict[str, Any] = {"points": "1", "per": {"USD": "0.07"}, "over": MONTH}
DRAFTS: list[dict[str, Any]] = [
    SEVENTHS | {"caps": [{"points": "100", "period": "day"}]},
    SEVENTHS | {"at_most": "110"},
]


@pytest.mark.parametrize("draft", DRAFTS)
async def test_under_a_draft_that_cuts_what_comes_back_is_settled_by_what_the_draft_granted(
    world: Any, bench: Any, make_world: Any, draft: dict[str, Any]
) -> None:
    """As in another world, in which the draft was published."""
    other = await make_world(plugins=(points,))
    other.clock.at = world.clock.now()
    keys = {"caps": [{"points": "20000", "period": "year"}]}
    for one, way in ((world, SEVENTHS | {"points": "3"}), (other, draft)):
        await publishes(one, bench, way, **keys)
        await lives(one, bench, random.Random(1), [])
    config = {"unit": "points", "rules": [RULE | draft], **keys}
    side, heard = await bench.walk(world, draft=config)
    granted, taken = await recorded(other)
    assert (side.left_out, side.failures) == ({}, {})
    assert sorted((+heard.granted).values()) == sorted((+granted).values())
    assert sorted((+heard.taken).values()) == sorted((+taken).values())
    assert await settlements(other) > 3
    again, told = await bench.walk(other)
    assert (+told.granted, again.failures) == (+granted, {})
    await other.audited()
