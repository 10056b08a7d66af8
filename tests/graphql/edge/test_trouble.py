"""The platform in trouble, and at its end: clients are told so, and that it is not their fault."""

import asyncio
from dataclasses import replace
from typing import Any

TICKS = "subscription ($n: Int!) { ticks(upto: $n) }"


async def closed_with(peer: Any) -> int:
    while not isinstance(heard := await peer.hear(), int):
        pass
    return heard


async def test_an_answer_that_came_to_nothing_for_lack_of_a_database_is_503(edge: Any) -> None:
    response = await edge.post("{ away }")

    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    assert response.json()["data"] == {"away": None}
    assert response.json()["errors"][0]["extensions"] == {"code": "UNAVAILABLE"}


async def test_what_came_about_all_the_same_is_answered_as_ever(edge: Any) -> None:
    response = await edge.post("{ away ping }")

    assert response.status_code == 200
    assert "retry-after" not in response.headers
    assert response.json()["data"] == {"away": None, "ping": "pong"}


async def test_a_credential_that_nobody_verifies_in_time_is_sent_again_later(edge: Any) -> None:
    edge.numbers = replace(edge.numbers, credential_seconds=0.05)
    response = await edge.post("{ ping }", caller="patient")

    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    assert response.json()["errors"][0]["extensions"] == {"code": "OVERLOADED"}


async def test_a_process_that_is_about_to_end_says_goodbye(edge: Any, connect: Any) -> None:
    peer = connect()
    await peer.greet()
    peer.subscribe("a", TICKS, variables={"n": 10**9})
    edge.leaving.set()
    assert await closed_with(peer) == 1001
    assert edge.ran == ["open", "closed"]


async def test_a_platform_in_trouble_does_not_call_a_credential_bad(connect: Any) -> None:
    peer = connect()
    assert (await peer.event())["type"] == "websocket.accept"
    peer.say(type="connection_init", payload={"authorization": "Bearer unlucky"})
    assert await closed_with(peer) == 1013


async def test_a_platform_in_trouble_does_not_end_the_sockets_it_has(
    edge: Any, connect: Any
) -> None:
    edge.numbers = replace(edge.numbers, revalidate_seconds=0.01)
    peer = connect()
    await peer.greet()
    edge.troubled, before = True, edge.checked
    async with asyncio.timeout(5):
        while edge.checked < before + 3:
            await asyncio.sleep(0.01)
    peer.subscribe("q", "{ ping }")
    assert (await peer.hear())["payload"] == {"data": {"ping": "pong"}}
