"""GraphQL over HTTP by its specification, and the door to the sockets beside it."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send
from structlog.contextvars import bind_contextvars, clear_contextvars

from loyalty.errors import TROUBLE, Code, Refused
from loyalty_graphql import body
from loyalty_graphql.asked import asked
from loyalty_graphql.complaints import internal, of_refusal
from loyalty_graphql.edge_code import EdgeCode
from loyalty_graphql.media import GRAPHQL, JSON, check_content_type, negotiate
from loyalty_graphql.meters import in_flight
from loyalty_graphql.rejection import Rejected
from loyalty_graphql.request_id import HEADER, request_id
from loyalty_graphql.runner import Answer, Ready, Runner
from loyalty_graphql.seen import TRACEPARENT, Counted, Seen, operation_span
from loyalty_graphql.unacceptable import Unacceptable
from loyalty_graphql.websocket import Socket
from loyalty_graphql.wiring import Wiring
from loyalty_tenants.peer_calls import digest
from loyalty_tenants.principal import Principal

log = logging.getLogger("loyalty.graphql")

_STATUS_OF_REFUSAL = {
    Code.UNAUTHENTICATED: 401,
    Code.FORBIDDEN: 403,
    Code.TENANT_SUSPENDED: 403,
    Code.LIMIT_EXCEEDED: 429,
    Code.OVERLOADED: 503,
    Code.UNAVAILABLE: 503,
}
_LATER = {"retry-after": "1"}


class Endpoint:
    """An ASGI application for one path: POST for operations, a websocket for subscriptions.

    GET runs nothing at all, not even queries: what a link, an image or a prefetch can fetch is no
    place for somebody's balances, and no cache in between can keep them.
    """

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._runner = Runner(wiring)
        self._counted = Counted()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await Socket(self._wiring, self._runner, scope, receive, send).serve()
            return
        headers = Headers(scope=scope)
        name = request_id(headers.get(HEADER))
        clear_contextvars()
        bind_contextvars(request=name)
        seen = Seen(traced_by=headers.get(TRACEPARENT))
        with in_flight():
            await self._serve(scope, receive, send, headers, name, seen)

    async def _serve(
        self, scope: Scope, receive: Receive, send: Send, headers: Headers, name: str, seen: Seen
    ) -> None:
        media = JSON
        further: Mapping[str, str]
        try:
            _check_method(scope)
            media = negotiate(headers)
            status, answer = await self._answer(headers, receive, name, media, seen)
            further = _LATER if status == 503 else {}
        except Rejected as no:
            status, further = no.status, no.headers
            answer = {"errors": [no.complaint]}
        except Refused as no:
            status, further = _STATUS_OF_REFUSAL.get(no.code, 400), _advice(no)
            answer = {"errors": [of_refusal(no)]}
        except Exception:
            log.exception("request %s failed", name)
            status, further, answer = 500, {}, {"errors": [internal(name)]}
        self._counted.note(seen, answer)
        await _respond(send, status, answer, {**further, HEADER: name}, media)

    async def _answer(
        self, headers: Headers, receive: Receive, name: str, media: str, seen: Seen
    ) -> tuple[int, Answer]:
        check_content_type(headers)
        loop, admission = asyncio.get_running_loop(), self._wiring.admission
        begun = loop.time()
        principal = seen.principal = await self._principal(headers)
        if principal is not None:
            bind_contextvars(tenant=str(principal.tenant_id))
        verified = loop.time() - begun
        admission.check(principal)
        raw = await self._read(headers, receive, principal)
        _check_signed(raw, principal)
        try:
            with admission.reading(principal):
                ready = seen.ready = self._ready(raw, principal)
            admission.charge(principal, ready.cost)
            async with admission.turn(principal):
                context = self._wiring.context_for(principal, name)
                with operation_span(seen):
                    answer = await self._runner.run(ready, context, spent=verified)
            return 503 if _came_to_nothing(answer) else 200, answer
        except Unacceptable as no:
            # Clients that ask for plain JSON expect 200 for whatever GraphQL answered.
            return 400 if media == GRAPHQL else 200, {"errors": no.complaints}

    def _ready(self, raw: bytes, principal: Principal | None) -> Ready:
        ready = self._runner.prepare(asked(body.parse(raw)), principal)
        if len(raw) > self._wiring.numbers.body and not ready.operation.batch:
            raise body.too_large(self._wiring.numbers.body)
        if ready.is_subscription:
            raise Rejected(
                400, EdgeCode.BAD_REQUEST, "subscribe by websocket (graphql-transport-ws)"
            )
        return ready

    async def _principal(self, headers: Headers) -> Principal | None:
        try:
            async with asyncio.timeout(self._wiring.numbers.credential_seconds):
                return await self._wiring.authenticate(headers)
        except TimeoutError:
            raise Refused(
                Code.OVERLOADED, "the credential could not be verified in time: try again shortly"
            ) from None

    async def _read(self, headers: Headers, receive: Receive, principal: Principal | None) -> bytes:
        # Which mutation it is shows only in the body, so who may send a batch may send that much;
        # what turns out to be no batch is refused by its length before it is run.
        numbers = self._wiring.numbers
        cap = numbers.body if principal is None else numbers.batch_body
        try:
            async with asyncio.timeout(numbers.body_seconds):
                return await body.read(headers, receive, cap)
        except TimeoutError:
            raise Rejected(408, EdgeCode.TIMEOUT, "send the body faster") from None


def _came_to_nothing(answer: Answer) -> bool:
    """Whether nothing was answered because the platform is in trouble, not for what was asked."""
    codes = {error["extensions"]["code"] for error in answer.get("errors", ())}
    nothing = all(value is None for value in (answer["data"] or {}).values())
    return bool(codes) and codes <= TROUBLE and nothing


def _check_signed(raw: bytes, principal: Principal | None) -> None:
    """A peer signs what it sends; anything else under its token is not from it."""
    if principal is not None and principal.body is not None and digest(raw) != principal.body:
        raise Refused(Code.UNAUTHENTICATED, "the token was signed for another body")


def _check_method(scope: Scope) -> None:
    if scope["method"] != "POST":
        raise Rejected(405, EdgeCode.METHOD_NOT_ALLOWED, "send a POST", {"allow": "POST"})


def _advice(refused: Refused) -> Mapping[str, str]:
    if refused.code is Code.UNAUTHENTICATED:
        return {"www-authenticate": "Bearer"}
    return _LATER if refused.code in (*TROUBLE, Code.LIMIT_EXCEEDED) else {}


async def _respond(
    send: Send, status: int, answer: Mapping[str, Any], headers: Mapping[str, str], media: str
) -> None:
    content = orjson.dumps(answer)
    all_headers = {
        "content-type": f"{media}; charset=utf-8",
        "content-length": str(len(content)),
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "vary": "accept",
        **headers,
    }
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in all_headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": content})
