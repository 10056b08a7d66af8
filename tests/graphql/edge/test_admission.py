"""Rates: what one tenant asks for in a flood, the others do not pay for."""

import asyncio
from contextlib import suppress
from typing import Any

from loyalty_graphql.admission import Admission, Allowances
from loyalty_graphql.admission.allowances import PER_OPERATION, PER_SECOND
from loyalty_graphql.admission.bucket import KEPT_MAX, Bucket, Buckets
from loyalty_tenants.principal import Role

from .rationing import Clock, of, tenant, wait


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


def test_a_tenant_over_its_rate_waits_and_the_others_do_not(
    make_admission: Any, clock: Clock
) -> None:
    admission, greedy, modest = (
        make_admission(tenant_rate=1_000, burst_seconds=1.0),
        tenant(),
        tenant(),
    )
    admission.charge(greedy, 4_000 - PER_OPERATION)
    assert wait(admission, greedy) == 3
    assert wait(admission, modest) == 0
    assert wait(admission, None) == 0
    clock.now += 2.5
    assert wait(admission, greedy) == 1
    clock.now += 0.5
    assert wait(admission, greedy) == 0


def test_each_operation_costs_something(make_admission: Any) -> None:
    admission, caller = make_admission(tenant_rate=PER_OPERATION, burst_seconds=2.0), tenant()
    for _ in range(3):
        assert wait(admission, caller) == 0
        admission.charge(caller, 0)
    assert wait(admission, caller) == 1


def test_what_it_took_to_read_a_refused_request_is_charged(
    make_admission: Any, clock: Clock
) -> None:
    admission, caller = make_admission(tenant_rate=PER_SECOND // 10, burst_seconds=1.0), tenant()
    with suppress(ValueError), admission.reading(caller):
        clock.now += 0.4
        raise ValueError("no document")
    assert wait(admission, caller) == 3  # a tenth of the time: 0.4 s are earned in 4, 1 was saved


def test_a_member_has_a_rate_of_their_own_within_the_tenants(
    make_admission: Any, clock: Clock
) -> None:
    admission = make_admission(tenant_rate=1_000, member_rate=100, burst_seconds=1.0)
    brand = tenant()
    ada, grace = of(brand, Role.MEMBER, "ada"), of(brand, Role.MEMBER, "grace")
    admission.charge(ada, 300 - PER_OPERATION)
    assert [wait(admission, one) for one in (ada, grace, brand)] == [2, 0, 0]
    for number in range(20):
        admission.charge(of(brand, Role.MEMBER, str(number)), 100)
    assert wait(admission, grace) > 0
    assert wait(admission, brand) > 0


def test_a_partner_may_have_half_of_the_tenants(make_admission: Any) -> None:
    admission, brand = make_admission(tenant_rate=1_000, burst_seconds=1.0), tenant()
    partner = of(brand, Role.PARTNER, "airline")
    admission.charge(partner, 700)
    assert wait(admission, partner) == 1
    assert wait(admission, brand) == 0


def test_operators_and_strangers_use_up_nothing_of_a_tenant(make_admission: Any) -> None:
    admission, brand = make_admission(tenant_rate=100, burst_seconds=1.0), tenant()
    admission.charge(of(brand, Role.OPERATOR, "ops"), 10_000)
    admission.charge(None, 10_000)
    assert wait(admission, brand) == 0
    assert wait(admission, None) > 0
    assert wait(admission, of(tenant(), Role.OPERATOR, "ops")) > 0


def test_a_rate_of_nothing_is_no_limit(make_admission: Any) -> None:
    admission, brand = make_admission(tenant_rate=0, member_rate=0), tenant()
    for role in Role:
        admission.charge(of(brand, role, "x"), 10**9)
        assert wait(admission, of(brand, role, "x")) == 0


def test_operators_of_the_platform_are_told_once_a_minute(
    make_admission: Any, clock: Clock, caplog: Any
) -> None:
    admission, caller = make_admission(tenant_rate=1, burst_seconds=1.0), tenant()
    admission.charge(caller, 10**6)
    for _ in range(61):
        assert wait(admission, caller) > 0
        clock.now += 1.0
    assert caplog.text.count("are refused") == 2
    assert str(caller.tenant_id) in caplog.text


def test_sockets_are_counted_by_tenant(make_admission: Any) -> None:
    admission, one, two = make_admission(sockets=1), tenant(), tenant()
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
