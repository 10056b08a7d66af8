"""A tenant with punch cards beside points, and the worker behind: due facts and jobs."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from loyalty.clock import SetClock
from loyalty.database import Database
from loyalty.facts import (
    ActivityRecorded,
    Fact,
    FactKey,
    MemberEnrolled,
    MemberRef,
    PurchaseRecorded,
    PurchaseReversed,
)
from loyalty.ids import new_id
from loyalty.ledger.balances import balances
from loyalty.migrate import migrate
from loyalty.plugin import Plugin
from loyalty.plugin_set import PluginSet
from loyalty.purchase import Line, ReturnedLine, Tender, TenderKind
from loyalty.recorder.each import Outcome
from loyalty.recorder.recorder import Recorder
from loyalty.recorder.setups import Setups
from loyalty.settlement.request import Follows, Recorded, Request
from loyalty_app.logins import Addresses
from loyalty_points.plugin import plugin as points
from loyalty_stamps.plugin import plugin as stamps
from loyalty_tenants.configs import Configs
from loyalty_tenants.model_apps import prepare_models
from loyalty_tenants.principal import Actor
from loyalty_tenants.programs import create_program, update_program
from loyalty_tenants.publishing import publish_program
from loyalty_tenants.setups import TenantSetups
from loyalty_tenants.tenants import TenantSettings, create_tenant
from loyalty_tenants.units import create_unit
from tests.auditor import audit

START = datetime(2026, 1, 10, 12, tzinfo=UTC)
BOSS = Actor(role="ADMIN", subject="boss", request_id="r-1")
CARD = {"unit": "points", "needed": 3, "reward": 10, "category": "coffee"}
POINTS = {
    "unit": "points",
    "rules": [
        {
            "id": "base",
            "label": "Points",
            "accounting_class": "MATERIAL_RIGHT",
            "points": "1",
            "per": {"USD": "1.00"},
        }
    ],
}
_numbers = itertools.count(1)


@dataclass(slots=True)
class Shop:
    """One tenant; what members do there, and what the worker does behind."""

    database: Database
    audit_dsn: str
    clock: SetClock
    plugins: PluginSet
    configs: Configs
    recorder: Recorder
    tenant_id: UUID

    async def run(self, slug: str, kind: str = "stamps", **config: Any) -> UUID:
        """Publish a program, in force from now on; a punch card is `CARD` with these keys."""
        plain = (CARD if kind == "stamps" else POINTS if kind == "points" else {}) | config
        now = self.clock.now()
        async with self.database.tenant(self.tenant_id) as connection:
            program = await create_program(
                connection, self.configs, BOSS, slug=slug, kind=kind, name=slug, config=plain,
                now=now,
            )  # fmt: skip
            await publish_program(
                connection, self.configs, BOSS, program.id, expected_version=program.version,
                now=now,
            )  # fmt: skip
        return program.id

    async def change(self, program_id: UUID, **config: Any) -> None:
        """Publish a punch card's next version, in force from now on."""
        now = self.clock.now()
        async with self.database.tenant(self.tenant_id) as connection:
            (row,) = await connection.fetch(
                "select version from loyalty.program where id = $1", program_id
            )
            changed = await update_program(
                connection, self.configs, BOSS, program_id, expected_version=row["version"],
                config=CARD | config, now=now,
            )  # fmt: skip
            await publish_program(
                connection, self.configs, BOSS, program_id, expected_version=changed.version,
                now=now,
            )  # fmt: skip

    async def records(self, *facts: Fact) -> list[Outcome]:
        requests = [Request(fact=fact, actor="test") for fact in facts]
        return await self.recorder.record_many(self.tenant_id, requests)

    async def record(self, fact: Fact) -> Recorded:
        (outcome,) = await self.records(fact)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def member(self, external_id: str | None = None) -> MemberRef:
        recorded = await self.record(
            MemberEnrolled(
                occurred_at=self.clock.now(), external_id=external_id or f"m{next(_numbers)}"
            )
        )
        assert recorded.member_id is not None
        return MemberRef(id=recorded.member_id)

    def coffees(
        self, member: MemberRef, count: int, *, category: str = "coffee", external_id: str = ""
    ) -> PurchaseRecorded:
        """So many cups at 4.00, each a line of its own."""
        lines = tuple(
            Line(id=f"cup-{number}", amount=400, category=category) for number in range(count)
        )
        total = 400 * count
        return PurchaseRecorded(
            member=member,
            occurred_at=self.clock.now(),
            source="till",
            external_id=external_id or f"o{next(_numbers)}",
            currency="USD",
            total=total,
            lines=lines,
            tenders=(Tender(kind=TenderKind.OTHER, amount=total),),
        )

    def back(self, purchase: PurchaseRecorded, *cups: str) -> PurchaseReversed:
        return PurchaseReversed(
            occurred_at=self.clock.now(),
            source=purchase.source,
            return_id=f"r{next(_numbers)}",
            purchase_external_id=purchase.external_id,
            lines=tuple(ReturnedLine(id=cup, quantity=1_000) for cup in cups),
        )

    def activity(self, member: MemberRef, type: str, **attributes: Any) -> ActivityRecorded:
        return ActivityRecorded(
            member=member, occurred_at=self.clock.now(), source="app",
            external_id=f"a{next(_numbers)}", type=type, attributes=attributes,
        )  # fmt: skip

    async def buddies(self) -> tuple[MemberRef, MemberRef]:
        """A member and the buddy whom they named."""
        external_id = f"buddy{next(_numbers)}"
        buddy, member = await self.member(external_id), await self.member()
        await self.record(self.activity(member, "buddy", buddy=external_id))
        return member, buddy

    async def settle_due(self) -> list[Outcome]:
        """Settle what fell due by now, oldest first, each once."""
        rows = await self.rows(
            """select * from loyalty.due_fact where state = 'WAITING' and due_at <= $1
                order by due_at, id""",
            self.clock.now(),
        )
        requests = [
            Request(
                fact=self.plugins.codec.load(
                    row["kind"], row["payload"], MemberRef(id=row["member_id"])
                ),
                actor="worker",
                follows=Follows(
                    due_id=row["id"], cause_id=row["cause_id"], root_id=row["root_id"],
                    hop=row["hop"],
                ),
            )
            for row in rows
        ]  # fmt: skip
        return await self.recorder.record_many(self.tenant_id, requests)

    async def run_jobs(self) -> list[Outcome]:
        """Record what the plugins' jobs name, under the keys that they name it by."""
        requests = []
        setup = await self.recorder.setups.get(self.tenant_id)
        async with self.database.tenant(self.tenant_id, read_only=True) as connection:
            for plugin in self.plugins.plugins:
                for job in plugin.jobs:
                    scope = f"{plugin.name}.{job.name}"
                    async for due in job.due(connection, setup, self.clock.now()):
                        key = FactKey(scope, due.key)
                        requests.append(Request(fact=due.fact, actor="worker", key=key))
        return await self.recorder.record_many(self.tenant_id, requests)

    async def points(self, member: MemberRef, unit: str = "points") -> int:
        assert member.id is not None
        async with self.database.tenant(self.tenant_id, read_only=True) as connection:
            found = await balances(connection, [(member.id, unit)], self.clock.now())
        return found[member.id, unit].view.total

    async def stamps(self, member: MemberRef) -> list[int]:
        """What is on the member's cards."""
        rows = await self.rows(
            "select stamps from loyalty.stamps_card where member_id = $1 order by program_id",
            member.id,
        )
        return [row["stamps"] for row in rows]

    async def rows(self, query: str, *args: Any) -> list[Any]:
        async with self.database.tenant(self.tenant_id, read_only=True) as connection:
            return list(await connection.fetch(query, *args))

    async def audited(self) -> None:
        found = await audit(self.audit_dsn, [self.tenant_id])
        assert not found, found

    def wait_until(self, instant: datetime) -> None:
        self.clock.advance(instant - self.clock.now())

    def pass_time(self, **delta: float) -> None:
        self.clock.advance(timedelta(**delta))


