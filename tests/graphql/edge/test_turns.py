"""Turns: how many operations of a tenant run at once, beside others and alone."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest

from loyalty_graphql.admission import Admission
from loyalty_graphql.rejection import Rejected
from loyalty_tenants.principal import Principal

from .rationing import Clock, tenant, wait


class Crowd:
    """Operations that run until they are told to end."""

    def __init__(self, admission: Admission) -> None:
        self.admission = admission
        self.running: dict[Any, int] = {}
        self.ends = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []

    def come(self, caller: Principal, times: int, **more: Any) -> list[asyncio.Task[None]]:
        came = [asyncio.create_task(self._run(caller, **more)) for _ in range(times)]
        self.tasks += came
        return came

    async def _run(self, caller: Principal, **more: Any) -> None:
        async with self.admission.turn(caller, **more):
            self.running[caller.tenant_id] = self.running.get(caller.tenant_id, 0) + 1
            try:
                await self.ends.wait()
            finally:
                self.running[caller.tenant_id] -= 1

    async def settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)


@pytest.fixture
async def gather() -> Any:
    crowds: list[Crowd] = []

    def make_crowd(admission: Admission) -> Crowd:
        crowds.append(Crowd(admission))
        return crowds[-1]

    yield make_crowd
    for crowd in crowds:
        for task in crowd.tasks:
            task.cancel()
        await asyncio.gather(*crowd.tasks, return_exceptions=True)


async def test_a_tenant_alone_has_many_turns_and_few_beside_others(
    make_admission: Any, gather: Any, clock: Clock
) -> None:
    admission = make_admission(in_flight=2, in_flight_alone=5)
    crowd, one, two = gather(admission), tenant(), tenant()
    crowd.come(one, 10)
    await crowd.settle()
    assert crowd.running[one.tenant_id] == 5
    crowd.come(two, 10)
    await crowd.settle()
    assert crowd.running == {one.tenant_id: 5, two.tenant_id: 2}
    for task in crowd.tasks[:4]:
        task.cancel()
    await crowd.settle()
    assert crowd.running == {one.tenant_id: 2, two.tenant_id: 2}  # five, less four, and one more


async def test_a_tenant_that_went_away_is_no_neighbour_any_more(
    make_admission: Any, gather: Any, clock: Clock
) -> None:
    admission = make_admission(in_flight=2, in_flight_alone=5, alone_seconds=1.0)
    crowd, one, two = gather(admission), tenant(), tenant()
    async with admission.turn(two):
        crowd.come(one, 10)
        await crowd.settle()
        assert crowd.running[one.tenant_id] == 2
    clock.now += 1.5
    crowd.tasks[0].cancel()
    await crowd.settle()
    assert crowd.running[one.tenant_id] == 5
    assert len(admission._turns._lines) == 1


async def test_who_waits_is_called_in_order_and_requests_before_events(make_admission: Any) -> None:
    admission, caller, order = make_admission(in_flight_alone=1), tenant(), []
    go = asyncio.Event()

    async def first() -> None:
        async with admission.turn(caller):
            await go.wait()

    async def then(name: str, **more: Any) -> None:
        async with admission.turn(caller, **more):
            order.append(name)

    tasks = [asyncio.create_task(first())]
    await asyncio.sleep(0)
    for name, event in (("e1", True), ("a", False), ("b", False), ("e2", True), ("c", False)):
        tasks.append(asyncio.create_task(then(name, event=event)))
    await asyncio.sleep(0)
    tasks[2].cancel()
    await asyncio.sleep(0)
    go.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert order == ["b", "c", "e1", "e2"]


async def test_only_so_many_wait_and_not_for_long(make_admission: Any, gather: Any) -> None:
    admission = make_admission(in_flight_alone=1, waiting=3, wait_seconds=0.05)
    crowd, caller = gather(admission), tenant()
    crowd.come(caller, 1)
    await crowd.settle()
    waiting = crowd.come(caller, 3)
    await crowd.settle()
    assert wait(admission, caller) == 1  # before anything of it is read
    with pytest.raises(Rejected):
        await crowd.come(caller, 1)[0]
    event = crowd.come(caller, 1, event=True)[0]
    for task in waiting:
        with pytest.raises(Rejected):
            await task
    assert wait(admission, caller) == 0
    crowd.tasks[0].cancel()
    await crowd.settle()
    assert crowd.running[caller.tenant_id] == 1
    assert not event.done()


async def test_who_is_called_and_goes_away_in_the_same_moment_hands_its_turn_on(
    make_admission: Any, gather: Any
) -> None:
    admission, caller = make_admission(in_flight_alone=1), tenant()
    crowd = gather(admission)
    async with AsyncExitStack() as held:
        await held.enter_async_context(admission.turn(caller))
        crowd.come(caller, 2)
        await crowd.settle()
    crowd.tasks[0].cancel()  # its turn came, and it has not heard of it
    await crowd.settle()
    assert crowd.running == {caller.tenant_id: 1}
    assert not crowd.tasks[1].done()


async def test_a_failure_in_the_block_gives_the_turn_back(make_admission: Any) -> None:
    admission, caller = make_admission(in_flight_alone=1), tenant()
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            async with admission.turn(caller):
                raise ZeroDivisionError


async def test_messages_that_come_at_once_are_taken_in_turns(connect: Any) -> None:
    peer, turns = connect(), 0
    await peer.greet()

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    for _ in range(300):
        peer.say(type="pong")
    peer.say(type="ping")
    beside = asyncio.create_task(others())
    assert await peer.hear() == {"type": "pong"}
    beside.cancel()
    assert turns > 300
