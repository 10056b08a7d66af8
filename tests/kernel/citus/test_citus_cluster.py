"""On a real Citus, where one is reachable: LOYALTY_TEST_CITUS_URL, a superuser of the coordinator.

The database of that URL is migrated before the extension is created; see docs/scaling.md.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from loyalty.citus import carry_out, plan, waiting
from loyalty.database import Database
from loyalty.ids import NIL, new_id
from loyalty.recorder import wants
from loyalty.recorder.buckets import _BUCKETS
from loyalty.recorder.sums import _SUMS
from loyalty.settlement.request import Recorded
from loyalty_app.logins import ROLES, Addresses, set_passwords
from tests.kernel.conftest import World
from tests.kernel.recorder.capped_program import CAPPED

URL = os.environ.get("LOYALTY_TEST_CITUS_URL", "")
PASSWORD = "citus"
MISSING = "no Citus to try it on: LOYALTY_TEST_CITUS_URL is not set"


@pytest.fixture(scope="module")
async def coordinator() -> AsyncIterator[Any]:
    if not URL:
        raise pytest.skip.Exception(MISSING)
    connection = await asyncpg.connect(URL, statement_cache_size=0)
    await carry_out(connection, await plan(connection))
    await set_passwords(URL, dict.fromkeys(ROLES, PASSWORD))
    yield connection
    await connection.close()


@pytest.fixture(scope="module")
def dsn(coordinator: Any) -> Addresses:
    parts = urlsplit(URL)
    place = parts.netloc.rpartition("@")[2]
    logins = (urlunsplit(parts._replace(netloc=f"{r}:{PASSWORD}@{place}")) for r in ROLES)
    return Addresses(URL, *logins)


@pytest.fixture(scope="module")
async def database(dsn: Addresses) -> AsyncIterator[Database]:
    opened = await Database.open(dsn.app, acquire_timeout=30, command_timeout=60)
    yield opened
    await opened.close()


async def test_every_table_is_spread_and_saying_so_again_does_no_harm(coordinator: Any) -> None:
    steps = await plan(coordinator)
    assert await waiting(coordinator, steps) == []
    again = await carry_out(coordinator, steps)
    assert [text for text in again if "_table(" in text or "policy" in text] == []


async def test_tenants_record_and_spend_where_they_live(
    make_world: Callable[..., Awaitable[World]], coordinator: Any
) -> None:
    worlds = [await make_world() for _ in range(4)]
    for number, world in enumerate(worlds, 1):
        member = await world.member()
        await world.give(member, 100 * number)
        await world.redeem(member, 30)
        async with world.database.tenant(world.tenant_id) as connection:
            balance = await connection.fetchval(
                "select balance from loyalty.account where tenant_id = $1 and owner_id = $2"
                " and unit = 'points' and kind = 'main'",
                world.tenant_id,
                member.id,
            )
        assert balance == 100 * number - 30
    shards = await coordinator.fetchval(
        "select count(distinct get_shard_id_for_distribution_column('loyalty.tenant', t))"
        " from unnest($1::uuid[]) t",
        [world.tenant_id for world in worlds],
    )
    assert shards > 1


async def test_a_tenant_sees_its_own_rows_on_every_node(
    make_world: Callable[..., Awaitable[World]], database: Database
) -> None:
    mine, theirs = await make_world(), await make_world()
    for world in (mine, theirs):
        await world.give(await world.member(), 5)
    async with database.tenant(mine.tenant_id) as connection:
        rows = await connection.fetch("select tenant_id from loyalty.member")
        other = await connection.fetch(
            "select 1 from loyalty.member where tenant_id = $1", theirs.tenant_id
        )
    assert {row["tenant_id"] for row in rows} == {mine.tenant_id}
    assert other == []
    with pytest.raises(asyncpg.PostgresError, match="no tenant is set"):
        await database.unscoped("select count(*) from loyalty.member")


async def test_a_join_that_leaves_its_tenant_to_row_security_is_refused_yet(
    make_world: Callable[..., Awaitable[World]],
) -> None:
    world = await make_world()
    member = await world.member()
    await world.give(member, 5)
    with pytest.raises(asyncpg.FeatureNotSupportedError):  # as docs/scaling.md says
        await world.balance(member)


async def test_members_counters_are_read_on_the_node_of_their_tenant(
    make_world: Callable[..., Awaitable[World]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sums together, as of large batches: at most ten a month. More often than a statement is
    planned with its values."""
    monkeypatch.setattr(wants, "FEW", 0)
    worlds = [await make_world(config=None, plugins=(CAPPED,)) for _ in range(2)]
    for world in worlds:
        await world.run_program("capped", {"cap": 10}, kind="capped")
        members = [await world.member() for _ in range(3)]
        for given in (4, 4, 2, 0, 0, 0, 0, 0):
            outcomes = await world.records(*(world.purchase(one, 400) for one in members))
            there = [one for one in outcomes if isinstance(one, Recorded)]
            earned = [sum(row["amount"] for row in o.answer.get("earned", ())) for o in there]
            assert earned == [given] * 3


async def test_so_they_are_bucket_by_bucket(
    make_world: Callable[..., Awaitable[World]], database: Database
) -> None:
    world, now = await make_world(), datetime.now(UTC)
    given = {
        _SUMS: (["x"], [now], [now], [1], [1], [NIL], world.tenant_id),
        _BUCKETS: ([1], ["x"], [NIL], [now], world.tenant_id),
    }
    for statement, values in given.items():
        async with database.tenant(world.tenant_id) as connection:
            plan = await connection.fetch(f"explain {statement}", *values)
        assert "Task Count: 1" in {row[0].strip() for row in plan}


async def test_a_slug_is_taken_on_all_nodes(database: Database) -> None:
    slug = f"s{new_id().hex[-20:]}"

    async def claim() -> None:
        tenant = new_id()
        async with database.tenant(tenant) as connection:
            await connection.execute(
                "insert into loyalty.slug (tenant_id, slug) values ($1, $2)", tenant, slug
            )

    answers = await asyncio.gather(claim(), claim(), return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == [
        "NoneType", "UniqueViolationError",
    ]  # fmt: skip
