"""Errands run beside a worker's duties: one that waits for an answer holds up its tenant alone."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from loyalty.jobs.errands import Errands, outside
from loyalty.plugin import Errand, Plugin


class Told:
    """An errand that does as it is told, tenant by tenant."""

    def __init__(self) -> None:
        self.gates: dict[UUID, asyncio.Event] = {}
        self.failing: set[UUID] = set()
        self.done: list[UUID] = []

    async def run(self, out: Any, tenant_id: UUID) -> None:
        if tenant_id in self.failing:
            raise RuntimeError("the partner answers nonsense")
        if (gate := self.gates.get(tenant_id)) is not None:
            await gate.wait()
        self.done.append(tenant_id)


@pytest.fixture
async def errands(make_world: Any) -> Any:
    """Two tenants that always have something due, what runs for them, and what they are told."""
    worlds = [await make_world(), await make_world()]
    told, tenants = Told(), [world.tenant_id for world in worlds]
    listed = ", ".join(f"'{tenant_id}'" for tenant_id in tenants)
    due = f"select array[{listed}]::uuid[] where $1::timestamptz is not null"
    plugin = Plugin(
        name="far", config=object, errands=(Errand(name="far", due=due, run=told.run),)
    )  # fmt: skip
    way: Any = None  # nobody calls
    return Errands([plugin], outside(worlds[0].recorder, way)), told, tenants


async def test_who_waits_is_not_begun_again_and_the_other_goes_on(errands: Any) -> None:
    runner, told, (slow, quick) = errands
    told.gates[slow] = asyncio.Event()

    for _ in range(3):
        await runner.round()
        await asyncio.sleep(0)
    assert set(told.done) == {quick}
    told.gates[slow].set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert told.done.count(slow) == 1


async def test_one_that_fails_is_its_own_trouble(errands: Any, caplog: Any) -> None:
    runner, told, (bad, good) = errands
    told.failing.add(bad)
    await runner.round()
    await asyncio.sleep(0)
    assert told.done == [good]
    assert "the errand far of tenant" in caplog.text


async def test_what_is_under_way_comes_to_its_end(errands: Any) -> None:
    runner, told, (slow, _) = errands
    told.gates[slow], stopping = asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(runner.run(stopping))
    while not told.done:
        await asyncio.sleep(0)
    stopping.set()
    told.gates[slow].set()
    await running
    assert slow in told.done
