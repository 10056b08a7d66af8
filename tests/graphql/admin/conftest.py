"""A server that also runs a program kind with a secret and counters, and a look at every row."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from pydantic import BaseModel, ConfigDict, Field

from loyalty.plugin import Counter, Plugin, Scope, Window
from loyalty_app.logins import Addresses
from loyalty_points.plugin import plugin as points
from loyalty_tenants.principal import Role
from loyalty_tenants.tokens import issue_token

from .documents import done

# What the tenant set up, without what only says when a key was used.
ROWS = """
select md5(string_agg(row, '|' order by row)) from (
  select to_jsonb(t)::text as row from loyalty.tenant t where t.tenant_id = $1
  union all select to_jsonb(t)::text from loyalty.unit t where t.tenant_id = $1
  union all select to_jsonb(t)::text from loyalty.program t where t.tenant_id = $1
  union all select to_jsonb(t)::text from loyalty.program_version t where t.tenant_id = $1
  union all select to_jsonb(t)::text from loyalty.program_secret t where t.tenant_id = $1
  union all select (to_jsonb(t) - 'last_used_at')::text from loyalty.api_key t
             where t.tenant_id = $1
  union all select to_jsonb(t)::text from loyalty.tenant_secret t where t.tenant_id = $1
  union all select to_jsonb(t)::text from loyalty.tenant_issuer t where t.tenant_id = $1
  union all select to_jsonb(t)::text from loyalty.webhook_endpoint t where t.tenant_id = $1
  union all select to_jsonb(t)::text from loyalty.webhook_secret t where t.tenant_id = $1
  union all select to_jsonb(t)::text from loyalty.webhook_delivery t where t.tenant_id = $1
  union all select to_jsonb(t)::text from loyalty.backtest t where t.tenant_id = $1
  union all select to_jsonb(t)::text from loyalty.audit_entry t where t.tenant_id = $1) rows
"""


class Punch(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    unit: str
    needed: int = Field(default=10, gt=0, strict=True)
    counted: tuple[str, ...] = ()
    nested: dict[str, Any] = Field(default_factory=dict)


def _counters(config: Any) -> list[Counter]:
    return [
        Counter(
            name=name,
            scope=Scope.MEMBER,
            measure=lambda fact, grants, program: 1,
            window=Window.LIFETIME,
        )
        for name in config.counted
    ]


PUNCH = Plugin(
    name="punch",
    description="A card to punch.",
    config=Punch,
    counters=_counters,
    secrets=("webhook_secret",),
)


@pytest.fixture(scope="session")
async def server(make_server: Callable[..., Awaitable[Any]]) -> Any:
    return await make_server(plugins=(points, PUNCH))


@pytest.fixture(scope="session")
async def everything(dsn: Addresses) -> AsyncIterator[Any]:
    """A connection that sees all rows."""
    connection = await asyncpg.connect(dsn.admin)
    yield connection
    await connection.close()


@pytest.fixture
def rows_of(everything: Any) -> Callable[[Any], Awaitable[str]]:
    """A digest of all that a brand set up, and of how many tenants there are."""

    async def digest(brand: Any) -> str:
        tenants = await everything.fetchval("select count(*) from loyalty.tenant")
        return f"{tenants} {await everything.fetchval(ROWS, brand.tenant_id)}"

    return digest


async def _hook(brand: Any, name: str) -> str:
    made = await done(
        brand.admin, "createWebhookEndpoint", url=f"https://{name}.example/", topics=["*"]
    )
    return str(made["endpoint"]["id"])


@pytest.fixture
async def inputs(brand: Any) -> dict[str, dict[str, Any]]:
    """For each mutation an input that would be carried out for an admin or operator."""
    programs = (await brand.admin.run("{ programs { id version } }"))["programs"]
    keys = await brand.admin.run("{ apiKeys { edges { node { id } } } }")
    program = {"id": programs[0]["id"], "expectedVersion": programs[0]["version"]}
    login = "https://login.example.com"
    hook, paused = [await _hook(brand, name) for name in ("here", "paused")]
    await done(brand.admin, "disableWebhookEndpoint", id=paused)
    ping = await done(brand.admin, "pingWebhookEndpoint", id=hook)
    period = {"from": "2025-12-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}
    replayed = {"program": "points", **period}
    past = (await done(brand.admin, "startBacktest", **replayed))["backtest"]
    await done(brand.admin, "cancelBacktest", id=past["id"])  # or a second one would be refused
    return {
        "updateTenant": {"name": "Taken over"},
        "rotateTenantSecret": {"overlapSeconds": 0},
        "setTokenIssuer": {
            "issuer": login, "jwksUrl": login, "algorithms": ["RS256"], "audience": "me",
        },
        "removeTokenIssuer": {"issuer": login},
        "createApiKey": {"role": "ADMIN", "client": "mine"},
        "revokeApiKey": {"id": keys["apiKeys"]["edges"][0]["node"]["id"]},
        "createUnit": {"code": "stars", "name": "Stars"},
        "createProgram": {
            "slug": "card", "kind": "punch", "name": "Card", "config": {"unit": "points"}
        },
        "updateProgram": {**program, "name": "Taken over"},
        "publishProgram": program,
        "rollBackProgram": {**program, "number": 1},
        "startProgram": {"template": "square"},
        "archiveProgram": program,
        "startBacktest": replayed,
        "cancelBacktest": {"id": past["id"]},
        "createWebhookEndpoint": {"url": "https://mine.example/", "topics": ["*"]},
        "updateWebhookEndpoint": {"id": hook, "url": "https://mine.example/"},
        "rotateWebhookSecret": {"id": hook},
        "disableWebhookEndpoint": {"id": hook},
        "enableWebhookEndpoint": {"id": paused},
        "deleteWebhookEndpoint": {"id": hook},
        "pingWebhookEndpoint": {"id": hook},
        "replayWebhookDeliveries": {"ids": [ping["delivery"]["id"]]},
        "createTenant": {"slug": f"{brand.slug}-x", "name": "X", "zone": "UTC"},
        "suspendTenant": {"slug": brand.slug},
        "resumeTenant": {"slug": brand.slug},
    }  # fmt: skip


@pytest.fixture
def as_token(brand: Any) -> Callable[..., Any]:
    """Makes a client of the brand with a token of a role and scopes."""

    def make(role: Role, scopes: Any = None) -> Any:
        token = issue_token(
            secret=brand.secret.text, kid=str(brand.secret.kid), issuer=brand.slug,
            tenant=brand.slug, role=role, subject="someone", now=brand.clock.now(),
            lifetime=timedelta(hours=1), scopes=scopes,
        )  # fmt: skip
        return replace(brand.admin, credential=token)

    return make
