"""A back-test as a job: one worker walks it, beside its other work, and nobody else."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from loyalty.backtest import kept
from loyalty.backtest.kept import Backtest, State
from loyalty.errors import Code, Refused
from loyalty.ids import new_id
from loyalty.jobs.worker import Worker
from loyalty.recorder.recorder import Recorder
from loyalty.recorder.setups import Setups
from loyalty_app.worker import PublishedVersions
from loyalty_tenants.setups import TenantSetups


@dataclass(slots=True)
class Stand:
    """Walks as the test lets it."""

    begun: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)
    walked: int = 0
    stopped: int = 0
    error: Exception | None = None

    async def __call__(
        self, tenant_id: UUID, backtest: Backtest, progress: Callable[[int, int], None]
    ) -> dict[str, Any]:
        progress(3, 10)
        self.begun.set()
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.stopped += 1
            raise
        if self.error is not None:
            raise self.error
        self.walked += 1
        progress(10, 10)
        return {"program": backtest.program}


def worker(world: Any, bench: Any, walker: Stand) -> Worker:
    setups = Setups(bench.database, TenantSetups(world.configs))
    recorder = Recorder(bench.database, world.plugins, setups, world.clock)
    return Worker(recorder, PublishedVersions(), walker=walker)


async def asked(world: Any) -> UUID:
    now = world.clock.now()
    backtest = Backtest(
        id=new_id(), program="points", kind="points", config={}, since=now - timedelta(days=9),
        before=now, cost_per_point=None, state=State.QUEUED, done=0, total=0, asked_by="boss",
        asked_at=now, finished_at=None, error=None,
    )  # fmt: skip
    async with world.database.tenant(world.tenant_id) as connection:
        await kept.ask(connection, backtest, now)
    return backtest.id


async def found(world: Any, ident: UUID) -> Backtest:
    async with world.database.tenant(world.tenant_id, read_only=True) as connection:
        backtest = await kept.by_id(connection, ident)
    assert backtest is not None
    return backtest


async def cancelled(world: Any, ident: UUID) -> Backtest:
    async with world.database.tenant(world.tenant_id) as connection:
        return await kept.cancel(connection, ident, world.clock.now())


async def jobs(world: Any) -> list[str]:
    rows = await world.rows("select name from loyalty.job where name ^@ 'backtest:'")
    return [row["name"] for row in rows]


async def lease_runs_out(dsn: Any) -> None:
    connection = await asyncpg.connect(dsn.admin)
    try:
        await connection.execute(
            "update loyalty.backtest set lease_until = clock_timestamp() - interval '1 s'"
        )
    finally:
        await connection.close()


async def test_one_is_walked_beside_the_workers_other_work(world: Any, bench: Any) -> None:
    ident, walker = await asked(world), Stand()
    one = worker(world, bench, walker)

    await one.run_due(world.tenant_id)
    await walker.begun.wait()
    assert (await found(world, ident)).state is State.RUNNING
    world.pass_time(seconds=6)
    await one.run_due(world.tenant_id)  # it comes back to see, and does not wait

    walker.go.set()
    await one.backtests.wait()
    done = await found(world, ident)
    assert (done.state, done.done, done.total) == (State.DONE, 10, 10)
    assert done.finished_at == world.clock.now()
    async with world.database.tenant(world.tenant_id, read_only=True) as connection:
        assert await kept.reports(connection, [ident]) == {ident: {"program": "points"}}
    world.pass_time(seconds=6)
    await one.run_due(world.tenant_id)
    assert (walker.walked, await jobs(world)) == (1, [])


async def test_two_workers_walk_it_once(world: Any, bench: Any) -> None:
    await asked(world)
    walkers = [Stand(), Stand()]
    both = [worker(world, bench, walker) for walker in walkers]

    await asyncio.gather(*(one.run_due(world.tenant_id) for one in both))
    for walker in walkers:
        walker.go.set()
    for one in both:
        await one.backtests.wait()

    assert sum(walker.walked for walker in walkers) == 1


async def test_a_tenant_has_one_at_a_time(world: Any) -> None:
    first = await asked(world)
    with pytest.raises(Refused) as refused:
        await asked(world)
    assert refused.value.code is Code.LIMIT_EXCEEDED

    assert (await cancelled(world, first)).state is State.CANCELLED
    await asked(world)


async def test_a_cancelled_one_stops_and_keeps_nothing(world: Any, bench: Any) -> None:
    ident, walker = await asked(world), Stand()
    one = worker(world, bench, walker)
    await one.run_due(world.tenant_id)
    await walker.begun.wait()

    await cancelled(world, ident)
    await one.backtests.wait()

    assert (walker.stopped, walker.walked) == (1, 0)
    assert (await found(world, ident)).state is State.CANCELLED
    assert (await cancelled(world, ident)).state is State.CANCELLED


async def test_one_that_fails_says_why(world: Any, bench: Any) -> None:
    ident, walker = await asked(world), Stand(error=RuntimeError("no such unit"))
    one = worker(world, bench, walker)
    walker.go.set()
    await one.run_due(world.tenant_id)
    await one.backtests.wait()

    failed = await found(world, ident)
    assert (failed.state, failed.error) == (State.FAILED, "RuntimeError: no such unit")


async def test_a_worker_that_stops_leaves_it_to_the_next(world: Any, bench: Any) -> None:
    ident, walker = await asked(world), Stand()
    one = worker(world, bench, walker)
    await one.run_due(world.tenant_id)
    await walker.begun.wait()
    await one.backtests.close()
    assert (walker.stopped, (await found(world, ident)).state) == (1, State.QUEUED)

    world.pass_time(seconds=6)
    other = Stand()
    other.go.set()
    two = worker(world, bench, other)
    await two.run_due(world.tenant_id)
    await two.backtests.wait()
    assert (other.walked, (await found(world, ident)).state) == (1, State.DONE)


async def test_who_lost_the_lease_writes_nothing(world: Any, bench: Any, dsn: Any) -> None:
    ident, slow, fast = await asked(world), Stand(), Stand()
    one, two = worker(world, bench, slow), worker(world, bench, fast)
    fast.error = RuntimeError("of the second")
    await one.run_due(world.tenant_id)
    await slow.begun.wait()

    await lease_runs_out(dsn)
    world.pass_time(seconds=6)
    fast.go.set()
    await two.run_due(world.tenant_id)
    await two.backtests.wait()
    slow.go.set()
    await one.backtests.wait()

    assert (await found(world, ident)).error == "RuntimeError: of the second"


async def test_after_three_workers_that_died_it_is_given_up(
    world: Any, bench: Any, dsn: Any
) -> None:
    ident = await asked(world)
    for _ in range(3):
        async with bench.database.tenant(world.tenant_id) as connection:
            assert await kept.claim(connection, ident, world.clock.now()) is not None
            assert await kept.claim(connection, ident, world.clock.now()) is None
        await lease_runs_out(dsn)
    async with bench.database.tenant(world.tenant_id) as connection:
        assert await kept.claim(connection, ident, world.clock.now()) is None

    failed = await found(world, ident)
    assert (failed.state, failed.error) == (
        State.FAILED, "the worker that walked it ended several times",
    )  # fmt: skip


async def test_it_is_kept_for_thirty_days(world: Any, bench: Any) -> None:
    ident = await asked(world)
    await cancelled(world, ident)
    one = worker(world, bench, Stand())
    world.pass_time(days=30)
    await one.run_due(world.tenant_id)
    assert (await found(world, ident)).state is State.CANCELLED

    world.pass_time(minutes=11)
    await one.run_due(world.tenant_id)
    assert await world.rows("select 1 from loyalty.backtest where id = $1", ident) == []
