"""Valkey frozen, killed, emptied, full, filled with rubbish: reads stay right and quick enough."""

import asyncio
import random
from dataclasses import dataclass
from statistics import quantiles

from redis.exceptions import RedisError

from tests.faults import report
from tests.faults.brand import Brand
from tests.faults.caller import Caller, balance
from tests.faults.conftest import Loading, SizeOf
from tests.faults.journal import Answer, Journal, Kind
from tests.faults.load import Load, Mix
from tests.faults.sizes import CLEAN_SECONDS
from tests.faults.stand import Stand
from tests.faults.verdict import judge, served

READ_SECONDS = 0.25
READS: Mix = {"balance": 7, "redemption": 2, "purchase": 1}
ASKED_AGAIN_SECONDS = 0.1  # a process asks PostgreSQL for a balance once in that time at most
CROWD = 4  # clients that read one balance
HUGE = 1_000_000
RUBBISH = (b"", b"\x00\xff" * 40, b"[1,2", b"null", b"9" * 400, b"x" * HUGE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """How many reads were answered, and how often PostgreSQL was asked for it, by its log."""

    answered: int
    asked: int
    seconds: float


async def test_valkey_is_frozen(
    platform: Stand, brand: Brand, put_load: Loading, size: SizeOf
) -> None:
    seconds = size("seconds of a frozen Valkey")
    async with put_load(brand, await platform.apis(), rate=60, mix=READS) as load:
        await asyncio.sleep(size(CLEAN_SECONDS))
        platform.valkey.pause()
        begun = load.now
        await asyncio.sleep(seconds)
        ended = load.now
        platform.valkey.resume()
        await asyncio.sleep(1.0)
        verdict = await judge(platform.settings, load)
    answers = _reads(load, begun, ended)
    p99 = _p99(answers)
    served(load.journal, until=ended)
    report.within(READ_SECONDS, p99, "a read while Valkey is frozen")
    report.note(
        report.Row(
            place=70,
            what="Redis is frozen",
            tried=f"Valkey stopped for {seconds} s under {load.rate:g} calls/s, mostly reads",
            held=(
                f"every call is answered, 99 of 100 reads within {1000 * READ_SECONDS:g} ms, each "
                "with a balance that the ledger had; redemptions notice nothing"
            ),
            measured=f"{len(answers)} reads, p99 {1000 * p99:.0f} ms; {verdict}",
        )
    )


async def test_valkey_is_killed_and_emptied(
    platform: Stand, brand: Brand, put_load: Loading, size: SizeOf
) -> None:
    seconds = size("seconds without Valkey")
    async with put_load(brand, await platform.apis(), rate=60, mix=READS) as load:
        await asyncio.sleep(size(CLEAN_SECONDS))
        begun = load.now
        platform.valkey.kill()
        crowd = await _crowded(platform, seconds / 2)
        await platform.valkey.start()
        async with platform.valkey.client() as redis:
            for _ in range(4):
                await asyncio.sleep(seconds / 8)
                await redis.flushall()
        verdict = await judge(platform.settings, load)
    answers = _reads(load, begun, load.now)
    p99 = _p99(answers)
    served(load.journal)
    report.within(READ_SECONDS, p99, "a read without Valkey")
    # A process that is short of time may be late to ask again, and never too early.
    assert 0 < crowd.asked <= 1 + crowd.seconds / ASKED_AGAIN_SECONDS, crowd
    report.note(
        report.Row(
            place=71,
            what="Redis is killed, comes back empty, is emptied",
            tried=(
                f"`kill -9`, {seconds / 2:g} s without, meanwhile {CROWD} clients read one balance "
                "again and again; then `FLUSHALL` four times"
            ),
            held=(
                "as above; a process asks PostgreSQL for a balance once in "
                f"{1000 * ASKED_AGAIN_SECONDS:g} ms at most"
            ),
            measured=(
                f"{len(answers)} reads, p99 {1000 * p99:.0f} ms; one balance read "
                f"{crowd.answered:,} times, asked for {crowd.asked} times in "
                f"{crowd.seconds:.1f} s; {verdict}"
            ),
        )
    )


async def test_valkey_is_full(
    platform: Stand, brand: Brand, put_load: Loading, size: SizeOf
) -> None:
    async with platform.valkey.client(decode_responses=True) as redis:
        kept = await redis.config_get("maxmemory", "maxmemory-policy")
        await redis.config_set("maxmemory-policy", "noeviction")
        await redis.config_set("maxmemory", "1mb")
        try:
            async with put_load(brand, await platform.apis(), rate=60, mix=READS) as load:
                await asyncio.sleep(size("seconds without Valkey") / 2)
                assert await _is_full(redis)
                verdict = await judge(platform.settings, load)
        finally:
            for name, value in kept.items():
                await redis.config_set(str(name), str(value))
    served(load.journal)
    report.note(
        report.Row(
            place=72,
            what="Redis is full",
            tried="`maxmemory 1mb`, `noeviction`: it refuses every write",
            held="every call is answered, from PostgreSQL",
            measured=f"p99 of reads {1000 * _p99(_reads(load, 0, load.now)):.0f} ms; {verdict}",
        )
    )


async def test_cache_entries_are_spoilt(
    platform: Stand, brand: Brand, put_load: Loading, size: SizeOf
) -> None:
    chance = random.Random(28)
    spoilt = mended = 0
    async with (
        put_load(brand, await platform.apis(), rate=60, mix=READS) as load,
        platform.valkey.client() as redis,
    ):
        while spoilt < size("spoilt cache entries"):
            await asyncio.gather(*(_show(load, name) for name in brand.members))
            keys = [key async for key in redis.scan_iter(f"*{brand.tenant_id}*:bal:*")]
            for key in keys:
                if chance.random() < 0.2:
                    both = redis.pipeline()  # a transaction: nobody writes in between
                    both.delete(key)
                    both.rpush(key, "a", "list")
                    await both.execute()
                else:
                    await redis.set(key, chance.choice(RUBBISH))
            spoilt += len(keys)
        await load.stop()
        await asyncio.gather(*(_show(load, name) for name in brand.members))
        for key in keys:
            mended += await redis.type(key) == b"string" and await redis.strlen(key) < 4_096
        verdict = await judge(platform.settings, load)
    assert mended == len(keys)
    served(load.journal)
    report.note(
        report.Row(
            place=73,
            what="cache entries are spoilt",
            tried=f"{spoilt} entries overwritten with random bytes, huge texts, other types",
            held="never believed: read from PostgreSQL and written anew",
            measured=f"0 wrong balances; {verdict}",
        )
    )


async def _show(load: Load, member: str) -> None:
    for api in load.apis:
        await load.caller.send(load.journal.add(balance(member)), api.url)


async def _crowded(platform: Stand, seconds: float) -> Crowd:
    """Without Valkey many read one balance at one process, for so long."""
    brand, (api, *_) = await platform.brand(members=1), await platform.apis()
    journal = Journal(platform.folder / f"{brand.slug}.jsonl")
    caller = Caller(brand, journal)
    of_it = "select id::text from loyalty.member where tenant_id = $1"
    async with platform.admin() as admin:
        ident = await admin.fetchval(of_it, brand.tenant_id)
        await admin.execute("alter system set log_min_duration_statement = 0")
        await admin.execute("select pg_reload_conf()")
        begun = caller.now
        await asyncio.gather(*(_read_on(caller, api.url, seconds) for _ in range(CROWD)))
        took = caller.now - begun
        await admin.execute("alter system reset log_min_duration_statement")
        await admin.execute("select pg_reload_conf()")
    await caller.close()
    journal.close()
    said = platform.postgres.log.split("LOG:  duration:")
    asked = sum(" execute " in one and "{MEMBER}" in one and ident in one for one in said)
    return Crowd(answered=journal.counts()["OK"], asked=asked, seconds=took)


async def _read_on(caller: Caller, url: str, seconds: float) -> None:
    until = caller.now + seconds
    while caller.now < until:
        await caller.send(caller.journal.add(balance(caller.brand.members[0])), url)
        await asyncio.sleep(0.005)  # others are to be served beside it


async def _is_full(redis: object) -> bool:
    try:
        await redis.set("one-more", b"x" * 1000)  # type: ignore[attr-defined]
    except RedisError:
        return True
    return False


def _reads(load: Load, begun: float, ended: float) -> list[Answer]:
    calls = [call for call in load.journal.calls if call.kind is Kind.BALANCE]
    return [one for call in calls for one in call.answers if begun <= one.at < ended]


def _p99(answers: list[Answer]) -> float:
    return quantiles([answer.seconds for answer in answers], n=100)[98]
