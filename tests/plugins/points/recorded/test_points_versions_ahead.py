"""Versions that are published before their time, and who measures what happens meanwhile."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from loyalty.plugin_set import PluginSet
from loyalty.setup import Program
from tests.plugins.points.recorded.conftest import RULE

YEARLY = {"points": "100", "period": "year"}
OLD, NEW = RULE | {"id": "old"}, RULE | {"id": "new"}


async def test_a_version_to_come_without_the_cap_leaves_what_is_under_way_to_the_one_in_force(
    club: Callable[..., Any],
) -> None:
    """Two are published ahead; the second has the cap again, for another rule."""
    here = await club("2026-03-10T12:00", rules=[OLD], caps=[YEARLY])
    ada = await here.world.member()
    first = await here.buys(ada, "60.00")
    await here.publishes(OLD, begins="2026-03-20T00:00")
    await here.publishes(NEW, begins="2026-03-25T00:00", caps=[YEARLY])
    await here.buys(ada, "100.00")
    assert (await here.world.balance(ada)).available == 100
    await here.world.record(here.world.back(first))
    await here.buys(ada, "100.00")
    assert (await here.world.balance(ada)).available == 100
    await here.comes("2026-03-26T12:00")
    await here.buys(ada, "100.00")
    assert (await here.world.balance(ada)).available == 100


@pytest.mark.parametrize("seed", [3, 4, 8, 10])
async def test_what_was_filled_is_known_by_the_versions_alone(
    club: Callable[..., Any], seed: int
) -> None:
    """What publishing asked to be filled, and what who measures goes by, are one and the same."""
    chance = random.Random(seed)
    here = await club("2026-03-01T12:00", rules=[OLD], caps=[YEARLY])
    await here.buys(await here.world.member(), "60.00")
    for day in range(2, 16):
        await here.comes(f"2026-03-{day:02}T12:00")
        caps = chance.sample([YEARLY, YEARLY | {"period": "month"}], chance.choice([0, 0, 1, 2]))
        ahead = chance.choice([None, f"2026-03-{day + chance.randint(1, 6):02}T00:00"])
        await here.publishes(OLD, NEW, begins=ahead, caps=caps)
    world = here.world
    async with world.database.tenant(world.tenant_id) as connection:
        setup = await world.recorder.setups.read(connection, world.tenant_id)
    program = setup.program("points")
    wanted = await world.rows(
        "select details from loyalty.audit_entry"
        " where action = 'program.publish' and subject = 'program:points'"
    )
    filled = {row["details"]["number"]: sorted(row["details"]["newCounters"]) for row in wanted}
    found = {one.number: _fresh(world.plugins, program, one) for one in program.versions}
    assert found == {number: filled[number] for number in found}
    assert sum(map(bool, found.values())) > 1, found


def _fresh(plugins: PluginSet, program: Program, version: Any) -> list[str]:
    plugin = plugins.by_name["points"]
    names = dict(plugins.full_names(program, plugin, version))
    for one in program.kept_before(version):
        for name in plugins.full_names(program, plugin, one):
            names.pop(name, None)
    return sorted(counter.name for counter in names.values())
