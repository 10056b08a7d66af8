"""A commit comes to nothing, or nobody hears what it came to, while the tenant's next batch is in
flight already (decision 66): each caller has its own outcome, and each key is booked once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from loyalty.database import Database
from loyalty.errors import Code, Refused
from loyalty.facts import MemberRef
from loyalty.recorder.lane import Lanes
from loyalty.recorder.recorder import Outcome, Recorder
from loyalty.settlement.request import Recorded
from tests.faults.proxy import Weather, proxy
from tests.faults.stand import through
from tests.kernel.concurrency.test_cancelling import all_come_free, none_idle_in_transaction
from tests.kernel.concurrency.test_races import give

GATE = 66  # an advisory lock; the commit of who asks under a key of `a` waits for it
# What is deferred is asked for at the commit. A sequence counts on through what is rolled back.
TRIGGER = """
create sequence test_tries;
create function test_at_commit() returns trigger language plpgsql security definer
  set lock_timeout = '30s' as $$ begin
  perform pg_advisory_xact_lock_shared({gate});
  {then}
  return null;
end $$;
create constraint trigger test_at_commit after insert on loyalty.command_key
  deferrable initially deferred for each row
  when (new.tenant_id = any('{{{tenants}}}') and new.key like 'a-%')
  execute function test_at_commit();
"""
GONE = """
drop trigger test_at_commit on loyalty.command_key;
drop function test_at_commit; drop sequence test_tries;
"""
REFUSED_TWICE = """
  if nextval('test_tries') <= 2 then raise exception 'not now' using errcode = '{state}'; end if;
"""
REFUSED_FOR_GOOD = """
  if new.key = 'a-1' then raise exception 'not this one' using errcode = '23514'; end if;
