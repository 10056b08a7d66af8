import asyncio
import random
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from typing import Any
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis, RedisCluster
from redis.crc import key_slot

from loyalty.cache.balances import BalanceCache, CachedBalance, OpenLot, Want
from loyalty.cache.cached_balance import LOTS_MAX, VERSION_END
from loyalty.cache.cluster import Cluster
from loyalty.cache.connection import Link
from loyalty.cache.encoding import DIGEST_LENGTH, ENTRY_BYTES_MAX
from loyalty.cache.names import balance_key, channel_name, member_channel
from loyalty.cache.no_cache import NoCache

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)


def holding(version: int, remaining: int | None = None) -> CachedBalance:
    """A balance that says its own version, so that a mixed-up one shows."""
    left = version if remaining is None else remaining
    return CachedBalance(version=version, lots=(OpenLot(NOON, None, left),) if left else ())


def signed(body: bytes) -> bytes:
    return sha1(body).hexdigest()[:DIGEST_LENGTH].encode() + body


@pytest.fixture
def tenant() -> UUID:
    return uuid4()


@pytest.fixture
def want() -> Want:
    return uuid4(), "points"


@pytest.fixture
def cache(link: Link | Cluster) -> BalanceCache:
    return BalanceCache(link, epoch=1)


async def test_what_is_put_is_got(cache: BalanceCache, tenant: UUID) -> None:
    entries: dict[Want, CachedBalance] = {
        (uuid4(), unit): holding(n) for n in range(150) for unit in ("points", "EUR")
    }
    await cache.put_many(tenant, entries)
    absent = (uuid4(), "points")
    assert await cache.get_many(tenant, [*entries, absent]) == entries
    assert await cache.get_many(uuid4(), list(entries)) == {}
    assert (cache.counts.hits, cache.counts.misses) == (300, 301)
    assert cache.counts.errors == 0


async def test_the_version_only_rises_under_writers_in_any_order(
    cache: BalanceCache, tenant: UUID, want: Want
) -> None:
    versions = list(range(1, 201))
    random.Random(7).shuffle(versions)
    seen: list[int] = []

    async def put(version: int) -> None:
        await cache.put_many(tenant, {want: holding(version)})
        got = await cache.get_many(tenant, [want])
        seen.append(got[want].version)
        assert got[want] == holding(got[want].version)
        assert got[want].version >= version

    # Within the link's pool, so that none of them gives up waiting for a connection.
    gate = asyncio.Semaphore(8)

    async def gated(version: int) -> None:
        async with gate:
            await put(version)

    await asyncio.gather(*map(gated, versions))
    assert len(seen) == 200
    assert await cache.get_many(tenant, [want]) == {want: holding(200)}
    assert cache.counts.errors == 0


async def test_a_fill_that_comes_late_loses(cache: BalanceCache, tenant: UUID, want: Want) -> None:
    loading, go = asyncio.Event(), asyncio.Event()

    async def slow(wants: Sequence[Want]) -> dict[Want, CachedBalance]:
        loading.set()
        await go.wait()
        return {want: holding(4)}

    reader = asyncio.create_task(cache.read(tenant, [want], slow))
    await loading.wait()
    await cache.put_many(tenant, {want: holding(5)})
    go.set()
    assert await reader == {want: holding(4)}
    assert await cache.get_many(tenant, [want]) == {want: holding(5)}


async def test_the_same_version_again_does_not_prolong_it(
    link: Link | Cluster, redis: Redis | RedisCluster, tenant: UUID, want: Want
) -> None:
    key = balance_key(tenant, "1", *want)
    await BalanceCache(link, epoch=1, ttl=5, jitter=0).put_many(tenant, {want: holding(5)})
    await BalanceCache(link, epoch=1, ttl=500, jitter=0).put_many(tenant, {want: holding(5)})
    assert 0 < await redis.pttl(key) <= 5_000
    await BalanceCache(link, epoch=1, ttl=500, jitter=0).put_many(tenant, {want: holding(6)})
    assert 5_000 < await redis.pttl(key) <= 500_000


