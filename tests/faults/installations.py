"""Two whole installations beside each other: each its database, its APIs and its worker.

They stand on one PostgreSQL server, in databases that know nothing of each other; all that leads
from one to the other is HTTP.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx

from loyalty_app.ledger import open_ledger
from loyalty_app.ports import free_port
from loyalty_app.prepare import prepare
from loyalty_app.settings import Settings
from loyalty_tenants.principal import Role
from loyalty_tenants.tokens import issue_token
from tests.faults.allies import give, partners_program
from tests.faults.api import Api
from tests.faults.brand import Brand, make_brand
from tests.faults.child import Child
from tests.faults.stand import Stand

CONNECT = """mutation($input: ConnectRemotePartnerInput!) { connectRemotePartner(input: $input) {
  invitation userErrors { code message } } }"""
PROPOSE = """mutation($input: ProposeExchangeInput!) { proposeExchange(input: $input) {
  agreement { id } userErrors { code message } } }"""
ACCEPT = """mutation($input: AcceptTermsInput!) { acceptPartnerTerms(input: $input) {
  agreement { state } userErrors { code message } } }"""
CODE = """mutation($input: IssueLinkCodeInput!) { issueLinkCode(input: $input) {
  code userErrors { code message } } }"""
REDEEM = """mutation($input: RedeemLinkCodeInput!) { redeemLinkCode(input: $input) {
  link userErrors { code message } } }"""
ONE_TO_ONE = {"burn": "1", "credit": "1", "price": "0.0080"}


class MortalApi(Api):
    """An API that dies between steps, and is there again."""

    def program(self) -> tuple[str, ...]:
        return (str(Path(__file__).with_name("mortal_partner.py")),)


class MortalWorker(Child):
    def program(self) -> tuple[str, ...]:
        return (str(Path(__file__).with_name("mortal_partner.py")),)


@dataclass(slots=True)
class Installation:
    """One of the two. Its APIs share an address: one listens, and is followed by the next."""

    settings: Settings
    brand: Brand
    api: MortalApi
    worker: MortalWorker
    http: httpx.AsyncClient

    @property
    def admin(self) -> str:
        brand = self.brand
        return issue_token(
            secret=brand.secret.text, kid=str(brand.secret.kid), issuer=brand.slug,
            tenant=brand.slug, role=Role.ADMIN, subject="admin", now=datetime.now(UTC),
            lifetime=timedelta(hours=1),
        )  # fmt: skip

    async def told(self, query: str, given: Mapping[str, Any], *, admin: bool = False) -> Any:
        """The payload of a mutation; nothing was refused.

        :raises httpx.TransportError: whoever serves died
        :raises LookupError: it is in trouble: send the same again
        """
        token = self.admin if admin else self.brand.api_key
        answer = await self.http.post(
            f"{self.api.url}/graphql", json={"query": query, "variables": {"input": given}},
            headers={"authorization": f"Bearer {token}"},
        )  # fmt: skip
        data = answer.json().get("data")  # null where all of it came to nothing
        (payload,) = data.values() if data else (None,)
        if payload is None:
            raise LookupError(answer.text)
        return payload

    async def rows(self, query: str, *args: Any) -> list[Any]:
        """What the database has, past row security."""
        connection = await asyncpg.connect(self.settings.need("database_url"))
        try:
            found: list[Any] = await connection.fetch(query, *args)
            return found
        finally:
            await connection.close()


async def databases(platform: Stand, names: Sequence[str]) -> list[Settings]:
    """A migrated database for each name, with logins; the first is migrated, the others copied."""
    base = platform.settings.need("database_url")
    made: list[Settings] = []
    for name in names:
        copied = f'template "{names[0]}"' if made else ""
        async with platform.admin() as admin:
            await admin.execute(f'create database "{name}" {copied}')
        bare = platform.settings.model_copy(
            update={
                "database_url": urlunsplit(urlsplit(base)._replace(path=f"/{name}")),
                "app_database_url": None, "worker_database_url": None, "audit_database_url": None,
            }
        )  # fmt: skip
        made.append((await prepare(bare))[0])
    return made


async def install(
    platform: Stand, settings: Settings, name: str, members: int, mortal: Mapping[str, str],
    http: httpx.AsyncClient,
) -> Installation:  # fmt: skip
    """A brand with points to exchange, and processes that are not started yet."""
    brand = await make_brand(settings, members)
    now = datetime.now(UTC)
    async with open_ledger(settings, settings.need("app_database_url"), pool=4) as ledger:
        await partners_program(ledger, brand, now)
        await give(ledger, brand, now)
    environment = {
        **settings.environment(), **mortal, "LOYALTY_WEBHOOK_TRUSTED_HOSTS": "127.0.0.1",
    }  # fmt: skip
    api = MortalApi(f"{name}-api", settings=environment, folder=platform.folder)
    worker = MortalWorker(
        f"{name}-worker", "worker", settings={**environment, "LOYALTY_PORT": str(free_port())},
        log=platform.folder / f"{name}-worker.log",
    )  # fmt: skip
    return Installation(settings, brand, api, worker, http)


async def make_partners(one: Installation, other: Installation) -> str:
    """Have both meet and agree, and link their members by name: the agreement."""
    invited = await one.told(
        CONNECT, {"name": "other", "url": f"{other.api.url}/graphql", "tenant": other.brand.slug},
        admin=True,
    )  # fmt: skip
    entered = await other.told(
        CONNECT,
        {
            "name": "one", "url": f"{one.api.url}/graphql", "tenant": one.brand.slug,
            "invitation": invited["invitation"],
        },
        admin=True,
    )  # fmt: skip
    assert entered["userErrors"] == [], entered
    terms = {"currency": "USD", "give": ONE_TO_ONE, "take": ONE_TO_ONE}
    proposed = await one.told(
        PROPOSE,
        {
            "partner": "other", "program": "partners", "unit": "points", "partnerUnit": "points",
            "terms": terms,
        },
        admin=True,
    )  # fmt: skip
    agreement = str(proposed["agreement"]["id"])
    accepted = await other.told(ACCEPT, {"agreement": agreement}, admin=True)
    assert accepted["userErrors"] == [], accepted
    for name in one.brand.members:
        who = {"agreement": agreement, "member": {"externalId": name}}
        code = (await one.told(CODE, who))["code"]
        linked = await other.told(REDEEM, {**who, "code": code})
        assert linked["userErrors"] == [], linked
    return agreement