"""
_WAITING = """select pid from pg_locks where locktype = 'advisory' and objid = $1 and not granted
                 and database = (select oid from pg_database where datname = current_database())"""
_BLOCKED = """select count(*) from pg_stat_activity
               where datname = current_database() and cardinality(pg_blocking_pids(pid)) > 0"""
COUNT = 3


@dataclass(slots=True)
class Stage:
    """A lane with a pool of its own, and the superuser who holds up its commits."""

    world: Any
    admin: Any
    lanes: Lanes
    members: dict[str, MemberRef]

    @property
    def database(self) -> Database:
        return self.lanes.recorder.database

    def ask(self, name: str) -> "asyncio.Future[list[Outcome]]":
        """Three callers at once, whose requests share a batch."""
        world, who = self.world, self.members[name]
        requests = [give(world, who, 10**n, f"{name}-{n}") for n in range(COUNT)]
        calls = [self.lanes.record_many(world.tenant_id, [one]) for one in requests]
        return asyncio.ensure_future(_firsts(calls))

    async def held(self) -> int:
        """The process in whose commit the first batch waits."""
        return (await _held(self.admin, 1))[0]

    async def in_flight(self, batch: "asyncio.Future[list[Outcome]]") -> None:
        """It was begun and waits for the first one inside Postgres, or is through already."""
        async with asyncio.timeout(10):
            while not batch.done() and await self.admin.fetchval(_BLOCKED) < 2:
                await asyncio.sleep(0.005)

    async def open_gate(self) -> None:
        await self.admin.execute("select pg_advisory_unlock_all()")

    async def overlapping(self) -> tuple[list[Outcome], list[Outcome]]:
        """What became of a batch whose commit is let go once the next one is in flight, and of that
        one."""
        first = self.ask("a")
        await self.held()
        after = self.ask("b")
        await self.in_flight(after)
        await self.open_gate()
        return await first, await after

    async def all_is_well(self, size: int) -> None:
        """Each key is booked once, and every connection is there again."""
        await self.lanes.close()
        for name, member in self.members.items():
            held = (await self.world.balance(member)).available
            assert held == (222 if len(set(self.members.values())) == 1 else 111), name
        await self.world.audited()
        await all_come_free(self.database, size)
        await none_idle_in_transaction(self.world)


async def _held(admin: Any, count: int) -> list[int]:
    async with asyncio.timeout(10):
        while len(found := await admin.fetch(_WAITING, GATE)) < count:
            await asyncio.sleep(0.005)
    return [row[0] for row in found]


async def _firsts(calls: Any) -> list[Outcome]:
    return [outcome for (outcome,) in await asyncio.gather(*calls)]


@asynccontextmanager
async def gate(dsn: Any, then: str, *worlds: Any) -> AsyncIterator[Any]:
    """The superuser, who holds up commits of these tenants."""
    tenants = ",".join(str(world.tenant_id) for world in worlds)
    admin = await asyncpg.connect(dsn.admin)
    await admin.execute(TRIGGER.format(gate=GATE, then=then, tenants=tenants))
    await admin.execute(f"select pg_advisory_lock({GATE})")
    try:
        yield admin
    finally:
        await admin.execute("select pg_advisory_unlock_all()")
        await admin.execute(GONE)
        await admin.close()


@asynccontextmanager
async def staged(
    world: Any, dsn: Any, then: str = "", *, url: str = "", same: bool = True, **pool: Any
) -> AsyncIterator[Stage]:
    first = await world.member()
    members = {"a": first, "b": first if same else await world.member()}
    database = await Database.open(url or dsn.app, **pool)
    async with gate(dsn, then, world) as admin:
        yield Stage(world, admin, lanes_of(world, database), members)
    await database.close()


def lanes_of(world: Any, database: Database) -> Lanes:
    return Lanes(Recorder(database, world.plugins, world.recorder.setups, world.clock))


def codes(outcomes: Sequence[Outcome]) -> list[Code | None]:
    return [outcome.code if isinstance(outcome, Refused) else None for outcome in outcomes]


def replayed(outcomes: Sequence[Outcome]) -> list[bool]:
    return [isinstance(outcome, Recorded) and outcome.replayed for outcome in outcomes]


async def sent_again(stage: Stage, name: str, *, stood: bool) -> None:
    """What was not known is done by now: before, or by this; and the same ever after."""
    again = await stage.ask(name)
    assert (codes(again), replayed(again)) == ([None] * COUNT, [stood] * COUNT)
    after = await stage.ask(name)
    assert replayed(after) == [True] * COUNT
    assert [one.answer for one in again] == [one.answer for one in after]  # type: ignore[union-attr]


both = pytest.mark.parametrize("same", [True, False], ids=["one member", "two members"])


@both
async def test_a_commit_is_cut_before_it_stands(world: Any, dsn: Any, same: bool) -> None:
    async with staged(world, dsn, same=same, size=4) as stage:
        lost = stage.ask("a")
        pid = await stage.held()
        after = stage.ask("b")
        await stage.in_flight(after)
        await stage.admin.execute("select pg_terminate_backend($1)", pid)

        assert codes(await lost) == [Code.UNAVAILABLE] * COUNT
        assert (codes(await after), replayed(await after)) == ([None] * COUNT, [False] * COUNT)
        await stage.open_gate()
        await sent_again(stage, "a", stood=False)
        await sent_again(stage, "b", stood=True)
        await stage.all_is_well(4)


@both
async def test_the_answer_to_a_commit_is_cut(world: Any, dsn: Any, same: bool) -> None:
    async with (
        proxy(urlsplit(dsn.app).port or 5432) as between,
        staged(world, dsn, url=through(dsn.app, between.port), same=same, size=4) as stage,
    ):
        between.weather = Weather(cut_answer_to=b"commit\x00")
        lost = stage.ask("a")
        await stage.held()
        between.weather = Weather()  # whoever commits from here on hears of it
        after = stage.ask("b")
        await stage.in_flight(after)
        await stage.open_gate()

        assert codes(await lost) == [Code.UNAVAILABLE] * COUNT
        assert between.cuts == 1
        assert (codes(await after), replayed(await after)) == ([None] * COUNT, [False] * COUNT)
        await sent_again(stage, "a", stood=True)
        await sent_again(stage, "b", stood=True)
        await stage.all_is_well(4)


@both
@pytest.mark.parametrize("state", ["40001", "40P01"])
async def test_a_commit_is_refused_and_tried_again(
    world: Any, dsn: Any, state: str, same: bool
) -> None:
    then = REFUSED_TWICE.format(state=state)
    async with staged(world, dsn, then, same=same, size=4) as stage:
        for outcomes in await stage.overlapping():
            assert (codes(outcomes), replayed(outcomes)) == ([None] * COUNT, [False] * COUNT)
        assert await stage.admin.fetchval("select last_value from test_tries") == 2 + COUNT
        await sent_again(stage, "a", stood=True)
        await sent_again(stage, "b", stood=True)
        await stage.all_is_well(4)


@both
async def test_a_commit_is_refused_for_good_because_of_one(
    world: Any, dsn: Any, same: bool
) -> None:
    """The batch is halved until that one stands alone, beside the next batch."""
    async with staged(world, dsn, REFUSED_FOR_GOOD, same=same, size=4) as stage:
        first, after = await stage.overlapping()

        assert codes(first) == [None, Code.INTERNAL, None]
        assert codes(after) == [None] * COUNT
        await stage.admin.execute("alter table loyalty.command_key disable trigger test_at_commit")
        again = await stage.ask("a")
        assert (codes(again), replayed(again)) == ([None] * COUNT, [True, False, True])
        await sent_again(stage, "b", stood=True)
        await stage.all_is_well(4)


async def test_with_one_connection_the_next_batch_waits_for_it_in_the_lane(
    world: Any, dsn: Any
) -> None:
    """However long the commit takes: who waits there has not asked for one, and is not refused."""
    async with staged(world, dsn, size=1, acquire_timeout=0.3) as stage:
        first = stage.ask("a")
        await stage.held()
        after = stage.ask("b")
        await asyncio.wait([after], timeout=0.9)
        assert not after.done()
        await stage.open_gate()

        assert codes(await first) == codes(await after) == [None] * COUNT
        await stage.all_is_well(1)


async def test_next_batches_take_no_connection_that_others_would_have_to_wait_for(
    make_world: Callable[..., Awaitable[Any]], dsn: Any
) -> None:
    """Four tenants with a batch that is committed and one that waits, and four connections: no
    tenant has two. A fifth tenant is told so once its patience is over, and nobody else."""
    worlds = [await make_world() for _ in range(5)]
    members = [await world.member() for world in worlds]
    database = await Database.open(dsn.app, size=4, ready=4, acquire_timeout=0.3)
    lanes = [lanes_of(world, database) for world in worlds]

    def ask(number: int, name: str) -> "asyncio.Task[Recorded]":
        request = give(worlds[number], members[number], 1, f"{name}-1")
        return asyncio.create_task(lanes[number].record(worlds[number].tenant_id, request))

    async with gate(dsn, "", *worlds[:4]) as admin:
        first = [ask(number, "a") for number in range(4)]
        await _held(admin, 4)
        after = [ask(number, "b") for number in range(4)]
        with pytest.raises(Refused) as refused:
            await ask(4, "b")
        assert not any(one.done() for one in after)
        await admin.execute("select pg_advisory_unlock_all()")
        await asyncio.gather(*first, *after)

    assert refused.value.code is Code.OVERLOADED
    assert not (await ask(4, "b")).replayed
    for world, member in zip(worlds[:4], members, strict=False):
        assert (await world.balance(member)).available == 2
        await world.audited()
    await all_come_free(database, 4)
    await database.close()
