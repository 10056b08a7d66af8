"""PostgreSQL refuses transactions that would succeed the next time: they are tried again."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import httpx

from tests.faults import report
from tests.faults.brand import Brand
from tests.faults.caller import purchase
from tests.faults.conftest import Loading, SizeOf
from tests.faults.load import Load
from tests.faults.sizes import CLEAN_SECONDS
from tests.faults.stand import Stand
from tests.faults.verdict import judge

TRIGGER = """
create function pg_temp_refuse() returns trigger language plpgsql as $$ begin
  if hashint8(txid_current()) % 5 = 0 then
    raise exception 'refused by the test'
      using errcode = case when txid_current() % 2 = 0 then '40001' else '40P01' end;
  end if;
  return null;
end $$;
create constraint trigger refuse after insert on loyalty.fact deferrable initially deferred
  for each row when (new.tenant_id = '{tenant}') execute function pg_temp_refuse();
"""
BATCH = """mutation($items: BatchItems!) { recordPurchases(items: $items) { outcomes {
  userErrors { code } } } }"""
GONE = "drop trigger refuse on loyalty.fact; drop function pg_temp_refuse();"
MEMBERS = "select array_agg(id order by id) from loyalty.member where tenant_id = $1"
LOCK = "select from loyalty.member where tenant_id = $1 and id = $2 for no key update"
_WAITED_FOR = """select exists(select from pg_stat_activity
                  where pg_backend_pid() = any(pg_blocking_pids(pid)))"""
PAUSE_SECONDS = 0.02
_DEADLOCKS = "select deadlocks from pg_stat_database where datname = current_database()"


async def test_commits_are_refused(
    platform: Stand, brand: Brand, put_load: Loading, size: SizeOf
) -> None:
    """One transaction in five fails at its commit, as if it could not be serialized."""
    seconds = size("seconds of refused commits")
    async with put_load(brand, await platform.apis(), rate=40) as load:
        await asyncio.sleep(size(CLEAN_SECONDS))
        async with _refusing(platform, brand.tenant_id):
            begun = load.now
            await asyncio.sleep(seconds)
            ended = load.now
        codes = load.journal.counts(since=begun, until=ended - 1)
        verdict = await judge(platform.settings, load)
    answered = sum(codes.values())
    assert codes.get("OK", 0) >= 0.95 * answered, codes
    report.note(
        report.Row(
            place=50,
            what="PostgreSQL refuses commits (`40001`, `40P01`)",
            tried=f"one transaction in five, for {seconds} s under {load.rate:g} calls/s",
            held="tried again within the call, once in the ledger",
            measured=f"{codes.get('OK', 0)} of {answered} calls saw nothing of it; {verdict}",
        )
    )


async def test_others_lock_in_another_order(
    platform: Stand, put_load: Loading, size: SizeOf
) -> None:
    """A session by hand locks two members from the other end."""
    brand = await platform.brand(members=2)
    wanted = size("deadlocks")
    async with put_load(brand, await platform.apis(), rate=20) as load:
        begun = load.now
        pairs = asyncio.create_task(_buy_in_pairs(load))
        deadlocks = await _meddle(platform, brand.tenant_id, wanted)
        pairs.cancel()
        await asyncio.gather(pairs, return_exceptions=True)
        codes = load.journal.counts(since=begun, until=load.now - 2)
        verdict = await judge(platform.settings, load)
    answered = sum(codes.values())
    assert codes.get("OK", 0) >= 0.95 * answered, codes
    report.note(
        report.Row(
            place=51,
            what="another session locks members in another order",
            tried=f"by hand until there were {wanted} deadlocks, under {load.rate:g} calls/s",
            held="a transaction that Postgres ends to resolve a deadlock is tried again",
            measured=f"{deadlocks} deadlocks; {verdict}",
        )
    )


@asynccontextmanager
async def _refusing(platform: Stand, tenant_id: UUID) -> AsyncIterator[None]:
    async with platform.admin() as connection:
        await connection.execute(TRIGGER.format(tenant=tenant_id))
        try:
            yield
        finally:
            await connection.execute(GONE)


async def _buy_in_pairs(load: Load) -> None:
    """Batches about both members. Their answers are not heard: the verdict asks for each again."""
    async with httpx.AsyncClient(trust_env=False, timeout=30.0) as http:
        headers = {"authorization": f"Bearer {load.caller.brand.api_key}"}
        for number in itertools.count():
            calls = [purchase(f"pair-{number}-{m}", m, 1) for m in load.caller.brand.members]
            items = [load.journal.add(call).variables["input"] for call in calls]
            body = {"query": BATCH, "variables": {"items": items}}
            await http.post(f"{load.apis[0].url}/graphql", json=body, headers=headers)


async def _meddle(platform: Stand, tenant_id: UUID, wanted: int) -> int:
    """Lock the last member and, once a batch waits for it that holds the first, the first."""
    async with platform.admin() as connection, asyncio.timeout(20 * wanted):
        # Patient: it is the platform's transaction that is to find the deadlock.
        await connection.execute("set deadlock_timeout = '5s'; set lock_timeout = '15s'")
        first, last = await connection.fetchval(MEMBERS, tenant_id)
        before = made = await connection.fetchval(_DEADLOCKS)
        while made - before < wanted:
            async with connection.transaction():
                await connection.execute(LOCK, tenant_id, last)
                while not await connection.fetchval(_WAITED_FOR):
                    await asyncio.sleep(PAUSE_SECONDS)
                # Free, if what waits is about the last member alone: then there is no deadlock.
                await connection.execute(LOCK, tenant_id, first)
            await asyncio.sleep(PAUSE_SECONDS)
            made = await connection.fetchval(_DEADLOCKS)
        return int(made - before)
