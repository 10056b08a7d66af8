"""Two brands that exchange points, told over HTTP; the ledger of both is audited afterwards."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from loyalty_app.logins import Addresses
from loyalty_partners.plugin import plugin as partners
from tests.auditor import audit
from tests.graphql.brand import Brand, Client, Server
from tests.graphql.conftest import (
    http,
    make_brand,
    make_own_server,
    make_server,
    operator,
    rows,
    work,
)
from tests.plugins.partners import documents

__all__ = ["http", "make_brand", "make_own_server", "make_server", "operator", "rows", "work"]

CONFIG = {"units": {"points": {"lifetime": {"span": "P12M"}}}}
TERMS = {
    "currency": "USD",
    "give": {"burn": "3", "credit": "1", "price": "0.0080"},
    "take": {"burn": "1", "credit": "2", "price": "0.0040"},
}


@dataclass(slots=True)
class Shop:
    """A brand with a partners program, and what its people ask for."""

    brand: Brand

    async def asked(self, field: str, client: Client | None = None, /, **given: Any) -> Any:
        """The payload of a mutation of ours."""
        client = client or self.brand.admin
        data = await client.run(documents.MUTATIONS[field], input=given)
        return data[field]

    async def done(self, field: str, client: Client | None = None, /, **given: Any) -> Any:
        payload = await self.asked(field, client, **given)
        assert payload["userErrors"] == [], payload
        return payload

    async def refused(self, field: str, client: Client | None = None, /, **given: Any) -> str:
        """The code of the one refusal."""
        payload = await self.asked(field, client, **given)
        (error,) = payload["userErrors"]
        return str(error["code"])

    async def give(self, member: str, amount: int, **more: Any) -> None:
        """Points by hand: settled, of no term unless it is said."""
        data = await self.brand.admin.run(
            documents.ADJUST,
            input={
                "member": {"externalId": member}, "unit": "points", "amount": str(amount),
                "reasonCode": "START", "idempotencyKey": self.brand.key(), **more,
            },
        )  # fmt: skip
        assert data["adjustBalance"]["userErrors"] == [], data

    async def balance(self, member: str) -> int:
        data = await self.brand.admin.run(documents.BALANCE, name=member)
        return int(data["member"]["balance"]["available"])

    async def expiries(self, member: str) -> list[tuple[str, str]]:
        data = await self.brand.admin.run(documents.BALANCE, name=member)
        return [(one["at"], one["amount"]) for one in data["member"]["balance"]["expiries"]]


@dataclass(slots=True)
class Alliance:
    """Two brands under an exchange in force: ann at the airline is bob at the hotel."""

    air: Shop
    hotel: Shop
    agreement: str
    audit_dsn: str

    async def quote(self, shop: Shop, member: str, amount: str) -> Any:
        payload = await shop.done(
            "quoteExchange", shop.brand.service, agreement=self.agreement,
            member={"externalId": member}, amount=amount,
        )  # fmt: skip
        return payload["quote"]

    async def exchange(self, shop: Shop, member: str, amount: str) -> Any:
        """A quote that is taken up at once."""
        quote = await self.quote(shop, member, amount)
        return await shop.done("exchangePoints", shop.brand.service, quote=quote["id"])

    async def link(self, here: str, there: str) -> None:
        await link(self.agreement, self.air, here, self.hotel, there)

    async def audited(self) -> None:
        tenants = [shop.brand.tenant_id for shop in (self.air, self.hotel)]
        assert await audit(self.audit_dsn, tenants, [partners]) == []


async def link(agreement: str, here: Shop, member: str, there: Shop, other: str) -> None:
    """Prove at the one brand that the account at the other is the same person's."""
    issued = await here.done(
        "issueLinkCode", here.brand.service, agreement=agreement, member={"externalId": member}
    )
    await there.done(
        "redeemLinkCode", there.brand.service, agreement=agreement,
        member={"externalId": other}, code=issued["code"],
    )  # fmt: skip


@pytest.fixture(scope="session")
async def server(make_server: Callable[..., Awaitable[Server]]) -> Server:
    """A server of these brands: each test moves its clock, and `make_brand` sets it back."""
    return await make_server()


@pytest.fixture
async def make_shop(make_brand: Callable[..., Awaitable[Brand]]) -> Callable[..., Awaitable[Shop]]:
    async def make(config: Any = CONFIG, on: Server | None = None) -> Shop:
        brand = await make_brand(on=on, backdating=timedelta(days=400))
        await brand.run_program("partners", config, "partners")
        return Shop(brand)

    return make


async def propose(here: Shop, there: Shop, terms: Any = TERMS, **more: Any) -> str:
    payload = await here.done(
        "proposeExchange", partner=there.brand.slug, program="partners", unit="points",
        partnerUnit="points", terms=terms, **more,
    )  # fmt: skip
    return str(payload["agreement"]["id"])


@pytest.fixture
async def make_alliance(
    make_shop: Callable[..., Awaitable[Shop]], dsn: Addresses
) -> AsyncIterator[Callable[..., Awaitable[Alliance]]]:
    made: list[Alliance] = []

    async def make(terms: Any = TERMS, **configs: Any) -> Alliance:
        air, hotel = await make_shop(**configs), await make_shop(**configs)
        agreement = await propose(air, hotel, terms)
        await hotel.done("acceptPartnerTerms", agreement=agreement)
        await air.brand.enroll("ann")
        await hotel.brand.enroll("bob")
        alliance = Alliance(air, hotel, agreement, dsn.audit)
        await alliance.link("ann", "bob")
        made.append(alliance)
        return alliance

    yield make
    for alliance in made:
        await alliance.audited()


@pytest.fixture
async def alliance(make_alliance: Callable[..., Awaitable[Alliance]]) -> Alliance:
    return await make_alliance()
