"""A Redis in trouble costs its budget a few times, then nothing; and never a wrong answer."""

import asyncio
import os
import random
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any
from uuid import uuid4

import pytest
from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError

from loyalty.cache.balances import BalanceCache, CachedBalance, Want
from loyalty.cache.cluster import Cluster
from loyalty.cache.connection import BUDGET_SECONDS, Breaker, Link, Unanswered

TENANT = uuid4()
WANT = (uuid4(), "points")
StartServer = Callable[..., Any]
StartLink = Callable[..., Link]
SHORT_SECONDS = 0.2  # for a server that does not answer: the less the quicker the test


class Seconds:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


class Postgres:
    def __init__(self) -> None:
        self.version = 1
        self.loads = 0

    async def load(self, wants: Sequence[Want]) -> dict[Want, CachedBalance]:
        self.loads += 1
        return {want: CachedBalance(version=self.version) for want in wants}


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
async def link_to(seconds: Seconds) -> AsyncIterator[StartLink]:
    links = []

    def start(url: str, budget: float = 10.0) -> Link:
        links.append(Link(url, breaker=Breaker(seconds), budget=budget))
        return links[-1]

    yield start
    for link in links:
        await link.close()


@contextmanager
def frozen(server: Any) -> Iterator[None]:
    os.kill(server._process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server._process.pid, signal.SIGCONT)


async def test_a_frozen_server_is_asked_five_times_then_once_a_second(
    own_server: StartServer, link_to: StartLink, seconds: Seconds
) -> None:
    server, postgres = own_server(), Postgres()
    link = link_to(server.connection_url, SHORT_SECONDS)
    cache = BalanceCache(link, epoch=1, seconds=seconds)
    await cache.put_many(TENANT, {WANT: CachedBalance(version=1)})
    before = link.asked
    with frozen(server):
        for _ in range(100):
            answer = await cache.read(TENANT, [WANT], postgres.load)
            assert answer == {WANT: CachedBalance(version=1)}
            await cache.put_many(TENANT, {WANT: CachedBalance(version=1)})
        assert link.breaker.is_open
        assert (link.asked - before, postgres.loads) == (5, 100)
        for second in range(1, 4):
            seconds.at += 1
            for _ in range(20):
                await cache.read(TENANT, [WANT], postgres.load)
            assert link.asked - before == 5 + second
    seconds.at += 1
    assert await cache.read(TENANT, [WANT], postgres.load) == {WANT: CachedBalance(version=1)}
    assert not link.breaker.is_open
    assert postgres.loads == 103  # one more a second
    assert cache.counts.errors > 0


async def test_a_probe_whose_asker_goes_away_leaves_the_next_one_free(
    own_server: StartServer, link_to: StartLink, seconds: Seconds
) -> None:
    link = link_to(own_server().connection_url)
    for _ in range(5):
        link.breaker.failed()
    seconds.at += 1
    probe = asyncio.create_task(link.ask(lambda redis: redis.blpop(["nothing"], timeout=0)))
    while not link.asked:
        await asyncio.sleep(0)
    with pytest.raises(Unanswered):
        await link.ask(lambda redis: redis.ping())
    probe.cancel()
    await asyncio.gather(probe, return_exceptions=True)
    assert await link.ask(lambda redis: redis.ping())
    assert not link.breaker.is_open


async def test_one_question_to_a_frozen_server_ends(
    own_server: StartServer, link_to: StartLink
) -> None:
    server = own_server()
    link = link_to(server.connection_url, BUDGET_SECONDS)
    with suppress(Unanswered):  # on a busy machine
        await link.ask(lambda redis: redis.get("x"))
    with frozen(server):
        # Generous: what is told apart is a budget of 50 ms from a client that retries for seconds.
        async with asyncio.timeout(2):
            with pytest.raises(Unanswered):
                await link.ask(lambda redis: redis.get("x"))


async def test_a_killed_server_that_comes_back_empty_is_filled_again(
    own_server: StartServer, link_to: StartLink, seconds: Seconds
) -> None:
    server, postgres = own_server(), Postgres()
    port = server.port
    link = link_to(server.connection_url)
    cache = BalanceCache(link, epoch=1)
    await cache.read(TENANT, [WANT], postgres.load)
    server.terminate()
    postgres.version = 2
    for _ in range(50):
        answer = await cache.read(TENANT, [WANT], postgres.load)
        assert answer == {WANT: CachedBalance(version=2)}
    assert link.breaker.is_open
    own_server(port=port)
    seconds.at += 1
    assert await cache.get_many(TENANT, [WANT]) == {}
    loads = postgres.loads
    for _ in range(10):
        await cache.read(TENANT, [WANT], postgres.load)
    assert postgres.loads == loads + 1


