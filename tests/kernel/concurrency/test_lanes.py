"""Lanes: what waits is bounded, and a batch keeps no till waiting."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest

from loyalty.commands import AdjustBalance
from loyalty.errors import Code, Refused
from loyalty.facts import MemberRef
from loyalty.recorder.lane import Lanes
from loyalty.recorder.recorder import Outcome, Recorder
from loyalty.settlement.request import ClientKey, Recorded, Request


class Doors(Recorder):
    """Records only while its door is open, and notes what each transaction was asked."""

    def __init__(self, world: Any) -> None:
        inner = world.recorder
        super().__init__(inner.database, inner.plugins, inner.setups, inner.clock)
        self.open_door = asyncio.Event()
        self.transactions: list[list[str]] = []
        self.inside = self.most_inside = 0

    async def record_many(
        self, tenant_id: UUID, requests: Sequence[Request], **how: Any
    ) -> list[Outcome]:
        self.transactions.append([key_of(request) for request in requests])
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        await self.open_door.wait()
        try:
            return await super().record_many(tenant_id, requests, **how)
        finally:
            self.inside -= 1


def key_of(request: Request) -> str:
    assert request.client_key is not None
    return request.client_key.key


def gifts(world: Any, member: MemberRef, name: str, count: int) -> list[Request]:
    """Requests `name-0`, `name-1`, ...: a point each."""
    return [
        Request(
            fact=AdjustBalance(
                member=member, occurred_at=world.clock.now(), unit="points", amount=1,
                reason_code="TEST",
            ),
            actor="test",
            client_key=ClientKey("till", f"{name}-{number}"),
        )
        for number in range(count)
    ]  # fmt: skip


async def settled() -> None:
    """Let the call wait in its lane, and the lane begin what it can."""
    for _ in range(3):
        await asyncio.sleep(0)


@pytest.fixture
def doors(world: Any) -> Doors:
    return Doors(world)


class Callers:
    """Calls of one lane, in the order in which they arrive."""

    def __init__(self, world: Any, lanes: Lanes, member: MemberRef) -> None:
        self.world, self.lanes, self.member = world, lanes, member

    async def call(self, name: str, count: int) -> "asyncio.Task[list[Outcome]]":
        requests = gifts(self.world, self.member, name, count)
        call = self.lanes.record_many(self.world.tenant_id, requests)
        task = asyncio.ensure_future(call)
        await settled()
        return task

    async def till(self, name: str) -> "asyncio.Task[Recorded]":
        (request,) = gifts(self.world, self.member, name, 1)
        task = asyncio.ensure_future(self.lanes.record(self.world.tenant_id, request))
        await settled()
        return task


@pytest.fixture
async def callers(world: Any, doors: Doors) -> Callers:
    return Callers(world, Lanes(doors, size=4, waiting=6), await world.member())


async def test_a_batch_goes_in_parts_and_its_outcomes_come_in_order(
    world: Any, doors: Doors, callers: Callers
) -> None:
    doors.open_door.set()
    requests = gifts(world, callers.member, "b", 10)
    requests[6] = Request(
        fact=AdjustBalance(
            member=callers.member, occurred_at=world.clock.now(), unit="gold", amount=1,
            reason_code="TEST",
        ),
        actor="test", client_key=ClientKey("till", "b-6"),
    )  # fmt: skip

    outcomes = await callers.lanes.record_many(world.tenant_id, requests)

    assert [isinstance(outcome, Recorded) for outcome in outcomes] == [True] * 6 + [False] + [
        True
    ] * 3
    assert [len(transaction) for transaction in doors.transactions] == [4, 4, 2]
    assert [key for part in doors.transactions for key in part] == [f"b-{n}" for n in range(10)]
    assert (await world.balance(callers.member)).available == 9


async def test_nothing_is_recorded_of_nothing(world: Any, doors: Doors, callers: Callers) -> None:
    assert await callers.lanes.record_many(world.tenant_id, []) == []
    assert doors.transactions == []


class Commits(Doors):
    """Notes when a batch begins, when only its commit is left, and when that is through."""

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self.open_door.set()
        self.story: list[str] = []

    async def record_many(
        self, tenant_id: UUID, requests: Sequence[Request], **how: Any
    ) -> list[Outcome]:
        name = "+".join(key_of(request) for request in requests)
        if (decided := how.get("decided")) is not None:

            def told() -> None:
                self.story.append(f"decided {name}")
                decided()

            how["decided"] = told
        self.story.append(f"begin {name}")
        try:
            return await super().record_many(tenant_id, requests, **how)
        finally:
            self.story.append(f"end {name}")


async def test_the_next_batch_is_decided_while_the_one_before_it_is_committed(world: Any) -> None:
    doors = Commits(world)
    callers = Callers(world, Lanes(doors), await world.member())

    await asyncio.gather(*[await callers.till(name) for name in "abcd"])

    told = {line: place for place, line in enumerate(doors.story)}
    batches = [line.removeprefix("begin ") for line in doors.story if line.startswith("begin")]
    assert batches[0] == "a-0"
    assert len(batches) > 1
    for one, after in pairwise(batches):
        assert told[f"begin {one}"] < told[f"decided {one}"] < told[f"begin {after}"]
        assert told[f"begin {after}"] < told[f"end {one}"]  # they are of one member: it waits
    assert doors.most_inside == 2
    assert (await world.balance(callers.member)).available == 4


async def test_what_comes_later_in_a_call_is_begun_when_what_came_before_it_stands(
    world: Any,
) -> None:
    doors = Commits(world)
    callers = Callers(world, Lanes(doors, size=2), await world.member())

    await (await callers.call("a", 5))

    assert doors.story == [
        *("begin a-0+a-1", "end a-0+a-1", "begin a-2+a-3", "end a-2+a-3"),
        *("begin a-4", "decided a-4", "end a-4"),
    ]
    assert doors.most_inside == 1


async def test_a_till_rides_with_the_next_transaction_however_many_batches_wait(
    doors: Doors, callers: Callers
) -> None:
    calls = [await callers.call("a", 6), await callers.call("b", 4)]
    tills = [await callers.till(f"t{n}") for n in range(3)]
    doors.open_door.set()
    await asyncio.gather(*calls, *tills)

    # Half of each where both wait, in the order of their coming; a batch keeps its own order.
    assert doors.transactions == [
        ["a-0", "a-1", "a-2", "a-3"],
        ["t0-0", "t1-0", "a-4", "a-5"],
        ["t2-0", "b-0", "b-1", "b-2"],
        ["b-3"],
    ]


async def test_tills_do_not_keep_a_batch_waiting_either(doors: Doors, callers: Callers) -> None:
    calls = [await callers.till("t0")]
    calls += [await callers.till(f"t{n}") for n in range(1, 7)]
    batch = await callers.call("b", 2)
    doors.open_door.set()
    await asyncio.gather(*calls, batch)

    assert doors.transactions[:2] == [["t0-0"], ["t1-0", "t2-0", "b-0", "b-1"]]


async def test_a_batch_that_finds_no_room_is_refused_whole_and_tills_have_room_of_their_own(
    world: Any, doors: Doors, callers: Callers
) -> None:
    under_way = await callers.call("a", 4)
    waiting = [await callers.call("b", 3), await callers.call("c", 3)]

    with pytest.raises(Refused) as refused:
        async with asyncio.timeout(5):
            await callers.lanes.record_many(world.tenant_id, gifts(world, callers.member, "d", 2))
    tills = [await callers.till(f"t{n}") for n in range(6)]
    with pytest.raises(Refused) as no_room:
        await asyncio.wait_for(await callers.till("t6"), 5)
    doors.open_door.set()
    await asyncio.gather(under_way, *waiting, *tills)

    assert (refused.value.code, no_room.value.code) == (Code.OVERLOADED, Code.OVERLOADED)
    assert (await world.balance(callers.member)).available == 4 + 6 + 6
    again = await callers.lanes.record_many(world.tenant_id, gifts(world, callers.member, "d", 2))
    assert [isinstance(one, Recorded) and one.replayed for one in again] == [False, False]


async def test_a_call_larger_than_all_room_is_taken_where_nothing_waits(
    doors: Doors, callers: Callers
) -> None:
    first = await callers.call("a", 50)
    with pytest.raises(Refused):
        await asyncio.wait_for(await callers.call("b", 2), 5)
    doors.open_door.set()

    assert len(await first) == 50


async def test_a_batch_whose_caller_goes_away_is_recorded_whole(
    world: Any, doors: Doors, callers: Callers
) -> None:
    gone = await callers.call("a", 8)
    other = await callers.call("b", 2)
    gone.cancel()
    doors.open_door.set()
    await asyncio.gather(gone, return_exceptions=True)

    assert all(isinstance(outcome, Recorded) for outcome in await other)
    await callers.lanes.close()
    assert gone.cancelled()
    assert (await world.balance(callers.member)).available == 10


async def test_what_comes_later_in_a_batch_does_not_overtake_what_found_no_connection(
    world: Any, monkeypatch: pytest.MonkeyPatch, callers: Callers, doors: Doors
) -> None:
    inner = doors.record_many

    async def full_at_first(
        tenant_id: UUID, requests: Sequence[Request], **how: Any
    ) -> list[Outcome]:
        if not doors.transactions:
            doors.transactions.append([])
            raise Refused(Code.OVERLOADED, "no connection came free")
        return await inner(tenant_id, requests, **how)

    monkeypatch.setattr(doors, "record_many", full_at_first)
    doors.open_door.set()

    calls = [await callers.call("a", 6), await callers.call("b", 2)]
    given_up, other = await asyncio.gather(*calls)

    assert [getattr(outcome, "code", None) for outcome in given_up] == [Code.OVERLOADED] * 6
    assert [isinstance(outcome, Recorded) for outcome in other] == [True, True]
    assert doors.transactions == [[], ["b-0", "b-1"]]
    # There is room again for as much as before.
    third = await callers.lanes.record_many(world.tenant_id, gifts(world, callers.member, "c", 6))
    assert len(third) == 6
