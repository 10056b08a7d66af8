"""Rates and turns: what one tenant asks for in a flood, the others do not pay for."""

import asyncio
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import pytest

from loyalty_graphql.admission import Admission, Allowances
from loyalty_graphql.admission.allowances import PER_OPERATION, PER_SECOND
from loyalty_graphql.admission.bucket import KEPT_MAX, Bucket, Buckets
from loyalty_graphql.rejection import Rejected
from loyalty_tenants.principal import Principal, Role

from .client import principal


@dataclass
class Clock:
    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(clock: Clock) -> Any:
    def admission(**numbers: Any) -> Admission:
        return Admission(Allowances(**numbers), monotonic=clock)

    return admission


def tenant() -> Principal:
    return replace(principal(), tenant_id=uuid4())


def of(owner: Principal, role: Role, name: str) -> Principal:
    return replace(owner, role=role, subject=name, client=f"{role.lower()}:{name}")


def wait(admission: Admission, caller: Principal | None) -> int:
    """The seconds that a caller is told to wait; 0 where it may go on."""
    try:
        admission.check(caller)
    except Rejected as refusal:
        no = refusal
    else:
        return 0
    assert (no.status, no.code) == (429, "RATE_LIMITED")
    assert no.headers == {"retry-after": str(no.retry_after)}
    assert no.complaint["extensions"] == {"code": "RATE_LIMITED", "retryAfter": no.retry_after}
    return no.retry_after or 0


def test_a_bucket_fills_at_its_rate_up_to_its_burst() -> None:
    bucket = Bucket(8.0, 16.0, 0.0)
    bucket.spend(16, 0.0)
    assert bucket.seconds_until_free(0.0) == 0
    bucket.spend(4, 0.0)
    assert bucket.seconds_until_free(0.0) == 0.5
    assert bucket.seconds_until_free(0.25) == 0.25
    assert bucket.seconds_until_free(0.5) == 0
    bucket.spend(24, 1_000.0)  # however long ago: the burst and no more
    assert bucket.seconds_until_free(1_000.0) == 1.0


def test_the_buckets_kept_are_bounded() -> None:
    buckets = Buckets(1.0, 1.0)
    for number in range(KEPT_MAX + 10):
        buckets.spend(number, 5, 0.0)
    assert len(buckets._kept) == KEPT_MAX
    assert buckets.seconds_until_free(KEPT_MAX, 0.0) == 4


def test_a_tenant_over_its_rate_waits_and_the_others_do_not(make: Any, clock: Clock) -> None:
    admission, greedy, modest = make(tenant_rate=1_000, burst_seconds=1.0), tenant(), tenant()
    admission.charge(greedy, 4_000 - PER_OPERATION)
    assert wait(admission, greedy) == 3
    assert wait(admission, modest) == 0
    assert wait(admission, None) == 0
    clock.now += 2.5
    assert wait(admission, greedy) == 1
    clock.now += 0.5
    assert wait(admission, greedy) == 0


def test_each_operation_costs_something(make: Any) -> None:
    admission, caller = make(tenant_rate=PER_OPERATION, burst_seconds=2.0), tenant()
    for _ in range(3):
        assert wait(admission, caller) == 0
        admission.charge(caller, 0)
    assert wait(admission, caller) == 1


def test_what_it_took_to_read_a_refused_request_is_charged(make: Any, clock: Clock) -> None:
    admission, caller = make(tenant_rate=PER_SECOND // 10, burst_seconds=1.0), tenant()
    with suppress(ValueError), admission.reading(caller):
        clock.now += 0.4
        raise ValueError("no document")
    assert wait(admission, caller) == 3  # a tenth of the time: 0.4 s are earned in 4, 1 was saved


def test_a_member_has_a_rate_of_their_own_within_the_tenants(make: Any, clock: Clock) -> None:
    admission = make(tenant_rate=1_000, member_rate=100, burst_seconds=1.0)
    brand = tenant()
    ada, grace = of(brand, Role.MEMBER, "ada"), of(brand, Role.MEMBER, "grace")
    admission.charge(ada, 300 - PER_OPERATION)
    assert [wait(admission, one) for one in (ada, grace, brand)] == [2, 0, 0]
    for number in range(20):
        admission.charge(of(brand, Role.MEMBER, str(number)), 100)
    assert wait(admission, grace) > 0
    assert wait(admission, brand) > 0


def test_a_partner_may_have_half_of_the_tenants(make: Any) -> None:
    admission, brand = make(tenant_rate=1_000, burst_seconds=1.0), tenant()
    partner = of(brand, Role.PARTNER, "airline")
    admission.charge(partner, 700)
    assert wait(admission, partner) == 1
    assert wait(admission, brand) == 0


def test_operators_and_strangers_use_up_nothing_of_a_tenant(make: Any) -> None:
    admission, brand = make(tenant_rate=100, burst_seconds=1.0), tenant()
    admission.charge(of(brand, Role.OPERATOR, "ops"), 10_000)
    admission.charge(None, 10_000)
    assert wait(admission, brand) == 0
    assert wait(admission, None) > 0
    assert wait(admission, of(tenant(), Role.OPERATOR, "ops")) > 0


def test_a_rate_of_nothing_is_no_limit(make: Any) -> None:
    admission, brand = make(tenant_rate=0, member_rate=0), tenant()
    for role in Role:
        admission.charge(of(brand, role, "x"), 10**9)
        assert wait(admission, of(brand, role, "x")) == 0


def test_operators_of_the_platform_are_told_once_a_minute(
    make: Any, clock: Clock, caplog: Any
) -> None:
    admission, caller = make(tenant_rate=1, burst_seconds=1.0), tenant()
    admission.charge(caller, 10**6)
    for _ in range(61):
        assert wait(admission, caller) > 0
        clock.now += 1.0
    assert caplog.text.count("are refused") == 2
    assert str(caller.tenant_id) in caplog.text


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
    make: Any, gather: Any, clock: Clock
) -> None:
    admission = make(in_flight=2, in_flight_alone=5)
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
    make: Any, gather: Any, clock: Clock
) -> None:
    admission = make(in_flight=2, in_flight_alone=5, alone_seconds=1.0)
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


