"""A database that goes away: callers hear which of the two it is, and the pool recovers."""

from typing import Any

import asyncpg
import pytest

from loyalty.commands import AdjustBalance
from loyalty.database import Database
from loyalty.errors import Code, Refused
from loyalty.settlement.request import ClientKey, Recorded, Request

END_BACKEND = "select pg_terminate_backend(pid) from pg_stat_activity where pid = $1"


async def end(dsn: Any, connection: Any) -> None:
    """End the server's side of a connection, as a crash does."""
    admin = await asyncpg.connect(dsn.admin)
    try:
        assert await admin.fetchval(END_BACKEND, connection.get_server_pid())
    finally:
        await admin.close()


async def test_a_connection_that_dies_in_a_transaction_is_told_and_replaced(
    world: Any, dsn: Any
) -> None:
    database = await Database.open(dsn.app, size=1)

    async def work() -> None:
        async with database.tenant(world.tenant_id) as connection:
            await end(dsn, connection)
            await connection.fetchval("select 1")

    with pytest.raises(Refused) as raised:
        await work()

    assert raised.value.code is Code.UNAVAILABLE
    async with database.tenant(world.tenant_id) as connection:
        assert await connection.fetchval("select 1") == 1
    await database.close()


async def test_an_error_of_ours_is_not_taken_for_a_database_that_is_away(
    world: Any, dsn: Any
) -> None:
    database = await Database.open(dsn.app, size=1)

    with pytest.raises(asyncpg.DataError):  # which asyncpg calls an InterfaceError, too
        async with database.tenant(world.tenant_id) as connection:
            await connection.fetchval("select $1::int", "no number")

    assert database.idle == 1
    await database.close()


async def test_nobody_there_is_told_before_anything_is_begun(world: Any, dsn: Any) -> None:
    database = await Database.open(dsn.app, size=1)
    pool: Any = database._pool
    await pool.expire_connections()
    pool.set_connect_args("postgresql://u:p@127.0.0.1:1/none")

    with pytest.raises(Refused) as raised:
        async with database.tenant(world.tenant_id):
            pass

    assert raised.value.code is Code.OVERLOADED
    await database.close()


async def test_a_batch_whose_commit_is_lost_is_unknown_and_its_key_finds_out(
    world: Any, dsn: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = await world.member()
    fact = AdjustBalance(
        member=member, occurred_at=world.clock.now(), unit="points", amount=7, reason_code="TEST"
    )
    request = Request(fact=fact, actor="test", client_key=ClientKey("till", "k-1"))
    append = type(world.recorder).append

    async def dies(self: Any, connection: Any, batch: Any) -> None:
        await append(self, connection, batch)
        await end(dsn, connection)

    with monkeypatch.context() as patched:
        patched.setattr(type(world.recorder), "append", dies)
        with pytest.raises(Refused) as raised:
            await world.recorder.record_many(world.tenant_id, [request])
    [outcome] = await world.recorder.record_many(world.tenant_id, [request])

    assert raised.value.code is Code.UNAVAILABLE
    assert isinstance(outcome, Recorded)
    assert not outcome.replayed
    await world.audited()


async def test_a_full_disk_is_told_as_such_and_nothing_is_written(world: Any, dsn: Any) -> None:
    database = await Database.open(dsn.app, size=1)

    async def work() -> None:
        async with database.tenant(world.tenant_id) as connection:
            await connection.execute("do $$ begin raise exception sqlstate '53100'; end $$")

    with pytest.raises(Refused) as raised:
        await work()

    assert raised.value.code is Code.OVERLOADED
    assert "no room" in raised.value.message
    assert database.idle == 1
    await database.close()
