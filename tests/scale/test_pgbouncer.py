"""Serving through PgBouncer in transaction mode: what holds straight holds there too."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextvars import Context
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from loyalty.database import Database
from loyalty.errors import Code, Refused
from loyalty.migrate import migrate, pending
from loyalty.pooler import BehindPooler, is_pooled, keeps_statements
from loyalty_app.external import postgres_version
from loyalty_app.logins import Addresses

from .pgbouncer import PgBouncer
from .pgbouncer import keeps_statements as installed_one_keeps

StartBouncer = Callable[..., PgBouncer]
OF_APP = {"statement_timeout": "10s", "lock_timeout": "5s", "jit": "off",
          "idle_in_transaction_session_timeout": "10s", "transaction_timeout": "20s"}  # fmt: skip


@pytest.fixture
def start(tmp_path_factory: pytest.TempPathFactory, logins: Addresses, pgbouncer: PgBouncer) -> Any:
    """Starts one more, for a test that wants other options."""
    started: list[PgBouncer] = []

    def one(**options: str) -> PgBouncer:
        folder = pgbouncer.folder.with_name(f"{pgbouncer.folder.name}-{uuid4().hex}")
        started.append(PgBouncer(folder, logins, **options))
        started[-1].start()
        return started[-1]

    yield one
    for server in started:
        server.stop()


@pytest.fixture
async def served(pgbouncer: PgBouncer, dsn: Addresses) -> AsyncIterator[Database]:
    opened = await Database.open(pgbouncer.url(dsn.app), acquire_timeout=30, size=16)
    yield opened
    await opened.close()


async def tenants_seen(database: Database, tenant: UUID) -> tuple[int, UUID]:
    async with database.tenant(tenant) as connection:
        row = await connection.fetchrow(
            "select pg_backend_pid() as session, $1::uuid as mine, loyalty.tenant() as set", tenant
        )
        await asyncio.sleep(0)
        again = await connection.fetchval("select loyalty.tenant()")
        assert row["set"] == row["mine"] == again
        return row["session"], row["set"]


async def test_tenants_take_turns_in_few_sessions_and_never_see_each_other(
    served: Database,
) -> None:
    tenants = [uuid4() for _ in range(200)]
    seen = await asyncio.gather(*(tenants_seen(served, tenant) for tenant in tenants))
    assert [tenant for _, tenant in seen] == tenants
    assert len({session for session, _ in seen}) <= 4  # by default_pool_size


async def test_nothing_of_a_tenant_stays_in_a_session(served: Database) -> None:
    await asyncio.gather(*(tenants_seen(served, uuid4()) for _ in range(50)))
    for _ in range(20):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="no tenant is set"):
            await served.unscoped("select loyalty.tenant()")


async def test_the_settings_of_the_role_hold(served: Database) -> None:
    shown = {name: await served.unscoped(f"show {name}") for name in OF_APP}
    assert shown == OF_APP


async def keeps(url: str) -> bool:
    connection = await asyncpg.connect(url, statement_cache_size=0)
    try:
        return await keeps_statements(connection)
    finally:
        await connection.close()


async def test_it_is_known_whether_prepared_statements_are_kept(
    pgbouncer: PgBouncer, dsn: Addresses, start: StartBouncer
) -> None:
    assert await keeps(dsn.admin)
    assert await keeps(pgbouncer.url(dsn.app)) is installed_one_keeps()
    if installed_one_keeps():
        forgetful = start(max_prepared_statements="0")
        assert not await keeps(forgetful.url(dsn.app))


async def test_a_migration_through_it_is_refused(pgbouncer: PgBouncer, dsn: Addresses) -> None:
    through = pgbouncer.url(dsn.admin)
    for refused in (migrate(through, []), pending(through, [])):
        with pytest.raises(BehindPooler, match="a session of their own"):
            await refused
    assert await migrate(dsn.admin, []) == []


async def test_who_asks_for_the_version_is_answered(pgbouncer: PgBouncer, dsn: Addresses) -> None:
    url = pgbouncer.url(dsn.app)
    assert await postgres_version(url, setting="X") == await postgres_version(dsn.app, setting="X")
    connection = await asyncpg.connect(url, statement_cache_size=0)
    assert await is_pooled(connection)
    await connection.close()


async def test_who_waits_too_long_for_a_session_is_told_to_try_again(
    dsn: Addresses, start: StartBouncer
) -> None:
    small = start(default_pool_size="1", query_wait_timeout="1")
    database = await Database.open(small.url(dsn.app))
    async with database.tenant(uuid4()):
        with pytest.raises(Refused) as refused:
            await asyncio.create_task(tenants_seen(database, uuid4()), context=Context())
    assert refused.value.code == Code.OVERLOADED
    assert await tenants_seen(database, uuid4())
    await database.close()


async def test_a_session_that_is_ended_costs_its_transaction_and_no_other(
    served: Database, dsn: Addresses
) -> None:
    async def ended_within() -> None:
        async with served.tenant(uuid4()) as connection:
            session = await connection.fetchval("select pg_backend_pid()")
            await admin.execute("select pg_terminate_backend($1, 5000)", session)
            await connection.fetchval("select 1")

    admin = await asyncpg.connect(dsn.admin)
    with pytest.raises(Refused) as raised:
        await ended_within()
    assert raised.value.code is Code.UNAVAILABLE
    await admin.close()
    await asyncio.gather(*(tenants_seen(served, uuid4()) for _ in range(50)))
