"""A tenant of one's own for each test, a plugin to run in it, and a clock that stands."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

import asyncpg
import pytest
from pydantic import BaseModel, ConfigDict, Field

from loyalty.clock import SetClock
from loyalty.database import Database
from loyalty.ids import new_id
from loyalty.plugin import Bucket, Counter, Plugin, Scope, Window
from loyalty_app.logins import Addresses
from loyalty_tenants.access import Authenticator
from loyalty_tenants.configs import Configs
from loyalty_tenants.credentials import CredentialStore
from loyalty_tenants.jwks import KeySets
from loyalty_tenants.jwks_fetch import JwksFetcher
from loyalty_tenants.model_apps import prepare_models
from loyalty_tenants.principal import Actor
from loyalty_tenants.tenants import TenantRecord, TenantSettings, create_tenant
from loyalty_tenants.tokens import Tokens
from loyalty_tenants.units import create_unit

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BOSS = Actor(role="ADMIN", subject="boss", request_id="r-1")
OPERATOR_SECRET = "iAOCO1B0K5nAyQm4Wz0RPlgkQIUXUqCXMGiCEoaPSbs"

_slugs = (f"brand-{new_id().hex[-10:]}-{number}" for number in itertools.count())


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Earn(Strict):
    per_amount: int = Field(gt=0)
    multiplier: int = 1


class Rule(Strict):
    id: str
    earn: Earn


class PunchConfig(Strict):
    unit: str
    rules: tuple[Rule, ...] = ()
    counted: tuple[str, ...] = ()
    day_starts_at: time = time(0)


def _counters(config: Any) -> list[Counter]:
    return [
        Counter(
            name=name,
            scope=Scope.MEMBER,
            measure=lambda fact, grants, program: 1,
            window=Window.LIFETIME,
            bucket=Bucket.DAY,
            day_starts_at=config.day_starts_at,
        )
        for name in config.counted
    ]


PUNCH = Plugin(name="punch", config=PunchConfig, counters=_counters, secrets=("webhook_secret",))


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def boss() -> Actor:
    return BOSS


@pytest.fixture
def clock() -> SetClock:
    return SetClock(NOW)


@pytest.fixture
def configs() -> Configs:
    return Configs({"punch": PUNCH})


@pytest.fixture(scope="session", autouse=True)
async def _models() -> None:
    await prepare_models()


@pytest.fixture
def make_tenant(database: Database) -> Callable[[], Awaitable[TenantRecord]]:
    """Makes a tenant with a unit `points`."""

    async def make() -> TenantRecord:
        settings = TenantSettings(name="Brand", zone="Europe/Madrid", currencies=("EUR",))
        made = await create_tenant(database, BOSS, slug=next(_slugs), settings=settings, now=NOW)
        async with database.tenant(made.tenant_id) as connection:
            await create_unit(connection, BOSS, code="points", name="Points", now=NOW)
        return made

    return make


@pytest.fixture
async def tenant(make_tenant: Callable[[], Awaitable[TenantRecord]]) -> TenantRecord:
    return await make_tenant()


@pytest.fixture
async def admin(dsn: Addresses) -> AsyncIterator[Any]:
    """A connection that sees everything: to look at what the app's role may not."""
    connection = await asyncpg.connect(dsn.admin)
    yield connection
    await connection.close()


@pytest.fixture
def record_fact(admin: Any) -> Callable[[TenantRecord, datetime], Awaitable[None]]:
    """Leaves a fact in the tenant's journal, as if a purchase had been recorded."""

    async def record(tenant: TenantRecord, at: datetime) -> None:
        await admin.execute(
            """insert into loyalty.fact (tenant_id, id, kind, scope, key, occurred_at, recorded_at,
                 epoch, actor, request_id, payload, answer)
               values ($1, $2, 'PurchaseRecorded', 'test', $3, $4, $4, 1, 'a', 'r', '{}', '{}')""",
            tenant.tenant_id,
            new_id(),
            str(new_id()),
            at,
        )

    return record


@dataclass
class Door:
    """An authenticator with everything behind it; `at` is the seconds its memories are aged by."""

    authenticator: Authenticator
    store: CredentialStore
    key_sets: KeySets
    seconds: list[float]

    def wait(self, seconds: float) -> None:
        self.seconds[0] += seconds


@pytest.fixture
def make_door(database: Database, clock: SetClock) -> Callable[..., Door]:
    def make(fetcher: Any = None) -> Door:
        seconds = [1000.0]
        store = CredentialStore(database, monotonic=lambda: seconds[0])
        key_sets = KeySets(fetcher or JwksFetcher(), monotonic=lambda: seconds[0])
        tokens = Tokens(store, key_sets, operator_secret=OPERATOR_SECRET)
        door = Authenticator(database, store, tokens, clock, monotonic=lambda: seconds[0])
        return Door(door, store, key_sets, seconds)

    return make


@pytest.fixture
def door(make_door: Callable[..., Door]) -> Door:
    return make_door()


@pytest.fixture
def operator_secret() -> str:
    return OPERATOR_SECRET
