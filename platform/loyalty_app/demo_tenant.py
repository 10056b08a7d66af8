"""The tenant `loyalty up` shows itself with: a points program, some members, some baskets."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from loyalty.facts import Fact, MemberEnrolled, MemberRef, PurchaseRecorded
from loyalty.purchase import Line, Tender, TenderKind
from loyalty.settlement.request import Request
from loyalty_app import private
from loyalty_app.ledger import Ledger
from loyalty_tenants.keys import issue_key
from loyalty_tenants.principal import Actor, Role
from loyalty_tenants.programs import create_program
from loyalty_tenants.publishing import publish_program
from loyalty_tenants.signing import rotate_secret
from loyalty_tenants.tenants import TenantSettings, create_tenant, tenant_of_slug
from loyalty_tenants.tokens import issue_token
from loyalty_tenants.units import create_unit

SLUG = "demo"
MEMBER = "ada"
BY = Actor(role="OPERATOR", subject="loyalty up", request_id="demo")
TOKEN_LIFETIME = timedelta(days=7)

SETTINGS = TenantSettings(name="Corner Coffee", zone="America/New_York", currencies=("USD",))
PROGRAM = {
    "unit": "points",
    "rules": [
        {
            "id": "spend",
            "label": "1 point per dollar",
            "accounting_class": "MATERIAL_RIGHT",
            "points": "1",
            "per": {"USD": "1.00"},
            "categories": [{"category": "drinks/coffee", "points": "2"}],
        }
    ],
    "terms": {"lifetime": {"span": "P12M", "ends": "month"}},
    "redemption": {"minimum": "10"},
}
# Member, days ago, lines as (category, cents).
BASKETS = (
    ("ada", 40, (("drinks/coffee", 450), ("food/cake", 525))),
    ("ada", 12, (("drinks/coffee", 450), ("drinks/coffee", 450), ("goods/beans", 1890))),
    ("grace", 30, (("food/lunch", 1250), ("drinks/tea", 380))),
    ("grace", 3, (("drinks/coffee", 490),)),
    ("linus", 20, (("goods/mug", 1400),)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """How to speak for the demo tenant."""

    tenant_id: UUID
    api_key: str
    member_token: str


async def demo_tenant(ledger: Ledger, data_dir: Path, now: datetime) -> Demo:
    """The demo tenant's credentials; the tenant is made on the first call.

    The key and the signing secret are kept in the data folder, since the platform itself keeps no
    key that could be read back.
    """
    path = data_dir / "demo.json"
    kept = private.read(path)
    tenant_id = await tenant_of_slug(ledger.database, SLUG)
    if tenant_id is None:
        tenant_id = await _create(ledger, now)
        kept = {}
    if kept.get("tenant") != str(tenant_id):
        kept = await _credentials(ledger, tenant_id, now)
        private.write(path, kept)
    token = issue_token(
        secret=kept["secret"],
        kid=kept["kid"],
        issuer=SLUG,
        tenant=SLUG,
        role=Role.MEMBER,
        subject=MEMBER,
        now=now,
        lifetime=TOKEN_LIFETIME,
    )
    return Demo(tenant_id=tenant_id, api_key=kept["key"], member_token=token)


async def _create(ledger: Ledger, now: datetime) -> UUID:
    """Tenant, unit and program; then members and purchases through the ordinary write path."""
    made = await create_tenant(ledger.database, BY, slug=SLUG, settings=SETTINGS, now=now)
    async with ledger.database.tenant(made.tenant_id) as connection:
        await create_unit(connection, BY, code="points", name="Points", now=now)
        program = await create_program(
            connection,
            ledger.configs,
            BY,
            slug="points",
            kind="points",
            name="Corner points",
            config=PROGRAM,
            now=now,
        )
        await publish_program(
            connection,
            ledger.configs,
            BY,
            program.id,
            expected_version=program.version,
            effective_from=now - timedelta(days=365),
            now=now,
        )
    facts = [*_members(now), *_purchases(now)]
    requests = [Request(fact=fact, actor="operator:demo", any_time=True) for fact in facts]
    for outcome in await ledger.recorder.record_many(made.tenant_id, requests):
        if isinstance(outcome, Exception):
            raise outcome
    return made.tenant_id


def _members(now: datetime) -> list[Fact]:
    names = sorted({name for name, _, _ in BASKETS})
    return [
        MemberEnrolled(
            occurred_at=now - timedelta(days=60),
            external_id=name,
            identifiers=(f"card-{1000 + index}",),
        )
        for index, name in enumerate(names)
    ]


def _purchases(now: datetime) -> list[Fact]:
    return [
        PurchaseRecorded(
            member=MemberRef(external_id=name),
            occurred_at=now - timedelta(days=days),
            source="till",
            external_id=f"receipt-{number}",
            currency="USD",
            total=sum(cents for _, cents in lines),
            lines=tuple(
                Line(id=str(index), category=category, amount=cents)
                for index, (category, cents) in enumerate(lines, start=1)
            ),
            tenders=(Tender(kind=TenderKind.CARD, amount=sum(cents for _, cents in lines)),),
        )
        for number, (name, days, lines) in enumerate(BASKETS, start=1)
    ]


async def _credentials(ledger: Ledger, tenant_id: UUID, now: datetime) -> dict[str, str]:
    async with ledger.database.tenant(tenant_id) as connection:
        key = await issue_key(
            connection, BY, role=Role.ADMIN, client=f"demo-{now:%Y%m%d%H%M%S}", now=now
        )
        secret = await rotate_secret(connection, BY, now=now)
    return {
        "tenant": str(tenant_id),
        "key": key.text,
        "kid": str(secret.kid),
        "secret": secret.text,
    }
