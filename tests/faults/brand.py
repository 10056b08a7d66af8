"""A tenant to put load on: one program of one point per dollar, its members and its keys."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from loyalty.clock import SetClock
from loyalty.facts import MemberEnrolled
from loyalty.ids import new_id
from loyalty.settlement.request import Recorded, Request
from loyalty_app.ledger import Ledger, open_ledger
from loyalty_app.settings import Settings
from loyalty_tenants.keys import issue_key
from loyalty_tenants.principal import Actor, Role
from loyalty_tenants.programs import create_program
from loyalty_tenants.publishing import publish_program
from loyalty_tenants.signing import SigningSecret, rotate_secret
from loyalty_tenants.tenants import TenantSettings, create_tenant
from loyalty_tenants.units import create_unit

BY = Actor(role=Role.OPERATOR, subject="faults")
CLIENT = "till"
PROGRAM = {
    "unit": "points",
    "rules": [
        {
            "id": "base",
            "label": "1 point per dollar",
            "accounting_class": "MATERIAL_RIGHT",
            "points": "1",
            "per": {"USD": "1.00"},
        }
    ],
    "terms": {"lifetime": {"span": "P12M", "ends": "exact"}},
}


@dataclass(frozen=True, slots=True)
class Brand:
    tenant_id: UUID
    slug: str
    api_key: str
    secret: SigningSecret
    members: tuple[str, ...]


async def make_brand(
    settings: Settings, members: int, program: object = PROGRAM, at: datetime | None = None
) -> Brand:
    """A fresh tenant, written past the API by the API's own login; as of `at`, by default now."""
    dsn = settings.need("app_database_url")
    now = at or datetime.now(UTC)
    async with open_ledger(settings, dsn, pool=2, clock=SetClock(now)) as ledger:
        terms = TenantSettings(name="Faults", zone="America/New_York", currencies=("USD",))
        slug = f"faults-{new_id().hex[-12:]}"
        made = await create_tenant(ledger.database, BY, slug=slug, settings=terms, now=now)
        key, secret = await _furnish(ledger, made.tenant_id, program, now)
        names = tuple(f"m{n:03d}" for n in range(members))
        requests = [
            Request(fact=MemberEnrolled(occurred_at=now, external_id=name), actor="faults")
            for name in names
        ]
        enrolled = await ledger.recorder.record_many(made.tenant_id, requests)
        assert all(isinstance(outcome, Recorded) for outcome in enrolled), enrolled
        return Brand(made.tenant_id, slug, key, secret, names)


async def _furnish(
    ledger: Ledger, tenant_id: UUID, program: object, now: datetime
) -> tuple[str, SigningSecret]:
    async with ledger.database.tenant(tenant_id) as connection:
        await create_unit(connection, BY, code="points", name="Points", now=now)
        made = await create_program(
            connection, ledger.configs, BY, slug="points", kind="points", name="Points",
            config=program, now=now,
        )  # fmt: skip
        await publish_program(
            connection, ledger.configs, BY, made.id, expected_version=made.version, now=now
        )
        key = await issue_key(connection, BY, role=Role.SERVICE, client=CLIENT, now=now)
        secret = await rotate_secret(connection, BY, now=now)
    return key.text, secret