async def test_lifetimes_are_spread(
    cache: BalanceCache, redis: Redis | RedisCluster, tenant: UUID
) -> None:
    entries: dict[Want, CachedBalance] = {(uuid4(), "points"): holding(1) for _ in range(50)}
    await cache.put_many(tenant, entries)
    lives = [await redis.pttl(balance_key(tenant, "1", *want)) for want in entries]
    assert all(29_000 < life <= 35_000 for life in lives)
    assert max(lives) - min(lives) > 1_000


async def test_versions_next_to_each_other_are_told_apart_up_to_the_last(
    cache: BalanceCache, tenant: UUID, want: Want
) -> None:
    for version in (VERSION_END - 2, VERSION_END - 1, VERSION_END - 2):
        await cache.put_many(tenant, {want: holding(version, 1)})
    assert (await cache.get_many(tenant, [want]))[want].version == VERSION_END - 1


async def test_too_many_lots_leave_a_version_that_beats_an_older_fill(
    cache: BalanceCache, tenant: UUID, want: Want
) -> None:
    lots = tuple(OpenLot(NOON + timedelta(days=n), None, 1) for n in range(LOTS_MAX + 1))
    many = CachedBalance(version=9, lots=lots)
    loads = 0

    async def load(wants: Sequence[Want]) -> dict[Want, CachedBalance]:
        nonlocal loads
        loads += 1
        return {want: many}

    await cache.put_many(tenant, {want: many})
    await cache.put_many(tenant, {want: holding(8)})
    assert await cache.get_many(tenant, [want]) == {want: CachedBalance(version=9, overflow=True)}
    assert await cache.read(tenant, [want], load) == {want: many}
    assert await cache.read(tenant, [want], load) == {want: many}
    assert loads == 2


@pytest.mark.parametrize(
    "rubbish",
    [
        b"",
        b"\x00\xff" * 40,
        b"[99999,0,0,[]]",
        b"00000000[99999,0,0,[]]",
        signed(b"[99999,0,0,[]]".ljust(ENTRY_BYTES_MAX - DIGEST_LENGTH + 1)),
        b"x" * 2_000_000,
    ],
    ids=["empty", "bytes", "unsigned", "ill-signed", "signed but too long", "huge"],
)
async def test_rubbish_is_ignored_counted_and_overwritten(
    cache: BalanceCache, redis: Redis | RedisCluster, tenant: UUID, want: Want, rubbish: bytes
) -> None:
    await redis.set(balance_key(tenant, "1", *want), rubbish)
    assert await cache.get_many(tenant, [want]) == {}
    assert cache.counts.corrupt == 1
    await cache.put_many(tenant, {want: holding(3)})
    assert await cache.get_many(tenant, [want]) == {want: holding(3)}
    assert cache.counts.corrupt == 1
    assert cache.counts.errors == 0


async def test_a_key_of_another_type_is_ignored_counted_and_overwritten(
    cache: BalanceCache, redis: Redis | RedisCluster, tenant: UUID, want: Want
) -> None:
    other = (uuid4(), "points")
    await redis.hset(balance_key(tenant, "1", *want), "v", "99")
    await redis.rpush(balance_key(tenant, "1", *other), "99")
    assert await cache.get_many(tenant, [want, other]) == {}
    await cache.put_many(tenant, {want: holding(3), other: holding(4)})
    assert cache.counts.corrupt == 2
    assert await cache.get_many(tenant, [want, other]) == {want: holding(3), other: holding(4)}
    assert await redis.pttl(balance_key(tenant, "1", *want)) > 0


async def test_a_read_may_ask_for_its_own_write(
    cache: BalanceCache, tenant: UUID, want: Want
) -> None:
    asked: list[int] = []

    async def load(wants: Sequence[Want]) -> dict[Want, CachedBalance]:
        asked.append(1)
        return {want: holding(6)}

    await cache.put_many(tenant, {want: holding(5)})
    assert await cache.read(tenant, [want], load, min_version={want: 5}) == {want: holding(5)}
    assert asked == []
    assert await cache.read(tenant, [want], load, min_version={want: 6}) == {want: holding(6)}
    assert (asked, cache.counts.stale) == ([1], 1)
    assert await cache.read(tenant, [want], load, min_version={want: 6}) == {want: holding(6)}
    assert asked == [1]


