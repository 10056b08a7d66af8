"""The door for outside systems: `POST /in/<tenant>/<plugin>`, one delivery at a time.

Nothing of the body is parsed before the plugin says that it is authentic. Answers: 200 accepted
(also what was known or had to be ignored), 400 malformed, 401 not authentic, 404 no such door,
408 too slow, 413 too large, 503 deliver again.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from loyalty.errors import Refused
from loyalty.inbox import Unacceptable, accept
from loyalty.plugin import Inbound
from loyalty.setup import Program, TenantStatus, active_programs
from loyalty_app.services import Services
from loyalty_tenants.program_secrets import secrets_of
from loyalty_tenants.tenants import tenant_of_slug

BODY_MAX = 256 * 1024
BODY_SECONDS = 10.0
log = logging.getLogger(__name__)


async def inbound(request: Request) -> Response:
    """One delivery of an outside system."""
    services: Services = request.app.state.services
    try:
        async with asyncio.timeout(BODY_SECONDS):
            raw = await _read(request)
    except TimeoutError:
        return _answer(408, "too slow")
    if raw is None:
        return _answer(413, "too large")
    try:
        return await _taken(request, services, raw)
    except Refused:
        return _answer(503, "deliver again", {"retry-after": "5"})


async def _taken(request: Request, services: Services, raw: bytes) -> Response:
    """What came of a delivery.

    :raises Refused: the platform is in trouble
    """
    kind = request.path_params["plugin"]
    door = _door(services, kind)
    tenant_id = await tenant_of_slug(services.api.database, request.path_params["tenant"])
    if door is None or tenant_id is None:
        return _answer(404, "no such door")
    program = await _program(services, tenant_id, kind, door, dict(request.headers), raw)
    if program is None:
        return _answer(401, "not authentic")
    try:
        events = door.facts(orjson.loads(raw))
    except (ValueError, LookupError, TypeError, AttributeError):
        return _malformed(request)
    try:
        accepted = await accept(services.api.lanes, tenant_id, f"{kind}/{program.slug}", events)
    except Unacceptable:  # nothing else: a mistake of ours is no reason to give a delivery up
        return _malformed(request)
    return JSONResponse(
        {"recorded": accepted.recorded, "known": accepted.known, "ignored": accepted.ignored}
    )


async def _read(request: Request) -> bytes | None:
    """The body; None where it is too large."""
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > BODY_MAX:
            return None
    return bytes(raw)


def _door(services: Services, kind: str) -> Inbound | None:
    plugin = services.api.plugins.by_name.get(kind)
    return None if plugin is None else plugin.inbound


async def _program(
    services: Services,
    tenant_id: UUID,
    kind: str,
    door: Inbound,
    headers: Mapping[str, str],
    raw: bytes,
) -> Program | None:
    """The running program of this kind whose secrets say that the delivery is authentic."""
    api = services.api
    setup = await api.setups.current(tenant_id)
    if setup.status is TenantStatus.SUSPENDED:
        return None
    async with api.database.tenant(tenant_id, read_only=True) as connection:
        candidates: list[tuple[Program, Mapping[str, Any]]] = [
            (program, await secrets_of(connection, program.id))
            for program, _ in active_programs(setup, api.clock.now())
            if program.kind == kind
        ]
    for program, secrets in candidates:
        if door.verify(headers, raw, secrets):
            return program
    return None


def _malformed(request: Request) -> Response:
    log.info("a malformed delivery to %s", request.scope["path"], exc_info=True)
    return _answer(400, "malformed")


def _answer(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"detail": detail}, status_code=status, headers=dict(headers or {}))
