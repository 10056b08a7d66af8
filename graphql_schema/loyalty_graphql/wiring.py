"""What the edge is handed: a schema, how callers are known, and its numbers."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from loyalty.clock import Clock, SystemClock
from loyalty_graphql.access import Asking
from loyalty_graphql.admission import Admission
from loyalty_graphql.compose import ComposedSchema
from loyalty_graphql.limits import Limits
from loyalty_tenants.principal import Principal


class ContextFor(Protocol):
    """Makes the context of one operation, with loaders of its own."""

    def __call__(self, principal: Principal | None, request_id: str) -> Asking: ...


Authenticate = Callable[[Mapping[str, str]], Awaitable[Principal | None]]
"""Reads the headers. None: no credentials were sent. Refuses (UNAUTHENTICATED, TENANT_SUSPENDED)
those that are not good."""

Revalidate = Callable[[Principal], Awaitable[None]]
"""Refuses a principal whose key was revoked or whose tenant was suspended since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """Bytes, seconds and counts of the edge.

    `body` is for every request but an authenticated batch mutation, which may send `batch_body`.
    """

    body: int = 256 * 1024
    batch_body: int = 2 * 1024 * 1024
    credential_seconds: float = 4.0
    body_seconds: float = 10.0
    seconds: float = 5.0
    batch_seconds: float = 30.0
    subscriptions: int = 50
    init_seconds: float = 5.0
    revalidate_seconds: float = 3.0
    waiting_messages: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """`origins` are foreign ones whose pages may open a socket; the edge's own always may.

    `compiled`: operations run as compiled functions where they can. `trusted` are documents by the
    id that clients may send instead. `leaving` is set when the process is about to end: sockets are
    told to connect elsewhere.
    """

    schema: ComposedSchema
    authenticate: Authenticate
    context_for: ContextFor
    revalidate: Revalidate
    clock: Clock = field(default_factory=SystemClock)
    origins: frozenset[str] = frozenset()
    introspection: bool = True
    compiled: bool = True
    trusted: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    numbers: Numbers = field(default_factory=Numbers)
    leaving: asyncio.Event = field(default_factory=asyncio.Event)
    admission: Admission = field(default_factory=Admission)
