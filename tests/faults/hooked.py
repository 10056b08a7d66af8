"""A tenant that buys and is told of it, written past the API by the API's own login."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from loyalty.commands import Redeem
from loyalty.facts import MemberEnrolled, MemberRef, PurchaseRecorded
from loyalty.ids import new_id
from loyalty.purchase import Line, Tender, TenderKind
from loyalty.settlement.request import ClientKey, Recorded, Request
from loyalty_app.ledger import Ledger
from loyalty_tenants.egress import Reach
from loyalty_tenants.principal import Actor
from loyalty_tenants.tenants import TenantSettings, create_tenant
from loyalty_tenants.units import create_unit
from loyalty_tenants.webhooks import endpoints
from loyalty_tenants.webhooks.endpoints import NewSecret, Rules
from loyalty_tenants.webhooks.topics import Topics

BY = Actor(role="OPERATOR", subject="faults")
BOUGHT = "purchase.recorded.v1"
HERE = Reach(trusted=("127.0.0.1",))


@dataclass(slots=True)
class Hooked:
    """`bought` are the external ids of its purchases by member, in their order."""

    ledger: Ledger
    tenant_id: UUID
    members: list[MemberRef] = field(default_factory=list)
    bought: dict[str, list[str]] = field(default_factory=dict)
    number: int = 0

    async def endpoint(self, url: str) -> NewSecret:
        rules = Rules(topics=Topics(self.ledger.plugins), reach=HERE)
        async with self.ledger.database.tenant(self.tenant_id) as connection:
            return await endpoints.create(
                connection, BY, rules, url=url, topics=[BOUGHT], description="",
                now=datetime.now(UTC),
            )  # fmt: skip

    async def buy(self, count: int) -> list[str]:
        """So many purchases in one batch, each beside a redemption that is refused."""
        now, names, requests = datetime.now(UTC), [], []
        for _ in range(count):
            self.number += 1
            name = f"o-{self.number}"
            member = self.members[self.number % len(self.members)]
            names.append(name)
            self.bought.setdefault(str(member.external_id), []).append(name)
            requests += [_purchase(member, name, now), _too_much(member, now)]
        outcomes = await self.ledger.recorder.record_many(self.tenant_id, requests)
        assert all(isinstance(outcome, Recorded) for outcome in outcomes[::2])
        assert not any(isinstance(outcome, Recorded) for outcome in outcomes[1::2])
        return names


async def hooked(ledger: Ledger, members: int) -> Hooked:
    """A fresh tenant with a unit, and so many members."""
    now = datetime.now(UTC)
    settings = TenantSettings(name="Hooked", zone="UTC", currencies=("USD",))
    slug = f"hooked-{new_id().hex[-12:]}"
    made = await create_tenant(ledger.database, BY, slug=slug, settings=settings, now=now)
    async with ledger.database.tenant(made.tenant_id) as connection:
        await create_unit(connection, BY, code="points", name="Points", now=now)
    tenant = Hooked(ledger, made.tenant_id)
    tenant.members = [MemberRef(external_id=f"m{number}") for number in range(members)]
    requests = [
        Request(fact=MemberEnrolled(occurred_at=now, external_id=str(one.external_id)), actor="f")
        for one in tenant.members
    ]
    await ledger.recorder.record_many(made.tenant_id, requests)
    return tenant


def process(
    command: Sequence[str], settings: Mapping[str, str], folder: Path
) -> subprocess.Popen[bytes]:
    """A Python process of ours, in a group of its own; what it says goes to a file."""
    inherited = {name: value for name, value in os.environ.items() if "LOYALTY_" not in name}
    with (folder / f"{new_id()}.log").open("ab") as output:
        return subprocess.Popen(
            [sys.executable, *command], env={**inherited, **settings}, stdin=subprocess.DEVNULL,
            stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip


def _purchase(member: MemberRef, name: str, now: datetime) -> Request:
    fact = PurchaseRecorded(
        member=member, occurred_at=now, source="shop", external_id=name, currency="USD",
        total=100, lines=(Line(id="1", amount=100),),
        tenders=(Tender(kind=TenderKind.OTHER, amount=100),),
    )  # fmt: skip
    return Request(fact=fact, actor="faults")


def _too_much(member: MemberRef, now: datetime) -> Request:
    fact = Redeem(member=member, occurred_at=now, program="points", unit="points", amount=1)
    return Request(fact=fact, actor="faults", client_key=ClientKey("faults", new_id().hex))
