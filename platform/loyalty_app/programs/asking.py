"""A tenant's programs as its admins reach them: GraphQL, of a running platform or of this process.

With a URL and an API key it is the platform that runs there. With a tenant's slug it is the API
itself, opened in this process on the database settings, as an operator; no server is needed.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx

from loyalty_app.problem import Problem
from loyalty_app.settings import Settings

SECONDS = 30.0
LOCAL_URL = "http://127.0.0.1:8000"
LOCALLY = "http://loyalty.invalid"  # an address of this process: nothing is resolved


class Asking:
    """Sends documents; answers their data."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """:raises Problem: nothing answers, or the answer is an error at the top"""
        body = {"query": query, "variables": variables}
        try:
            response = await self._http.post("/graphql", json=body)
            answer = response.json()
        except httpx.HTTPError as error:
            raise Problem(
                f"{self._http.base_url} does not answer: {error or type(error).__name__}",
                "Start the platform, or name it by --url",
            ) from None
        except ValueError:
            raise Problem(
                f"{self._http.base_url} answers {response.status_code} and no JSON",
                "Name the platform by --url, without /graphql",
            ) from None
        if errors := answer.get("errors"):
            first = errors[0]
            code = first.get("extensions", {}).get("code", response.status_code)
            raise Problem(f"{code}: {first['message']}", _advice(code))
        data: dict[str, Any] = answer["data"]
        return data


@asynccontextmanager
async def remotely(url: str, key: str) -> AsyncIterator[Asking]:
    """The platform at an address, as the owner of an API key."""
    headers = {"authorization": f"Bearer {key}"}
    base = url.rstrip("/").removesuffix("/graphql")
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=SECONDS) as http:
        yield Asking(http)


@asynccontextmanager
async def locally(tenant: str) -> AsyncIterator[Asking]:
    """The API in this process, as an operator in a tenant."""
    from loyalty.clock import SystemClock
    from loyalty_app.asgi import application
    from loyalty_app.commands.naming import tenant_named
    from loyalty_app.fresh_context import FreshContext
    from loyalty_tenants.principal import Role
    from loyalty_tenants.tokens import issue_token

    settings = Settings.load()
    await tenant_named(settings, tenant)
    token = issue_token(
        secret=settings.need("operator_secret"), issuer="loyalty", tenant=tenant,
        role=Role.OPERATOR, subject="command line", now=SystemClock().now(),
        lifetime=timedelta(hours=1),
    )  # fmt: skip
    app = application(settings.unrationed())
    headers = {"authorization": f"Bearer {token}"}
    transport = httpx.ASGITransport(app=FreshContext(app))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            base_url=LOCALLY, headers=headers, transport=transport, timeout=SECONDS
        ) as http,
    ):
        yield Asking(http)


def asking(url: str | None, key: str | None, tenant: str | None) -> Any:
    """Whichever of the two was asked for, as a context manager.

    :raises Problem: neither was, or both
    """
    if tenant is not None:
        return locally(tenant)
    if key is None:
        raise Problem(
            "It was not said whose programs",
            "Set LOYALTY_KEY to an admin's API key (and LOYALTY_URL), or name a tenant of this"
            " machine's database by --tenant",
        )
    return remotely(url or LOCAL_URL, key)


def _advice(code: Any) -> str:
    if code in ("UNAUTHENTICATED", "FORBIDDEN"):
        return "Use an admin's API key: `loyalty key create TENANT --client NAME --role ADMIN`"
    return "Correct it and try again"


def refusals(payload: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The user errors of a payload, those of a config one by one."""
    found: list[Mapping[str, Any]] = []
    for error in payload["userErrors"]:
        further = (error.get("details") or {}).get("errors")
        found += further if further and error["code"] == "BAD_CONFIG" else [error]
    return found
