import asyncio
from collections.abc import Sequence
from contextvars import ContextVar
from uuid import uuid4

import pytest

from loyalty.cache.cached_balance import CachedBalance
from loyalty.cache.flights import Flights, Want

TENANT = uuid4()
A, B, C = ((uuid4(), "points") for _ in range(3))
context: ContextVar[str] = ContextVar("context", default="fresh")


class Postgres:
    """Counts what it is asked; each load answers the version there was when it took off."""

    def __init__(self) -> None:
        self.version = 1
        self.asked: list[list[Want]] = []
        self.go = asyncio.Event()

    async def load(self, wants: Sequence[Want]) -> dict[Want, CachedBalance]:
        self.asked.append(list(wants))
        version = self.version
        await self.go.wait()
        return {want: CachedBalance(version=version) for want in wants}


async def several_turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_hundred_readers_are_one_load() -> None:
    flights, postgres = Flights(), Postgres()
    readers = [asyncio.create_task(flights.load(TENANT, [A], postgres.load, {})) for _ in range(99)]
    readers.append(asyncio.create_task(flights.load(TENANT, [B, A], postgres.load, {})))
    await several_turns()
    postgres.go.set()
    answers = await asyncio.gather(*readers)
    assert postgres.asked == [[A], [B]]
    assert all(answer[A].version == 1 for answer in answers)
    assert set(answers[-1]) == {A, B}


async def test_another_tenants_same_want_is_its_own_load() -> None:
    flights, postgres = Flights(), Postgres()
    postgres.go.set()
    await asyncio.gather(*(flights.load(uuid4(), [A], postgres.load, {}) for _ in range(2)))
    assert postgres.asked == [[A], [A]]


async def test_a_load_from_before_ones_own_write_is_not_enough() -> None:
    flights, postgres = Flights(), Postgres()
    early = asyncio.create_task(flights.load(TENANT, [A, B], postgres.load, {}))
    await several_turns()
    postgres.version = 2
    writers = [
        asyncio.create_task(flights.load(TENANT, [A, C], postgres.load, {A: 2, C: 2}))
        for _ in range(20)
    ]
    await several_turns()
    postgres.go.set()
    assert (await early)[A].version == 1
    assert all(answer[A].version == 2 for answer in await asyncio.gather(*writers))
    assert postgres.asked == [[A, B], [C], [A]]


async def test_a_reader_that_goes_away_leaves_the_others_their_answer() -> None:
    flights, postgres = Flights(), Postgres()
    first = asyncio.create_task(flights.load(TENANT, [A], postgres.load, {}))
    second = asyncio.create_task(flights.load(TENANT, [A], postgres.load, {}))
    await several_turns()
    first.cancel()
    await several_turns()
    postgres.go.set()
    assert (await second)[A].version == 1
    assert first.cancelled()
    assert len(postgres.asked) == 1


async def test_a_failed_load_fails_all_who_waited_and_none_after() -> None:
    flights = Flights()
    fails = True

    async def load(wants: Sequence[Want]) -> dict[Want, CachedBalance]:
        await asyncio.sleep(0)
        if fails:
            raise LookupError("no database")
        return {A: CachedBalance(version=1)}

    answers = await asyncio.gather(
        *(flights.load(TENANT, [A], load, {}) for _ in range(3)), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [LookupError] * 3
    fails = False
    assert await flights.load(TENANT, [A], load, {}) == {A: CachedBalance(version=1)}


async def test_a_load_does_not_run_in_its_first_readers_context() -> None:
    seen: list[str] = []

    async def load(wants: Sequence[Want]) -> dict[Want, CachedBalance]:
        seen.append(context.get())
        return {}

    token = context.set("a transaction of the first reader")
    assert await Flights().load(TENANT, [A], load, {}) == {}
    context.reset(token)
    assert seen == ["fresh"]


async def test_closing_ends_what_is_under_way() -> None:
    flights, postgres = Flights(), Postgres()
    reader = asyncio.create_task(flights.load(TENANT, [A], postgres.load, {}))
    await several_turns()
    before = asyncio.all_tasks()
    await flights.close()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert len(asyncio.all_tasks()) <= len(before) - 2
