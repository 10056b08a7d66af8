import asyncio
from uuid import uuid4

import pytest
from redis.asyncio import Redis, RedisCluster

from loyalty.cache.cluster import Cluster
from loyalty.cache.connection import Link, Unanswered
from loyalty.cache.gathered import Gathered

TENANT = uuid4()


def key(name: object) -> str:
    return f"{{{TENANT}}}:{name}"


async def test_readers_at_once_get_their_own_in_few_calls(
    link: Link | Cluster, redis: Redis | RedisCluster
) -> None:
    await redis.mset({key(n): str(n) for n in range(64)})
    reads, before = Gathered(link), link.asked

    found = await asyncio.gather(
        *(reads.get(TENANT, [key(n), key("none"), key(n)]) for n in range(64))
    )

    assert found == [[str(n).encode(), None, str(n).encode()] for n in range(64)]
    assert link.asked - before <= 3  # 192 keys, 100 in a call


async def test_who_comes_while_a_call_is_under_way_is_in_the_next(
    link: Link | Cluster, redis: Redis | RedisCluster
) -> None:
    await redis.mset({key("a"): "1", key("b"): "2"})
    reads = Gathered(link)
    first = asyncio.create_task(reads.get(TENANT, [key("a")]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    second = asyncio.create_task(reads.get(TENANT, [key("b")]))

    assert [await first, await second] == [[b"1"], [b"2"]]


async def test_a_reader_that_goes_away_takes_nobodys_answer_along(
    link: Link | Cluster, redis: Redis | RedisCluster
) -> None:
    await redis.set(key("a"), "1")
    reads = Gathered(link)
    leaving, staying = (asyncio.create_task(reads.get(TENANT, [key("a")])) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()

    assert await staying == [b"1"]
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert await reads.get(TENANT, [key("a")]) == [b"1"]


async def test_where_redis_does_not_answer_all_hear_it_at_once() -> None:
    link = Link("redis://127.0.0.1:1/0")
    reads = Gathered(link)

    answers = await asyncio.gather(
        *(reads.get(TENANT, [key("a")]) for _ in range(20)), return_exceptions=True
    )

    assert all(isinstance(answer, Unanswered) for answer in answers)
    assert link.asked == 1
    await link.close()


async def test_closing_lets_nobody_wait_for_ever(link: Link | Cluster) -> None:
    reads = Gathered(link)
    waiting = asyncio.create_task(reads.get(TENANT, [key("a")]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    await reads.close()

    with pytest.raises(Unanswered):
        await waiting
