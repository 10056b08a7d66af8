"""The web application: routes, and what runs before and after them."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from loyalty.clock import Clock
from loyalty.errors import Code, Refused
from loyalty.plugin import Plugin
from loyalty_app.fresh_context import FreshContext
from loyalty_app.inbound import inbound
from loyalty_app.problem import Problem
from loyalty_app.readiness import Readiness
from loyalty_app.services import Services, open_services
from loyalty_app.settings import Settings
from loyalty_app.watchdog import watchdog
from loyalty_graphql.admission import Admission, Allowances
from loyalty_graphql.compose import sdl
from loyalty_graphql.context import Context
from loyalty_graphql.core import LIMITS
from loyalty_graphql.endpoint import Endpoint
from loyalty_graphql.ide import ide_routes
from loyalty_graphql.trusted import read_manifest
from loyalty_graphql.wiring import Wiring
from loyalty_tenants.principal import Principal

GRAPHQL = "/graphql"


def create_app(
    settings: Settings | None = None,
    *,
    plugins: Sequence[Plugin] | None = None,
    clock: Clock | None = None,
    leaving: asyncio.Event | None = None,
    stuck_after: float = 0,
) -> ASGIApp:
    """The application; it opens its services when the server starts it. See `application`."""
    app = application(
        settings, plugins=plugins, clock=clock, leaving=leaving, stuck_after=stuck_after
    )
    return FreshContext(_Front(app))


def application(
    settings: Settings | None = None,
    *,
    plugins: Sequence[Plugin] | None = None,
    clock: Clock | None = None,
    leaving: asyncio.Event | None = None,
    stuck_after: float = 0,
) -> Starlette:
    """The same for who opens it without a server, by its `router.lifespan_context`.

    `leaving` is set when the process is about to end: it is ready no more, and sockets are closed.
    `stuck_after` is for who gives it a process of its own: after so many seconds in which its loop
    did not come round, that process is ended (0: never).
    """
    settings = settings or Settings.load()
    leaving = leaving or asyncio.Event()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[Mapping[str, object]]:
        async with open_services(settings, plugins=plugins, clock=clock) as services:
            app.state.endpoint = _endpoint(_wiring(services, leaving))
            app.state.services = services
            app.state.readiness = Readiness(services.api.database, leaving)
            with watchdog(stuck_after):
                yield {"services": services}

    app = Starlette(routes=_routes(), lifespan=lifespan)
    # It would redirect to whatever host the request names.
    app.router.redirect_slashes = False
    return app


def _wiring(services: Services, leaving: asyncio.Event) -> Wiring:
    async def revalidate(principal: Principal) -> None:
        if not await services.authenticator.still_valid(principal):
            raise Refused(Code.UNAUTHENTICATED, "the credential is not good any more")

    def context_for(principal: Principal | None, request_id: str) -> Context:
        return Context(principal=principal, request_id=request_id, api=services.api)

    return Wiring(
        schema=services.schema,
        authenticate=services.authenticator.authenticate,
        context_for=context_for,
        revalidate=revalidate,
        clock=services.api.clock,
        limits=LIMITS,
        compiled=services.settings.compiled,
        trusted=_manifest(services.settings.trusted_documents),
        leaving=leaving,
        admission=Admission(
            Allowances(
                tenant_rate=services.settings.tenant_rate,
                member_rate=services.settings.member_rate,
                in_flight=services.settings.tenant_in_flight,
            )
        ),
    )


def _endpoint(wiring: Wiring) -> Endpoint:
    try:
        return Endpoint(wiring)
    except ValueError as error:
        raise _bad_manifest(error) from None


def _manifest(path: Path | None) -> Mapping[str, str]:
    try:
        return {} if path is None else read_manifest(path)
    except (OSError, ValueError) as error:
        raise _bad_manifest(error) from None


def _bad_manifest(error: Exception) -> Problem:
    return Problem(
        f"LOYALTY_TRUSTED_DOCUMENTS cannot be used: {error}",
        "Name a JSON file from id to document, each of which this release accepts",
    )


class _Front:
    """Hands operations to the endpoint without the routes that are looked through for all else.

    The endpoint answers for its own mistakes, so it needs nobody before it to catch them.
    """

    def __init__(self, app: Starlette) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = getattr(self._app.state, "endpoint", None)
        if endpoint and scope.get("path") == GRAPHQL and not scope.get("root_path"):
            await endpoint(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class _Delegated:
    """Hands a request to the endpoint, which exists only once the services are open."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await scope["app"].state.endpoint(scope, receive, send)


def _routes() -> list[BaseRoute]:
    endpoint = _Delegated()
    return [
        Route(GRAPHQL, endpoint),
        WebSocketRoute(GRAPHQL, endpoint),
        Route("/schema.graphql", _schema),
        Route("/in/{tenant}/{plugin}", inbound, methods=["POST"]),
        Route("/healthz", _health),
        Route("/livez", _health),
        Route("/startupz", _health),  # nobody is answered before everything is open
        Route("/readyz", _ready),
        Route("/", _home),
        *ide_routes(),
    ]


async def _schema(request: Request) -> Response:
    state = request.app.state
    if not hasattr(state, "sdl"):  # printed for the first who asks: starting does not wait for it
        state.sdl = sdl(state.services.schema)
    return PlainTextResponse(state.sdl)


async def _health(request: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _ready(request: Request) -> Response:
    reason = await request.app.state.readiness.reason_against()
    if reason:
        return JSONResponse({"status": reason}, 503, {"retry-after": "1"})
    return JSONResponse({"status": "ready"})


async def _home(request: Request) -> Response:
    return RedirectResponse("/ide")
