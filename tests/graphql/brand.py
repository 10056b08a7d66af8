"""A tenant as tests use it: a running server, and clients of every role."""

import itertools
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx

from loyalty.clock import SetClock
from loyalty.units import UnitKind
from loyalty_app.services import Services
from loyalty_tenants.principal import Actor, Role
from loyalty_tenants.programs import create_program
from loyalty_tenants.publishing import publish_program
from loyalty_tenants.signing import SigningSecret
from loyalty_tenants.tokens import issue_token
from loyalty_tenants.units import create_unit

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
        return self.token(Role.MEMBER, external_id, lifetime=lifetime)

    def token(
        self,
        role: Role,
        subject: str,
        scopes: Sequence[str] | None = None,
        lifetime: timedelta = timedelta(hours=1),
    ) -> Client:
        """A client with a token of the tenant."""
        token = issue_token(
            secret=self.secret.text,
            kid=str(self.secret.kid),
            issuer=self.slug,
            tenant=self.slug,
            role=role,
            subject=subject,
            scopes=scopes,
            now=self.clock.now(),
            lifetime=lifetime,
        )
        return Client(self.http, self.server.url, token)

    async def make_unit(
        self, code: str, places: int | None = None, kind: UnitKind = UnitKind.POINTS
    ) -> None:
        async with self.server.services.api.database.tenant(self.tenant_id) as connection:
            await create_unit(
                connection, BOSS, code=code, name=code, places=places, kind=kind,
                now=self.clock.now(),
            )  # fmt: skip
        self.server.services.api.forget(self.tenant_id)

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
