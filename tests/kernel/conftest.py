"""A world to record in: a tenant, its programs, a real database and a clock that stands."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from loyalty.clock import SetClock
from loyalty.commands import AdjustBalance, Command, Redeem
from loyalty.database import Database
from loyalty.errors import Refused
from loyalty.facts import (
    Fact,
    HoldLapsed,
    MemberEnrolled,
    MemberRef,
    PurchaseRecorded,
    PurchaseReversed,
)
from loyalty.ids import new_id
from loyalty.ledger.balances import balance_as_of, balances
from loyalty.owners import Owner
from loyalty.plugin import Plugin
from loyalty.plugin_set import PluginSet
from loyalty.purchase import Line, ReturnedLine, Tender, TenderKind
from loyalty.recorder.lane import Lanes
from loyalty.recorder.recorder import Outcome, Recorder
from loyalty.recorder.setups import Setups
from loyalty.settlement.request import ClientKey, Recorded, Request
from loyalty.view import BalanceView
from loyalty_app.logins import Addresses
from loyalty_points.plugin import plugin as points_plugin
from loyalty_tenants.configs import Configs
from loyalty_tenants.model_apps import prepare_models
from loyalty_tenants.principal import Actor
from loyalty_tenants.programs import create_program
from loyalty_tenants.publishing import publish_program
from loyalty_tenants.setups import TenantSetups
from loyalty_tenants.tenants import TenantSettings, create_tenant
from loyalty_tenants.units import create_unit
from tests.auditor import audit
from tests.kernel.holders import held_by, lots_due

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
BOSS = Actor(role="ADMIN", subject="boss", request_id="r-1")
POINTS_CONFIG = {
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

_numbers = itertools.count(1)


@dataclass(slots=True)
class World:
    """One tenant and everything needed to let things happen in it."""

    database: Database
    audit_dsn: str
    clock: SetClock
    plugins: PluginSet
    configs: Configs
    recorder: Recorder
    lanes: Lanes
    tenant_id: UUID
    keys: Any = field(default_factory=lambda: itertools.count(1))

    async def run_program(self, slug: str, config: Any, kind: str = "points") -> UUID:
        """Create and publish a program, in force from now on."""
        now = self.clock.now()
        async with self.database.tenant(self.tenant_id) as connection:
            program = await create_program(
                connection, self.configs, BOSS, slug=slug, kind=kind, name=slug,
                config=config, now=now,
            )  # fmt: skip
            await publish_program(
                connection, self.configs, BOSS, program.id,
                expected_version=program.version, now=now,
            )  # fmt: skip
        return program.id

    def request(self, fact: Fact, key: str | None = None) -> Request:
        client = None
        if isinstance(fact, Command):
            client = ClientKey("till", key or f"key-{next(self.keys)}")
        return Request(fact=fact, actor="test", client_key=client)

    async def records(self, *facts: Fact, key: str | None = None) -> list[Outcome]:
        requests = [self.request(fact, key) for fact in facts]
        return await self.recorder.record_many(self.tenant_id, requests)

    async def refusal(self, fact: Fact, key: str | None = None) -> Refused:
        """Record what cannot stand; answers why."""
        (outcome,) = await self.records(fact, key=key)
        assert isinstance(outcome, Refused), outcome
        return outcome

    async def record(self, fact: Fact, key: str | None = None) -> Recorded:
        (outcome,) = await self.records(fact, key=key)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def member(self, external_id: str | None = None) -> MemberRef:
        external_id = external_id or f"m{next(_numbers)}"
        fact = MemberEnrolled(occurred_at=self.clock.now(), external_id=external_id)
        recorded = await self.record(fact)
        assert recorded.member_id is not None
        return MemberRef(id=recorded.member_id)

    def purchase(
        self, member: MemberRef, total: str | int, *, lines: Sequence[Line] = (),
        external_id: str | None = None, at: datetime | None = None, revision: int = 1,
        currency: str = "USD",
    ) -> PurchaseRecorded:  # fmt: skip
        cents = total if isinstance(total, int) else round(float(total) * 100)
        return PurchaseRecorded(
            member=member,
            occurred_at=at or self.clock.now(),
            source="shop",
            external_id=external_id or f"o{next(_numbers)}",
            revision=revision,
            currency=currency,
            total=cents,
            lines=tuple(lines) or (Line(id="1", amount=cents),),
            tenders=(Tender(kind=TenderKind.OTHER, amount=cents),),
        )

    def back(
        self, purchase: PurchaseRecorded, *lines: ReturnedLine, return_id: str | None = None
    ) -> PurchaseReversed:
        return PurchaseReversed(
            occurred_at=self.clock.now(),
            source=purchase.source,
            return_id=return_id or f"r{next(_numbers)}",
            purchase_external_id=purchase.external_id,
            purchase_revision=purchase.revision,
            lines=lines,
        )

    async def balance(
        self, whose: MemberRef | Owner, unit: str = "points", at: datetime | None = None
    ) -> BalanceView:
        holder = held_by(whose)
        async with self.database.tenant(self.tenant_id, read_only=True) as connection:
            found = await balances(connection, [(holder, unit)], at or self.clock.now())
        return found[holder, unit].view

    async def as_of(
        self, whose: MemberRef | Owner, at: datetime, known_at: datetime | None = None
    ) -> BalanceView:
        async with self.database.tenant(self.tenant_id, read_only=True) as connection:
            found = await balance_as_of(
                connection, held_by(whose), "points", at=at, known_at=known_at or self.clock.now()
            )
        return found.view

    async def give(self, member: MemberRef, amount: int, *, days: float | None = None) -> Recorded:
        """A lot of `amount` that ends after so many days (None: never)."""
        now = self.clock.now()
        ends = None if days is None else now + timedelta(days=days)
        return await self.record(
            AdjustBalance(
                member=member, occurred_at=now, unit="points", amount=amount, reason_code="TEST",
                expires_at=ends,
            )
        )  # fmt: skip

    async def redeem(
        self, member: MemberRef, amount: int, *, capture: bool = True, key: str | None = None,
        program: str = "points", hold_for: timedelta | None = None, order: str | None = None,
    ) -> UUID:  # fmt: skip
        """Redeem points; answers the redemption's id."""
        recorded = await self.record(
            Redeem(
                member=member, occurred_at=self.clock.now(), program=program, unit="points",
                amount=amount, capture=capture, hold_for=hold_for, order=order,
            ),
            key=key,
        )  # fmt: skip
        return UUID(recorded.answer["redemptionId"])

    async def due(self) -> list[Fact]:
        """What a worker finds due now: holds that lapsed and lots that reached their term."""
        now = self.clock.now()
        holds = await self.rows(
            "select id, held_until from loyalty.redemption"
            " where state = 'HELD' and held_until <= $1 order by id", now
        )  # fmt: skip
        lots = await self.rows(
            "select distinct a.owner_kind, a.owner_id, a.unit, a.version, l.expires_at"
            " from loyalty.lot l"
            " join loyalty.account a on a.id = l.account_id"
            " where l.remaining > 0 and l.expires_at <= $1 order by l.expires_at, a.owner_id", now
        )  # fmt: skip
        found: list[Fact] = [
            HoldLapsed(occurred_at=row["held_until"], redemption_id=row["id"]) for row in holds
        ]
        return found + [lots_due(row) for row in lots]

    async def sweep(self) -> list[Outcome]:
        """Let what is due now come to its end."""
        return await self.records(*await self.due())

    async def digest(self) -> dict[str, str]:
        """Every row of the tenant as one number per table, to see that nothing was written."""
        tables = await self.rows(
            "select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
            " join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'"
            " where n.nspname = 'loyalty' and c.relkind = 'r'"
            " and has_table_privilege(c.oid, 'select') order by 1"
        )
        found = {}
        for (table,) in tables:
            rows = "select md5(coalesce(string_agg(t::text, e'\n' order by t::text), ''))"
            found[table] = (await self.rows(f"{rows} from loyalty.{table} t"))[0][0]
        return found

    async def rows(self, query: str, *args: Any) -> list[Any]:
        async with self.database.tenant(self.tenant_id, read_only=True) as connection:
            return list(await connection.fetch(query, *args))

    async def audited(self) -> None:
        """The whole audit of this tenant: nothing may be found."""
        found = await audit(self.audit_dsn, [self.tenant_id])
        assert not found, found

    def pass_time(self, **delta: float) -> None:
        self.clock.advance(timedelta(**delta))


