"""The edge with what it was wired to, and a client that asks it over HTTP."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

from loyalty.clock import SetClock
from loyalty.errors import Code, Refused
from loyalty_graphql.admission import Admission, Allowances
from loyalty_graphql.compose import ComposedSchema
from loyalty_graphql.endpoint import Endpoint
from loyalty_graphql.wiring import Numbers, Wiring
from loyalty_tenants.principal import Principal, Role

from .sample import NOON, TENANT, Context

# What tests send in a moment is no measure; those of the limits bring their own.
UNLIMITED = Allowances(tenant_rate=0, member_rate=0, in_flight=0)


def principal(role: Role = Role.SERVICE, *scopes: str) -> Principal:
    held = frozenset(scopes or ("members:read", "purchases:write", "redemptions:write"))
    return Principal(role=role, tenant_id=TENANT, subject="till", scopes=held, client="till")


@dataclass(slots=True)
class Edge:
    """The endpoint with what it was wired to, and what ran."""

    schema: ComposedSchema
    numbers: Numbers = field(default_factory=Numbers)
    introspection: bool = True
    admission: Admission = field(default_factory=lambda: Admission(UNLIMITED))
    origins: frozenset[str] = frozenset()
    clock: SetClock = field(default_factory=lambda: SetClock(NOON))
    ran: list[str] = field(default_factory=list)
    contexts: list[Context] = field(default_factory=list)
    callers: dict[str, Principal] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    troubled: bool = False
    checked: int = 0
    leaving: asyncio.Event = field(default_factory=asyncio.Event)

    def endpoint(self) -> Endpoint:
        return Endpoint(
            Wiring(
                schema=self.schema,
                authenticate=self._authenticate,
                context_for=self._context_for,
                revalidate=self._revalidate,
                clock=self.clock,
                origins=self.origins,
                introspection=self.introspection,
                numbers=self.numbers,
                leaving=self.leaving,
                admission=self.admission,
            )
        )

    async def post(self, query: str | None = None, **given: Any) -> httpx.Response:
        """One request as a service; `content`, `headers`, `caller` and `accept` may be given."""
        headers = {"content-type": "application/json", **given.pop("headers", {})}
        if (caller := given.pop("caller", "service")) is not None:
            headers.setdefault("authorization", f"Bearer {caller}")
        if (accept := given.pop("accept", None)) is not None:
            headers["accept"] = accept
        content = given.pop("content", None)
        if content is None:
            content = orjson.dumps({"query": query, **given})
        async with self.client() as client:
            return await client.post("/graphql", content=content, headers=headers)

    async def ask(self, query: str, **given: Any) -> Any:
        return (await self.post(query, **given)).json()

    def client(self) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.endpoint(), raise_app_exceptions=False)
        return httpx.AsyncClient(
            transport=transport, base_url="http://shop.test", headers={"accept": "*/*"}
        )

    async def _authenticate(self, headers: Mapping[str, str]) -> Principal | None:
        given = headers.get("authorization")
        if given is None:
            return None
        if given == "Bearer unlucky":
            raise Refused(Code.OVERLOADED, "nobody to ask")
        if given == "Bearer patient":
            await asyncio.Event().wait()
        known = self.callers.get(given.removeprefix("Bearer "))
        if known is None:
            raise Refused(Code.UNAUTHENTICATED, "these credentials are not good")
        return known

    def _context_for(self, principal: Principal | None, request_id: str) -> Context:
        self.contexts.append(Context(principal, request_id, self.ran))
        return self.contexts[-1]

    async def _revalidate(self, principal: Principal) -> None:
        self.checked += 1
        if self.troubled:
            raise Refused(Code.OVERLOADED, "nobody to ask")
        if principal.subject in self.revoked:
            raise Refused(Code.UNAUTHENTICATED, "revoked")
