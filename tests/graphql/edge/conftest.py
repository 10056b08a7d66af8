"""A small schema with everything the edge has to deal with, and clients that speak to it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import httpx
import orjson
import pytest
import strawberry
from strawberry import Info

from loyalty.clock import SetClock
from loyalty.errors import Code, Refused
from loyalty_graphql.access import allow, batch, money, only, public, reached
from loyalty_graphql.compose import ComposedSchema, Core, compose
from loyalty_graphql.cursors import Cursors
from loyalty_graphql.endpoint import Endpoint
from loyalty_graphql.failures import UserError, user_error
from loyalty_graphql.inputs import compiled
from loyalty_graphql.paging import Connection, Paging
from loyalty_graphql.scalars import BatchItems, Decimal, Json
from loyalty_graphql.wiring import Numbers, Wiring
from loyalty_tenants.principal import Principal, Role

TENANT = UUID("0190a000-0000-7000-8000-000000000001")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PAGING = Paging(Cursors(b"k" * 32))


@dataclass(slots=True)
class Context:
    principal: Principal | None
    request_id: str
    ran: list[str]


RequestInfo = Info[Context, None]


class Channel(StrEnum):
    """Where a purchase was made."""

    SHOP = "SHOP"
    """In a shop, at a till."""
    WEB = "WEB"
    """On a site or in an app."""


@strawberry.type
@reached
class Balance:
    """What a member has of a unit."""

    unit: str
    """The code of the unit."""
    available: Decimal
    """What can be spent now."""


@strawberry.type
@reached
class Person:
    """Somebody enrolled."""

    id: strawberry.ID
    """An opaque id."""
    name: str
    """What to call them."""
    balances: list[Balance]
    """One for each unit."""
    note: Annotated[str, only(Role.ADMIN, scope="members:read")] = "likes tea"
    """What staff wrote down."""
    joined_at: datetime = NOON
    """Since when."""
    attributes: Json | None = None
    """Whatever the shop keeps about them."""

    @strawberry.field
    def friend(self) -> "Person":
        """Somebody much like them."""
        return person(self.name)


def person(name: str) -> Person:
    return Person(
        id=strawberry.ID(name),
        name=name,
        balances=[Balance(unit="points", available=Decimal("12"))],
    )


@strawberry.input
class LineInput:
    """One line of a basket."""

    amount: Decimal
    """Before discount."""
    sku: str | None = None
    """The article."""


@compiled
@strawberry.input
class PurchaseInput:
    """A purchase as the till sends it."""

    external_id: str
    """The till's own id."""
    lines: list[LineInput]
    """What was bought."""
    channel: Channel = Channel.SHOP
    """Where."""
    occurred_at: datetime | None = None
    """When; now, if left out."""
    attributes: Json | None = None
    """Whatever the till wants kept."""


@strawberry.input
class BatchInput:
    """Many purchases."""

    items: BatchItems
    """The purchases."""


@strawberry.type
@reached
class Payload:
    """What came of it."""

    total: Decimal | None
    """The sum of the lines."""
    user_errors: list[UserError]
    """Why nothing was done."""


@strawberry.type
class Query:
    @strawberry.field
    @public
    def ping(self) -> str:
        """Whether anybody is there."""
        return "pong"

    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, scope="members:read")
    @allow(Role.MEMBER, scope="self:read")
    def member(self, info: RequestInfo, name: str = "Ada") -> Person | None:
        """One person.

        :param name: what they are called
        """
        info.context.ran.append(f"member:{name}")
        return person(name)

    @strawberry.field
    @allow(*Role)
    def members(
        self,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Person]:
        """Everybody, by number.

        :param first: how many
        :param after: a cursor
        :param last: how many from the end
        :param before: a cursor
        """
        page = PAGING.page(
            TENANT, "Query.members", first=first, after=after, last=last, before=before
        )
        start, step = (100, -1) if page.backward else (1, 1)
        if page.beyond is not None:
            start = int(str(page.beyond[0])) + step
        rows = [n for n in range(start, start + step * page.fetch, step) if 1 <= n <= 100]
        return PAGING.connection(page, rows, node=lambda n: person(str(n)), position=lambda n: (n,))

    @strawberry.field
    @allow(*Role)
    def several(self, names: list[str]) -> list[Person]:
        """The ones that were named.

        :param names: what they are called
        """
        return [person(name) for name in names]

    @strawberry.field
    @allow(*Role)
    def boom(self) -> str:
        """Fails in a way nobody foresaw."""
        raise RuntimeError("password=hunter2 relation member does not exist")

    @strawberry.field
    @allow(*Role)
    def refuses(self) -> str:
        """Fails in a way that was foreseen."""
        raise Refused(Code.NOT_FOUND, "there is none", field="name", details={"near": "Eda"})

    @strawberry.field
    @allow(*Role)
    async def slow(self) -> str:
        """Takes long."""
        await asyncio.sleep(30)
        return "done"


