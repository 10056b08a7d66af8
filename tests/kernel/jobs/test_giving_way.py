"""Beside others a worker takes small batches one by one and rests; alone it takes what it can."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from loyalty.database import Database
from loyalty.jobs.pace import LOOK_SECONDS, PART_BESIDE, RATE, GivingWay
from loyalty.recorder.each import Outcome
from loyalty.recorder.recorder import Recorder
from loyalty.settlement.request import Request


class Hours:
    """A clock that the test turns, and what was slept by it."""

    def __init__(self) -> None:
        self.at = 0.0
        self.slept: list[float] = []

    def seconds(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture
def hours() -> Hours:
    return Hours()


@pytest.fixture
def pace(worker_database: Database, hours: Hours) -> GivingWay:
    return GivingWay(worker_database, sleep=hours.sleep, seconds=hours.seconds)


async def transactions(database: Database, times: int) -> None:
    for _ in range(times):
        await database.unscoped("select 1")
    await database.unscoped("select pg_stat_force_next_flush()")
    await database.unscoped("select 1")  # what was counted is handed over after it


async def test_until_it_knows_it_gives_way(pace: GivingWay, hours: Hours) -> None:
    await pace.look()
    assert (pace.sides, pace.part) == (1, PART_BESIDE)
    await pace.rest(0.1, 100)
    assert hours.slept == [pytest.approx(0.05)]


async def test_alone_it_takes_what_it_can(
    pace: GivingWay, hours: Hours, worker_database: Database
) -> None:
    await pace.look()
    await transactions(worker_database, 300)  # its own are no others
    hours.at += LOOK_SECONDS
    await pace.look()
    assert (pace.sides, pace.part) == (2, 100)
    await pace.rest(0.1, 100)
    assert hours.slept == []


async def test_it_gives_way_while_others_are_there(
    pace: GivingWay, hours: Hours, world: Any, worker_database: Database
) -> None:
    await pace.look()
    await transactions(world.database, 300)
    hours.at += LOOK_SECONDS - 1
    await pace.look()
    assert pace.sides == 1  # not asked yet
    hours.at += 1
    await pace.look()
    assert (pace.sides, pace.part) == (1, PART_BESIDE)

    hours.at += LOOK_SECONDS
    await pace.look()
    assert pace.sides == 2


@pytest.mark.parametrize(
    ("took", "rested"),
    [(0.01, 0.012), (0.07, 100 / RATE - 0.07), (0.1, 0.05), (30.0, 1.0)],
    ids=["fast: a little longer", "as the rate says", "slow: half of it", "never long"],
)
async def test_it_rests_by_its_rate_but_neither_hardly_nor_long(
    pace: GivingWay, hours: Hours, took: float, rested: float
) -> None:
    await pace.rest(took, 100)
    assert hours.slept == [pytest.approx(rested)]


async def test_a_worker_that_goes_round_gives_way(
    make_world: Any, hands: Any, many_lots: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loyalty.jobs.pace.LOOK_SECONDS", 3_600.0)  # it never comes to know
    world = await make_world()
    await many_lots(world, 120, 1)
    world.pass_time(days=400)
    sizes: list[int] = []

    class Watched(Recorder):
        async def record_many(
            self, tenant_id: UUID, requests: Sequence[Request], **how: Any
        ) -> list[Outcome]:
            if tenant_id == world.tenant_id:
                sizes.append(len(requests))
            return await super().record_many(tenant_id, requests, **how)

    await hands.worker(world, Watched).round()

    assert sizes == [PART_BESIDE, PART_BESIDE, 120 - 2 * PART_BESIDE]
    await world.audited()