async def test_a_miss_loads_only_what_is_missing_and_keeps_it(
    cache: BalanceCache, tenant: UUID, want: Want
) -> None:
    missing, unknown = (uuid4(), "points"), (uuid4(), "points")
    asked: list[Want] = []

    async def load(wants: Sequence[Want]) -> dict[Want, CachedBalance]:
        asked.extend(wants)
        return {missing: holding(2)}

    await cache.put_many(tenant, {want: holding(1)})
    wants = [want, missing, unknown, missing]
    both = {want: holding(1), missing: holding(2)}
    assert await cache.read(tenant, wants, load) == both
    assert asked == [missing, unknown]
    assert await cache.get_many(tenant, wants) == both


async def test_a_database_that_began_another_life_is_not_mixed_with_the_last(
    link: Link | Cluster, tenant: UUID, want: Want
) -> None:
    await BalanceCache(link, epoch=1).put_many(tenant, {want: holding(900)})
    restored = BalanceCache(link, epoch=2)
    assert await restored.get_many(tenant, [want]) == {}
    await restored.put_many(tenant, {want: holding(3)})
    assert await restored.get_many(tenant, [want]) == {want: holding(3)}


async def test_a_forgotten_script_is_sent_again(
    cache: BalanceCache, redis: Redis | RedisCluster, tenant: UUID, want: Want
) -> None:
    await redis.script_flush()
    await cache.put_many(tenant, {want: holding(3)})
    await cache.put_many(tenant, {want: holding(4)})
    assert await cache.get_many(tenant, [want]) == {want: holding(4)}


async def test_every_key_begins_with_its_tenant_and_carries_no_typed_text(
    own_server: Callable[[], Any], tenant: UUID
) -> None:
    url = own_server().connection_url
    link, redis = Link(url, budget=10), Redis.from_url(url, legacy_responses=False)
    cache = BalanceCache(link, epoch=1)
    units = ["points", "EUR", "*", "a b\r\nSET x y", "{x}", "punkte-ü", "u" * 5_000, ""]
    entries: dict[Want, CachedBalance] = {
        (uuid4(), unit): holding(n) for n, unit in enumerate(units)
    }
    await cache.put_many(tenant, entries)
    assert await cache.get_many(tenant, list(entries)) == entries
    shape = re.compile(r"l1:\{[0-9a-f-]{36}\}:\d+:bal:[0-9a-f-]{36}:[A-Za-z0-9_#-]{1,40}")
    keys = [key.decode() async for key in redis.scan_iter(count=500)]
    assert len(keys) == len(units)
    assert [key for key in keys if not shape.fullmatch(key)] == []
    assert {key.split(":")[1] for key in keys} == {f"{{{tenant}}}"}
    await link.close()
    await redis.aclose()


def test_names_of_one_tenant_live_in_one_slot_of_a_cluster(tenant: UUID) -> None:
    names = [balance_key(tenant, "1", uuid4(), unit) for unit in ("points", "EUR", "{x}")]
    names.append(channel_name(tenant, member_channel(uuid4())))
    assert {key_slot(name.encode()) for name in names} == {key_slot(str(tenant).encode())}


async def test_a_cache_that_is_switched_off_loads_everything(tenant: UUID, want: Want) -> None:
    cache = NoCache()
    loads = 0

    async def load(wants: Sequence[Want]) -> dict[Want, CachedBalance]:
        nonlocal loads
        loads += 1
        return {want: holding(loads)}

    await cache.put_many(tenant, {want: holding(9)})
    assert await cache.get_many(tenant, [want]) == {}
    assert await cache.read(tenant, [want], load) == {want: holding(1)}
    assert await cache.read(tenant, [want], load, min_version={want: 2}) == {want: holding(2)}
    assert cache.counts.misses == 3
    await cache.close()