async def test_a_flushed_server_sees_one_load_for_each_balance(
    own_server: StartServer, link_to: StartLink
) -> None:
    cache = BalanceCache(link_to(own_server().connection_url), epoch=1)
    loads: list[Want] = []

    async def load(wants: Sequence[Want]) -> dict[Want, CachedBalance]:
        loads.extend(wants)
        await asyncio.sleep(0.05)
        return {want: CachedBalance(version=1) for want in wants}

    wants = [(uuid4(), "points") for _ in range(3)]
    await asyncio.gather(*(cache.read(TENANT, [want], load) for want in wants * 30))
    assert sorted(loads) == sorted(wants)


async def test_a_full_server_still_answers_what_it_has(
    own_server: StartServer, link_to: StartLink
) -> None:
    server, postgres = own_server(**{"maxmemory-policy": "noeviction"}), Postgres()
    link = link_to(server.connection_url)
    cache = BalanceCache(link, epoch=1)
    await cache.put_many(TENANT, {WANT: CachedBalance(version=1)})
    await fill(server.connection_url)
    other = (uuid4(), "points")
    for _ in range(10):
        await cache.put_many(TENANT, {WANT: CachedBalance(version=2)})
    for _ in range(10):
        assert await cache.get_many(TENANT, [WANT]) == {WANT: CachedBalance(version=1)}
        assert (await cache.read(TENANT, [other], postgres.load))[other].version == 1
    assert postgres.loads == 10
    assert cache.counts.errors == 20
    assert not link.breaker.is_open


async def fill(url: str) -> None:
    client = Redis.from_url(url, legacy_responses=False)
    await client.set("ballast", b"x" * 4_000_000)
    await client.config_set("maxmemory", "2mb")
    with pytest.raises(OutOfMemoryError):
        await client.set("more", b"x")
    await client.aclose()


async def test_a_read_only_server_still_answers_what_it_has(
    own_server: StartServer, link_to: StartLink
) -> None:
    server = own_server()
    link = link_to(server.connection_url)
    cache = BalanceCache(link, epoch=1)
    await cache.put_many(TENANT, {WANT: CachedBalance(version=1)})
    nobody = socket.socket()
    nobody.bind(("127.0.0.1", 0))
    client = Redis.from_url(server.connection_url, legacy_responses=False)
    await client.replicaof("127.0.0.1", str(nobody.getsockname()[1]))
    for _ in range(10):
        await cache.put_many(TENANT, {WANT: CachedBalance(version=2)})
        assert await cache.get_many(TENANT, [WANT]) == {WANT: CachedBalance(version=1)}
    assert (cache.counts.errors, link.breaker.is_open) == (10, False)
    await client.aclose()
    nobody.close()


async def test_where_nobody_listens_postgres_answers(link_to: StartLink, seconds: Seconds) -> None:
    nobody = socket.socket()
    nobody.bind(("127.0.0.1", 0))
    link, postgres = link_to(f"redis://127.0.0.1:{nobody.getsockname()[1]}"), Postgres()
    cache = BalanceCache(link, epoch=1, seconds=seconds)
    for _ in range(50):
        seconds.at += 0.01
        answer = await cache.read(TENANT, [WANT], postgres.load)
        assert answer == {WANT: CachedBalance(version=1)}
    assert (link.asked, postgres.loads) == (5, 5)
    nobody.close()


async def test_a_read_that_redis_did_not_answer_does_not_try_to_write(
    own_server: StartServer, link_to: StartLink
) -> None:
    server, postgres = own_server(), Postgres()
    link = link_to(server.connection_url, SHORT_SECONDS)
    cache = BalanceCache(link, epoch=1)
    with frozen(server):
        await cache.read(TENANT, [WANT], postgres.load)
        assert link.asked == 1


async def test_cancelled_questions_mix_up_no_answers_and_lose_no_connection(
    link: Link | Cluster,
) -> None:
    async def ask(n: int) -> object:
        return await link.ask(lambda client: client.echo(str(n)))

    chance = random.Random(3)
    for round_ in range(30):
        tasks = [asyncio.create_task(ask(100 * round_ + n)) for n in range(8)]
        for _ in range(chance.randrange(12)):
            await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        for n, answer in enumerate(answers):
            if not isinstance(answer, BaseException):
                assert answer == str(100 * round_ + n).encode()
        assert [answer for answer in answers[1::2] if not isinstance(answer, bytes)] == []
    together = await asyncio.gather(*(ask(n) for n in range(16)))
    assert together == [str(n).encode() for n in range(16)]
    assert not link.is_open
