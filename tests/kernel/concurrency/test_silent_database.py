"""A database that keeps its connections open and says nothing: who waits is told, and it heals."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest

from loyalty import pulse
from loyalty.database import Database
from loyalty.errors import Code, Refused
from loyalty_app.logins import Addresses
from tests.faults.proxy import Proxy

NEVER = 120.0  # a call's own limit: nobody here waits for it
PATIENCE = 30.0


@pytest.fixture
async def way(dsn: Addresses) -> AsyncIterator[Proxy]:
    proxy = Proxy(urlsplit(dsn.app).port or 5432)
    await proxy.start()
    yield proxy
    await proxy.stop()


@pytest.fixture
async def far(dsn: Addresses, way: Proxy) -> AsyncIterator[Database]:
    address = dsn.app.replace(f":{urlsplit(dsn.app).port}/", f":{way.port}/")
    opened = await Database.open(address, size=3, ready=3, command_timeout=NEVER)
    yield opened
    way.cut()  # of a silent one, who closes would wait for its goodbye
    await opened.close()


async def ask(database: Database, begun: asyncio.Event | None = None) -> None:
    async with database.tenant(uuid4()) as connection:
        if begun is not None:
            begun.set()
            await connection.fetchval("select pg_sleep(60)")


async def served(database: Database) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await ask(database)
            except Refused:
                await asyncio.sleep(0.05)


async def test_who_waits_for_a_silent_server_is_told_and_it_heals(
    far: Database, way: Proxy
) -> None:
    begun = asyncio.Event()
    waiting = asyncio.create_task(ask(far, begun))
    await begun.wait()
    way.weather.black_hole = True
    beginning = asyncio.create_task(ask(far))

    async with asyncio.timeout(PATIENCE):
        outcomes = await asyncio.gather(waiting, beginning, return_exceptions=True)
        with pytest.raises(Refused) as refused:
            await ask(far)
    codes = [one.code for one in outcomes if isinstance(one, Refused)]
    assert codes == [Code.UNAVAILABLE, Code.OVERLOADED], outcomes  # nobody knows; not begun
    assert refused.value.code == Code.OVERLOADED

    way.weather.black_hole = False
    way.cut()
    await served(far)
    await asyncio.gather(*(served(far) for _ in range(3)))
    assert far.size == far.idle <= 3


async def test_what_only_takes_long_is_left_alone(far: Database) -> None:
    async with far.tenant(uuid4()) as connection:
        assert await connection.fetchval("select 1 from pg_sleep(2.5)") == 1
        assert await connection.fetchval("select 2") == 2


async def test_a_process_that_has_just_begun_opens_nothing_to_find_out(
    far: Database, way: Proxy
) -> None:
    opened = way.accepted
    way.weather.black_hole = True
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(Refused):
            await ask(far)
    assert way.accepted == opened


async def test_who_asks_for_a_sign_of_life_is_replaced_before_anybody_needs_it(
    dsn: Addresses,
) -> None:
    opened: list[Any] = []
    faults = [OSError("refused"), asyncpg.InternalClientError("it died while it shook hands")]

    async def connect() -> Any:
        if opened and faults:
            raise faults.pop()
        opened.append(await asyncpg.connect(dsn.app))
        return opened[-1]

    asking = pulse.Pulse(connect)
    await asking.open()
    asking.watch(since=lambda: 0.0, silent=lambda: None)
    admin = await asyncpg.connect(dsn.admin)
    await admin.execute("select pg_terminate_backend($1)", opened[0].get_server_pid())
    async with asyncio.timeout(pulse.IDLE_SECONDS - 5):
        while len(opened) == 1:
            await asyncio.sleep(0.05)
    assert asking.beats
    await admin.close()
    await asking.close()
    assert opened[1].is_closed()


async def test_a_near_database_that_is_not_opened_soon_is_silent(
    dsn: Addresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "OPENING_SECONDS", NEVER)
    opened: list[Any] = []

    async def connect() -> Any:
        if opened:
            await asyncio.sleep(NEVER)
        opened.append(await asyncpg.connect(dsn.app))
        return opened[0]

    told = asyncio.Event()
    asking = pulse.Pulse(connect)
    (await asking.open()).terminate()
    asking.watch(since=lambda: pulse.LONG_SECONDS, silent=told.set)
    async with asyncio.timeout(PATIENCE):
        await told.wait()
    assert not asking.beats
    await asking.close()


async def test_one_that_took_long_to_open_is_given_as_long_again(
    dsn: Addresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "PATIENCE_SECONDS", 0.2)
    opened: list[Any] = []

    async def connect() -> Any:
        await asyncio.sleep(0.4)
        opened.append(await asyncpg.connect(dsn.app))
        return opened[-1]

    told = asyncio.Event()
    asking = pulse.Pulse(connect)
    (await asking.open()).terminate()
    asking.watch(since=lambda: 0.0, silent=told.set)
    async with asyncio.timeout(PATIENCE):
        while len(opened) == 1 and not told.is_set():
            await asyncio.sleep(0.05)
    assert asking.beats
    assert not told.is_set()
    await asking.close()


async def test_silence_is_told_before_anybody_waits_where_it_is_noticed_then(
    far: Database, way: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "IDLE_SECONDS", 0.0)
    begun = far.transactions
    way.weather.black_hole = True
    async with asyncio.timeout(PATIENCE):
        while far._pulse.beats:
            await asyncio.sleep(0.05)
    with pytest.raises(Refused) as refused:
        await ask(far)
    assert refused.value.code == Code.OVERLOADED
    assert far.transactions == begun  # it got no connection to wait on
