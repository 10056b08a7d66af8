"""A small schema with everything the edge has to deal with."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import strawberry
from strawberry import Info

from loyalty.errors import Code, Refused
from loyalty_graphql.access import allow, batch, money, only, public, reached
from loyalty_graphql.cursors import Cursors
from loyalty_graphql.failures import UserError, user_error
from loyalty_graphql.inputs import compiled
from loyalty_graphql.paging import Connection, Paging
from loyalty_graphql.scalars import BatchItems, Decimal, Json
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
    def away(self) -> str | None:
        """Has nobody to ask."""
        raise Refused(Code.UNAVAILABLE, "the database did not answer")

    @strawberry.field
    @allow(*Role)
    def refuses(self) -> str:
        """Fails in a way that was foreseen."""
        raise Refused(Code.NOT_FOUND, "there is none", field="name", details={"near": "Eda"})

    @strawberry.field
    @allow(*Role)
    def waits(self) -> str | None:
        """Has too much to do."""
        raise Refused(Code.OVERLOADED, "too much at once")

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