@strawberry.type
class Mutation:
    @strawberry.mutation
    @allow(Role.SERVICE, scope="purchases:write")
    def record(self, info: RequestInfo, input: PurchaseInput) -> Payload:
        """Record a purchase.

        :param input: the purchase
        """
        info.context.ran.append(input.external_id)
        try:
            for number, line in enumerate(input.lines):
                if line.amount.startswith("-"):
                    raise Refused(Code.BAD_AMOUNT, "negative", field=f"lines.{number}.amount")
        except Refused as refused:
            return Payload(total=None, user_errors=[user_error(refused)])
        return Payload(total=Decimal("1.00"), user_errors=[])

    @strawberry.mutation
    @batch
    @allow(Role.SERVICE, scope="purchases:write")
    def record_all(self, info: RequestInfo, input: BatchInput) -> int:
        """Record many.

        :param input: the purchases
        """
        info.context.ran.append("batch")
        return len(input.items)

    @strawberry.mutation
    @money
    @allow(Role.SERVICE, scope="redemptions:write")
    def redeem(self, info: RequestInfo, amount: Decimal) -> str:
        """Spend.

        :param amount: how much
        """
        info.context.ran.append(f"redeem:{amount}")
        return amount


@strawberry.type
class Subscription:
    @strawberry.subscription
    @allow(*Role)
    async def ticks(self, info: RequestInfo, upto: int, fails: bool = False) -> AsyncIterator[int]:
        """Counts.

        :param upto: how far
        :param fails: whether it breaks at the end
        """
        info.context.ran.append("open")
        try:
            for number in range(upto):
                yield number
                await asyncio.sleep(0)
            if fails:
                raise RuntimeError("password=hunter2")
        finally:
            info.context.ran.append("closed")

    @strawberry.subscription
    @allow(Role.ADMIN)
    async def secrets(self) -> AsyncIterator[int]:
        """Counts, for admins."""
        yield 1


def principal(role: Role = Role.SERVICE, *scopes: str) -> Principal:
    held = frozenset(scopes or ("members:read", "purchases:write", "redemptions:write"))
    return Principal(role=role, tenant_id=TENANT, subject="till", scopes=held, client="till")


@pytest.fixture(scope="session")
def schema() -> ComposedSchema:
    return compose(Core(query=[Query], mutation=[Mutation], subscription=[Subscription]))


@dataclass(slots=True)
class Edge:
    """The endpoint with what it was wired to, and what ran."""

    schema: ComposedSchema
    numbers: Numbers = field(default_factory=Numbers)
    introspection: bool = True
    origins: frozenset[str] = frozenset()
    clock: SetClock = field(default_factory=lambda: SetClock(NOON))
    ran: list[str] = field(default_factory=list)
    contexts: list[Context] = field(default_factory=list)
    callers: dict[str, Principal] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)

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
        known = self.callers.get(given.removeprefix("Bearer "))
        if known is None:
            raise Refused(Code.UNAUTHENTICATED, "these credentials are not good")
        return known

    def _context_for(self, principal: Principal | None, request_id: str) -> Context:
        self.contexts.append(Context(principal, request_id, self.ran))
        return self.contexts[-1]

    async def _revalidate(self, principal: Principal) -> None:
        if principal.subject in self.revoked:
            raise Refused(Code.UNAUTHENTICATED, "revoked")


@pytest.fixture
def edge(schema: ComposedSchema) -> Edge:
    made = Edge(schema)
    made.callers = {
        "service": principal(),
        "admin": principal(Role.ADMIN),
        "member": principal(Role.MEMBER, "self:read"),
        "narrow": principal(Role.SERVICE, "purchases:read"),
        "expiring": replace(principal(), expires_at=NOON.replace(second=30)),
    }
    return made


class Peer:
    """The other end of a websocket, speaking ASGI itself, so that a test can stop reading."""

    def __init__(self, endpoint: Endpoint, **scope: Any) -> None:
        self.sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.reads = asyncio.Event()
        self.reads.set()
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        headers = scope.pop("headers", {})
        self._scope = {
            "type": "websocket",
            "path": "/graphql",
            "query_string": b"",
            "headers": [
                (k.encode(), v.encode()) for k, v in {"host": "shop.test", **headers}.items()
            ],
            "subprotocols": ["graphql-transport-ws"],
            **scope,
        }
        self.app = asyncio.create_task(endpoint(self._scope, self._to_app.get, self._send))
        self._to_app.put_nowait({"type": "websocket.connect"})

    async def _send(self, message: Any) -> None:
        await self.reads.wait()
        self.sent.put_nowait(message)

    def say(self, **message: Any) -> None:
        self.say_raw(orjson.dumps(message).decode())

    def say_raw(self, text: str) -> None:
        self._to_app.put_nowait({"type": "websocket.receive", "text": text})

    def leave(self) -> None:
        self._to_app.put_nowait({"type": "websocket.disconnect", "code": 1001})

    async def event(self, seconds: float = 5) -> dict[str, Any]:
        async with asyncio.timeout(seconds):
            return await self.sent.get()

    async def hear(self) -> Any:
        """The next message, or the code the socket was closed with."""
        event = await self.event()
        return event["code"] if event["type"] == "websocket.close" else orjson.loads(event["text"])

    async def greet(self, caller: str = "service") -> None:
        assert (await self.event())["type"] == "websocket.accept"
        self.say(type="connection_init", payload={"authorization": f"Bearer {caller}"})
        assert await self.hear() == {"type": "connection_ack"}

    def subscribe(self, name: str, query: str, **more: Any) -> None:
        self.say(type="subscribe", id=name, payload={"query": query, **more})


Connect = Callable[..., Peer]


@pytest.fixture
async def connect(edge: Edge) -> AsyncIterator[Connect]:
    peers: list[Peer] = []

    def open_peer(**scope: Any) -> Peer:
        peers.append(Peer(edge.endpoint(), **scope))
        return peers[-1]

    yield open_peer
    for peer in peers:
        peer.reads.set()
        peer.leave()
        with suppress(asyncio.CancelledError):
            await asyncio.wait_for(peer.app, 5)
