"""PostgreSQL refuses transactions that would succeed the next time: they are tried again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg

from tests.faults import report
from tests.faults.brand import Brand
from tests.faults.conftest import Loading, SizeOf
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
GONE = "drop trigger refuse on loyalty.fact; drop function pg_temp_refuse();"
LOCK = "select from loyalty.account where tenant_id = $1 and id = $2 for update"
PAUSE_SECONDS = 0.5  # a deadlock stands for a second until Postgres looks for it
ACCOUNTS = """select array_agg(id order by id) from loyalty.account
               where tenant_id = $1 and stored and kind = 'main'"""
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
    platform: Stand, brand: Brand, put_load: Loading, size: SizeOf
) -> None:
    """Two sessions by hand lock members' accounts from the other end."""
    seconds = size("seconds of refused commits")
    async with put_load(brand, await platform.apis(), rate=40) as load, platform.admin() as admin:
        before = await admin.fetchval(_DEADLOCKS)
        accounts = await admin.fetchval(ACCOUNTS, brand.tenant_id)
        begun = load.now
        meddlers = [_meddle(platform, brand.tenant_id, accounts, seconds) for _ in range(2)]
        met = sum(await asyncio.gather(*meddlers))
        codes = load.journal.counts(since=begun, until=load.now - 2)
        verdict = await judge(platform.settings, load)
        ended = await _own_order(platform, load.rate, before)
    answered = sum(codes.values())
    assert codes.get("OK", 0) >= 0.95 * answered, codes
    report.note(
        report.Row(
            place=51,
            what="other sessions lock accounts in another order",
            tried=f"two sessions by hand for {seconds} s under {load.rate:g} calls/s",
            held="whoever Postgres ends tries again; our own transactions never end each other",
            measured=f"{ended} deadlocks with them ({met} ended themselves); {verdict}",
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


async def _meddle(platform: Stand, tenant_id: UUID, accounts: list[UUID], seconds: float) -> int:
    """Lock the last account, then the first; how often this session was the one to end."""
    ended = 0
    give_up = asyncio.get_running_loop().time() + seconds
    async with platform.admin() as connection:
        # Patient: it is the platform's transaction that is to find the deadlock, mostly.
        await connection.execute("set deadlock_timeout = '2s'; set lock_timeout = '5s'")
        while asyncio.get_running_loop().time() < give_up:
            try:
                async with connection.transaction():
                    for account in (accounts[-1], accounts[0]):
                        await connection.execute(LOCK, tenant_id, account)
                        await asyncio.sleep(0.02)
            except (asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError):
                ended += 1
            await asyncio.sleep(PAUSE_SECONDS)
    return ended


async def _own_order(platform: Stand, rate: float, before: int) -> int:
    async with platform.admin() as connection:
        await connection.execute("select pg_stat_clear_snapshot()")
        return int(await connection.fetchval(_DEADLOCKS)) - before