@pytest.fixture(scope="session", autouse=True)
async def _models() -> None:
    await prepare_models()


@pytest.fixture(scope="session")
async def dsn(new_dsn: Callable[[], Awaitable[Addresses]]) -> Addresses:
    """A database that also has the tables of the punch card."""
    made = await new_dsn()
    await migrate(made.admin, ["loyalty_stamps"])
    return made


@pytest.fixture(scope="session")
async def database(dsn: Addresses) -> AsyncIterator[Database]:
    opened = await Database.open(dsn.app, acquire_timeout=30)
    yield opened
    await opened.close()


MakeShop = Callable[..., Awaitable[Shop]]


@pytest.fixture
def make_shop(database: Database, dsn: Addresses) -> MakeShop:
    """Makes a tenant with the units `points` and `gems` and no program yet."""

    async def make(plugins: Sequence[Plugin] = (points, stamps)) -> Shop:
        clock = SetClock(START)
        given = TenantSettings(name="Cafe", zone="America/New_York", currencies=("USD",))
        slug = f"cafe-{new_id().hex[-12:]}"
        made = await create_tenant(database, BOSS, slug=slug, settings=given, now=START)
        configs = Configs({plugin.name: plugin for plugin in plugins})
        plugin_set = PluginSet(plugins)
        recorder = Recorder(database, plugin_set, Setups(database, TenantSetups(configs)), clock)
        async with database.tenant(made.tenant_id) as connection:
            for code in ("points", "gems"):
                await create_unit(connection, BOSS, code=code, name=code, now=START)
        return Shop(
            database=database, audit_dsn=dsn.audit, clock=clock, plugins=plugin_set,
            configs=configs, recorder=recorder, tenant_id=made.tenant_id,
        )  # fmt: skip

    return make


@pytest.fixture
async def shop(make_shop: MakeShop) -> AsyncIterator[Shop]:
    """A tenant without programs; at the end its books are audited."""
    made = await make_shop()
    yield made
    await made.audited()
