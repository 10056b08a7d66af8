"""Two brands of two installations: a server and a database each, and nothing but HTTP between.

What they come through while their processes die is tried in tests/faults.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from loyalty.audit import audit
from loyalty.clock import SetClock
from loyalty.jobs.errands import outside
from loyalty.outside import Answered, Unreached
from loyalty.recorder.recorder import Recorder
from loyalty_graphql.ids import read_node_id
from loyalty_partners.plugin import plugin as partners
from loyalty_partners.remote import errand
from tests.plugins.partners.conftest import TERMS, Shop, link


class Post:
    """The way out of both, which a test may cut: before a request arrives, or before it is
    answered."""

    def __init__(self, way: Any) -> None:
        self._way = way
        self.lost: str | None = None  # "request" or "answer"
        self.only: str | None = None  # the field that it happens to
        self.sent: list[str] = []

    def check(self, url: str) -> None:
        self._way.check(url)

    async def post(self, url: str, *, content: bytes, **more: Any) -> Answered:
        hit = self.only is None or self.only.encode() in content
        self.sent.append(content.decode())
        if hit and self.lost == "request":
            raise Unreached("cut")
        # A busy machine is not what these tests are about.
        answer: Answered = await self._way.post(url, content=content, **{**more, "seconds": 30.0})
        if hit and self.lost == "answer":
            raise Unreached("cut")
        return answer

    @asynccontextmanager
    async def cut(self, lost: str, only: str | None = None) -> AsyncIterator[None]:
        self.lost, self.only = lost, only
        yield
        self.lost = self.only = None


@dataclass(slots=True)
class Elsewhere:
    """The airline and the hotel under an exchange in force: ann is bob there."""

    air: Shop
    hotel: Shop
    agreement: str
    post: Post
    workers: tuple[Recorder, Recorder]
    audit_dsns: tuple[str, str]

    async def quote(self, shop: Shop, member: str, amount: str) -> Any:
        payload = await shop.done(
            "quoteExchange", shop.brand.service, agreement=self.agreement,
            member={"externalId": member}, amount=amount,
        )  # fmt: skip
        return payload["quote"]

    async def exchange(self, shop: Shop, member: str, amount: str) -> Any:
        quote = await self.quote(shop, member, amount)
        done = await shop.done("exchangePoints", shop.brand.service, quote=quote["id"])
        return done["exchange"]

    async def work(self) -> None:
        """What workers of both sides have to do for each other, until nothing is due."""
        for _ in range(3):
            for shop, worker in zip((self.air, self.hotel), self.workers, strict=True):
                self.clock.advance(timedelta(seconds=10))
                await errand.run(outside(worker, self.post), shop.brand.tenant_id)

    async def states(self, exchange: str) -> tuple[str | None, str | None]:
        """What both halves say of an exchange."""
        found = []
        key = read_node_id(exchange)
        assert key is not None
        for shop in (self.air, self.hotel):
            api = shop.brand.server.services.api
            async with api.database.tenant(shop.brand.tenant_id, read_only=True) as connection:
                found.append(
                    await connection.fetchval(
                        """select state from loyalty.partners_leg
                            where tenant_id = loyalty.tenant() and id = $1""", key[1]
                    )
                )  # fmt: skip
        return found[0], found[1]

    @property
    def clock(self) -> SetClock:
        """Of both."""
        return self.air.brand.clock

    async def balances(self) -> tuple[int, int]:
        return await self.air.balance("ann"), await self.hotel.balance("bob")

    async def audited(self) -> None:
        for dsn, shop in zip(self.audit_dsns, (self.air, self.hotel), strict=True):
            assert await audit(dsn, [shop.brand.tenant_id], [partners]) == []


async def meet(air: Shop, hotel: Shop) -> None:
    """The airline invites, the hotel enters the invitation."""
    invited = await air.done(
        "connectRemotePartner", name="inn", url=f"{hotel.brand.server.url}/graphql",
        tenant=hotel.brand.slug,
    )  # fmt: skip
    assert invited["partner"]["status"] == "WAITING"
    entered = await hotel.done(
        "connectRemotePartner", name="wings", url=f"{air.brand.server.url}/graphql",
        tenant=air.brand.slug, invitation=invited["invitation"],
    )  # fmt: skip
    assert (entered["partner"]["status"], entered["invitation"]) == ("ACTIVE", None)


async def agree(air: Shop, hotel: Shop, terms: Any = TERMS) -> str:
    """An exchange in force, and ann at the airline is bob at the hotel: the agreement."""
    await meet(air, hotel)
    payload = await air.done(
        "proposeExchange", partner="inn", program="partners", unit="points", partnerUnit="points",
        terms=terms,
    )  # fmt: skip
    agreement = str(payload["agreement"]["id"])
    await hotel.done("acceptPartnerTerms", agreement=agreement)
    await air.brand.enroll("ann")
    await hotel.brand.enroll("bob")
    await link(agreement, air, "ann", hotel, "bob")
    return agreement