@pytest.fixture(scope="session", autouse=True)
async def _models() -> None:
    await prepare_models()


@pytest.fixture
def make_world(database: Database, dsn: Addresses) -> Callable[..., Awaitable[World]]:
    """Makes a tenant with a unit `points` and a points program `points` (unless config is None)."""

    async def make(
        config: Any = POINTS_CONFIG, plugins: Sequence[Plugin] = (points_plugin,), **settings: Any
    ) -> World:
        clock = SetClock(START)
        given = replace(
            TenantSettings(name="Brand", zone="America/New_York", currencies=("USD", "EUR")),
            **settings,
        )
        slug = f"brand-{new_id().hex[-12:]}"
        made = await create_tenant(database, BOSS, slug=slug, settings=given, now=START)
        configs = Configs({plugin.name: plugin for plugin in plugins})
        plugin_set = PluginSet(plugins)
        setups = Setups(database, TenantSetups(configs))
        recorder = Recorder(database, plugin_set, setups, clock)
        world = World(
            database=database, audit_dsn=dsn.audit, clock=clock, plugins=plugin_set,
            configs=configs, recorder=recorder, lanes=Lanes(recorder), tenant_id=made.tenant_id,
        )  # fmt: skip
        async with database.tenant(made.tenant_id) as connection:
            await create_unit(connection, BOSS, code="points", name="Points", now=START)
        if config is not None:
            await world.run_program("points", config)
        return world

    return make


@pytest.fixture
async def world(make_world: Callable[..., Awaitable[World]]) -> AsyncIterator[World]:
    made = await make_world()
    yield made
    await made.audited()


@pytest.fixture
async def second(world: World, dsn: Addresses) -> AsyncIterator[Recorder]:
    """Another process's recorder for the same tenant: its own pool, its own setups."""
    database = await Database.open(dsn.app, acquire_timeout=30)
    setups = Setups(database, TenantSetups(world.configs))
    yield Recorder(database, world.plugins, setups, world.clock)
    await database.close()