async def test_who_waits_is_called_in_order_and_requests_before_events(make: Any) -> None:
    admission, caller, order = make(in_flight_alone=1), tenant(), []
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


async def test_only_so_many_wait_and_not_for_long(make: Any, gather: Any) -> None:
    admission = make(in_flight_alone=1, waiting=3, wait_seconds=0.05)
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
    make: Any, gather: Any
) -> None:
    admission, caller = make(in_flight_alone=1), tenant()
    crowd = gather(admission)
    async with AsyncExitStack() as held:
        await held.enter_async_context(admission.turn(caller))
        crowd.come(caller, 2)
        await crowd.settle()
    crowd.tasks[0].cancel()  # its turn came, and it has not heard of it
    await crowd.settle()
    assert crowd.running == {caller.tenant_id: 1}
    assert not crowd.tasks[1].done()


async def test_a_failure_in_the_block_gives_the_turn_back(make: Any) -> None:
    admission, caller = make(in_flight_alone=1), tenant()
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            async with admission.turn(caller):
                raise ZeroDivisionError


def test_sockets_are_counted_by_tenant(make: Any) -> None:
    admission, one, two = make(sockets=1), tenant(), tenant()
    with admission.socket(one) as first, admission.socket(one) as second:
        assert (first, second) == (True, False)
        with admission.socket(two) as other:
            assert other
    with admission.socket(one) as again:
        assert again
    assert admission._sockets == {}


SPEND = 'mutation { redeem(amount: "1") }'


async def test_over_http_it_is_429_with_retry_after_and_nothing_ran(edge: Any) -> None:
    edge.admission = Admission(Allowances(tenant_rate=1, burst_seconds=1.0))
    assert (await edge.post("{ ping }")).status_code == 200
    response = await edge.post(SPEND)
    assert response.status_code == 429
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == "RATE_LIMITED"
    assert int(response.headers["retry-after"]) == error["extensions"]["retryAfter"] >= 1
    assert edge.ran == []


async def test_a_refused_document_is_charged_over_http(edge: Any) -> None:
    edge.admission = Admission(Allowances(tenant_rate=1, burst_seconds=1.0))
    answers = [(await edge.post("{ nothing }")).status_code for _ in range(20)]
    assert answers[0] == 200  # the refusal itself, to a client of plain JSON
    assert answers[-1] == 429


async def test_on_a_socket_it_is_an_error_and_the_socket_stays(edge: Any, connect: Any) -> None:
    edge.admission = Admission(Allowances(tenant_rate=1, burst_seconds=1.0))
    peer = connect()
    await peer.greet()
    peer.subscribe("a", "{ ping }")
    assert [(await peer.hear())["type"] for _ in range(2)] == ["next", "complete"]
    peer.subscribe("b", SPEND)
    error = await peer.hear()
    assert (error["type"], error["id"]) == ("error", "b")
    assert error["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
    assert error["payload"][0]["extensions"]["retryAfter"] >= 1
    peer.say(type="ping")
    assert await peer.hear() == {"type": "pong"}
    assert edge.ran == []


async def test_one_socket_too_many_is_sent_away_for_now(edge: Any, connect: Any) -> None:
    edge.admission = Admission(Allowances(sockets=1))
    first, second = connect(), connect()
    await first.greet()
    assert (await second.event())["type"] == "websocket.accept"
    second.say(type="connection_init", payload={"authorization": "Bearer service"})
    assert await second.hear() == 1013
    first.leave()
    await asyncio.wait_for(first.app, 5)
    await connect().greet()


async def test_an_answer_that_waits_for_its_turn_too_long_is_429(edge: Any) -> None:
    edge.admission = Admission(Allowances(in_flight_alone=1, in_flight=1, wait_seconds=0.05))
    slow = asyncio.create_task(edge.post("{ slow }"))
    while not edge.contexts:
        await asyncio.sleep(0.01)
    response = await edge.post(SPEND)
    slow.cancel()
    assert response.status_code == 429
    assert edge.ran == []
