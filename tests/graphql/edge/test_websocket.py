"""Subscriptions: who may open them, what is sent, and what ends a socket."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

TICKS = "subscription ($n: Int!) { ticks(upto: $n) }"


async def until(condition: Any) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


async def test_events_come_in_order_and_end(edge: Any, connect: Any) -> None:
    peer = connect()
    await peer.greet()
    peer.subscribe("a", TICKS, variables={"n": 3})
    heard = [await peer.hear() for _ in range(4)]
    assert heard == [
        *({"id": "a", "type": "next", "payload": {"data": {"ticks": n}}} for n in range(3)),
        {"id": "a", "type": "complete"},
    ]
    assert edge.ran == ["open", "closed"]


async def test_each_event_has_a_context_of_its_own(edge: Any, connect: Any) -> None:
    peer = connect()
    await peer.greet()
    peer.subscribe("a", TICKS, variables={"n": 3})
    for _ in range(4):
        await peer.hear()
    assert len(edge.contexts) == 1 + 3
    assert len({id(context) for context in edge.contexts}) == 4


async def test_queries_and_mutations_run_under_the_same_limits(edge: Any, connect: Any) -> None:
    peer = connect()
    await peer.greet()
    peer.subscribe("q", "{ ping }")
    assert await peer.hear() == {"id": "q", "type": "next", "payload": {"data": {"ping": "pong"}}}
    assert await peer.hear() == {"id": "q", "type": "complete"}
    peer.subscribe("m", 'mutation { redeem(amount: "1") again: redeem(amount: "2") }')
    error = await peer.hear()
    assert error["type"] == "error"
    assert error["payload"][0]["extensions"]["limit"] == "money_fields"
    assert edge.ran == []


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"query": "subscription { nothing }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "subscription {"}, "GRAPHQL_PARSE_FAILED"),
        ({"query": TICKS}, "BAD_USER_INPUT"),
        ({"query": 1}, "BAD_REQUEST"),
        ({"query": TICKS, "variables": []}, "BAD_REQUEST"),
        ({"query": "query A { ping } query B { ping }"}, "OPERATION_RESOLUTION_FAILURE"),
        ({"query": "subscription { secrets }"}, "FORBIDDEN"),
    ],
)
async def test_a_refused_operation_is_answered_and_the_socket_stays(
    connect: Any, payload: Any, code: str
) -> None:
    peer = connect()
    await peer.greet()
    peer.say(type="subscribe", id="a", payload=payload)
    error = await peer.hear()
    assert (error["type"], error["id"]) == ("error", "a")
    assert error["payload"][0]["extensions"]["code"] == code
    peer.subscribe("a", "{ ping }")
    assert (await peer.hear())["type"] == "next"


async def test_a_stream_that_breaks_tells_nothing(connect: Any, caplog: Any) -> None:
    peer = connect()
    await peer.greet()
    peer.subscribe("a", "subscription { ticks(upto: 1, fails: true) }")
    assert (await peer.hear())["type"] == "next"
    error = await peer.hear()
    assert error["payload"][0]["extensions"]["code"] == "INTERNAL"
    assert "hunter2" not in str(error)
    assert "hunter2" in caplog.text


async def test_a_completed_stream_is_closed_and_says_no_more(edge: Any, connect: Any) -> None:
    peer = connect()
    await peer.greet()
    peer.subscribe("a", TICKS, variables={"n": 10**9})
    await peer.hear()
    peer.say(type="complete", id="a")
    await until(lambda: edge.ran == ["open", "closed"])
    peer.say(type="ping")
    while (heard := await peer.hear())["type"] == "next":
        assert heard["id"] == "a"
    assert heard == {"type": "pong"}


async def test_no_stream_outlives_its_socket(edge: Any, connect: Any) -> None:
    peer = connect()
    await peer.greet()
    for name in "abc":
        peer.subscribe(name, TICKS, variables={"n": 10**9})
    await until(lambda: edge.ran.count("open") == 3)
    peer.leave()
    await asyncio.wait_for(peer.app, 5)
    assert edge.ran.count("closed") == 3


async def closed_with(peer: Any) -> int:
    while not isinstance(heard := await peer.hear(), int):
        pass
    return heard


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ([{"type": "subscribe", "id": "a", "payload": {"query": "{ ping }"}}], 4401),
        ([{"type": "connection_init"}], 4403),
        ([{"type": "connection_init", "payload": {"authorization": "Bearer nobody"}}], 4403),
        ([{"type": "connection_init", "payload": {"authorization": ["Bearer service"]}}], 4403),
        ([{"type": "connection_init", "payload": [1]}], 4400),
        ([{"type": "start", "id": "a"}], 4400),
        ([{"id": "a"}], 4400),
        ([{"type": 1}], 4400),
        ([{"type": "complete"}], 4400),
    ],
)
async def test_a_stranger_is_shown_out(
    edge: Any, connect: Any, messages: list[dict[str, Any]], code: int
) -> None:
    peer = connect()
    assert (await peer.event())["type"] == "websocket.accept"
    for message in messages:
        peer.say(**message)
    assert await closed_with(peer) == code
    assert edge.ran == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", 4400),
        ("[]", 4400),
        ("null", 4400),
        ("[" * 100_000, 4400),
        ('{"type": "ping", "x": "\\u0000"}', 4400),
        ("\ud800", 4400),
        (" " * 300_000, 1009),
        ('{"type": "connection_init"}', 4429),
        ('{"type": "subscribe", "payload": {"query": "{ ping }"}}', 4400),
        ('{"type": "subscribe", "id": "", "payload": {"query": "{ ping }"}}', 4400),
        ('{"type": "subscribe", "id": "a", "payload": []}', 4400),
        ('{"type": "subscribe", "id": 1, "payload": {"query": "{ ping }"}}', 4400),
    ],
)
async def test_what_is_no_message_ends_the_socket(connect: Any, text: str, code: int) -> None:
    peer = connect()
    await peer.greet()
    peer.say_raw(text)
    assert await closed_with(peer) == code


async def test_a_name_in_use_ends_the_socket(connect: Any) -> None:
    peer = connect()
    await peer.greet()
    peer.subscribe("a", TICKS, variables={"n": 10**9})
    peer.subscribe("a", TICKS, variables={"n": 1})
    assert await closed_with(peer) == 4409


async def test_one_that_says_nothing_is_shown_out(edge: Any, connect: Any) -> None:
    edge.numbers = replace(edge.numbers, init_seconds=0.05)
    peer = connect()
    assert (await peer.event())["type"] == "websocket.accept"
    assert await closed_with(peer) == 4408


@pytest.mark.parametrize("offered", [[], ["graphql-ws"], ["graphql-ws", "soap"]])
async def test_the_old_protocol_is_not_spoken(connect: Any, offered: list[str]) -> None:
    peer = connect(subprotocols=offered)
    assert (await peer.event()).get("subprotocol") is None
    assert await peer.hear() == 4406


@pytest.mark.parametrize(
    ("origin", "welcome"),
    [
        ("http://shop.test", True),
        ("https://console.example", True),
        ("https://evil.example", False),
        ("https://shop.test.evil.example", False),
        ("null", False),
        ("http://[", False),
    ],
)
async def test_pages_of_strangers_cannot_open_sockets(
    edge: Any, connect: Any, origin: str, welcome: bool
) -> None:
    edge.origins = frozenset({"https://console.example"})
    peer = connect(headers={"origin": origin})
    expected = "websocket.accept" if welcome else "websocket.close"
    assert (await peer.event())["type"] == expected


async def test_a_token_in_the_address_is_not_looked_at(connect: Any) -> None:
    peer = connect(query_string=b"authorization=Bearer%20service&token=service")
    await peer.event()
    peer.say(type="connection_init")
    assert await closed_with(peer) == 4403


async def test_credentials_of_the_handshake_do_for_clients_that_can_set_them(connect: Any) -> None:
    peer = connect(headers={"authorization": "Bearer service"})
    await peer.event()
    peer.say(type="connection_init")
    assert await peer.hear() == {"type": "connection_ack"}


async def test_the_51st_operation_at_once_is_refused(edge: Any, connect: Any) -> None:
    edge.numbers = replace(edge.numbers, waiting_messages=10_000)
    peer = connect()
    await peer.greet()
    for number in range(51):
        peer.subscribe(str(number), TICKS, variables={"n": 10**9})
    while (heard := await peer.hear())["type"] != "error":
        pass
    assert heard["id"] == "50"
    assert heard["payload"][0]["extensions"] == {"code": "LIMIT_EXCEEDED", "limit": "subscriptions"}


async def test_an_expired_token_ends_the_socket(edge: Any, connect: Any) -> None:
    edge.clock.advance(timedelta(seconds=29.9))  # of its 30
    peer = connect()
    await peer.greet("expiring")
    edge.clock.advance(timedelta(seconds=0.1))
    event = await peer.event(seconds=1)
    assert (event["code"], event["reason"]) == (4403, "Token expired")


async def test_a_revoked_key_ends_the_socket(edge: Any, connect: Any) -> None:
    edge.numbers = replace(edge.numbers, revalidate_seconds=0.05)
    peer = connect()
    await peer.greet()
    with pytest.raises(TimeoutError):
        await peer.event(0.2)
    edge.revoked.add("till")
    assert await peer.hear() == 4403


async def test_a_check_that_fails_for_other_reasons_keeps_the_socket(
    edge: Any, connect: Any, caplog: Any
) -> None:
    edge.numbers = replace(edge.numbers, revalidate_seconds=0.02)
    peer = connect()
    await peer.greet()
    edge.revoked = None  # so that the check itself breaks
    await until(lambda: "could not be checked" in caplog.text)
    peer.say(type="ping")
    assert await peer.hear() == {"type": "pong"}


async def test_one_that_does_not_read_is_cut_off(edge: Any, connect: Any) -> None:
    peer = connect()
    await peer.greet()
    peer.reads.clear()
    peer.subscribe("a", TICKS, variables={"n": 10**9})
    await until(lambda: edge.ran == ["open", "closed"])
    peer.reads.set()
    assert await closed_with(peer) == 4290


async def test_a_burst_is_no_reason_to_cut_off_one_that_reads(connect: Any) -> None:
    peer = connect()
    await peer.greet()
    peer.subscribe("a", TICKS, variables={"n": 1_000})
    heard = [await peer.hear() for _ in range(1_001)]
    assert heard[-1] == {"id": "a", "type": "complete"}


async def test_pings_are_answered_before_and_after_the_greeting(connect: Any) -> None:
    peer = connect()
    await peer.event()
    peer.say(type="ping", payload={"any": "thing"})
    peer.say(type="pong")
    assert await peer.hear() == {"type": "pong"}
