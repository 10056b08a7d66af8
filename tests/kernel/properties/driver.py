"""Drives the real recorder for a machine that knows no event loop."""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Sequence
from datetime import datetime
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import asyncpg

from loyalty.audit import INVARIANTS
from loyalty.clock import SetClock
from loyalty.database import Database, begin
from loyalty.facts import MemberEnrolled
from loyalty.ids import new_id
from loyalty.ledger.balances import balance_as_of, balances
from loyalty.plugin_set import PluginSet
from loyalty.recorder.each import Outcome
from loyalty.recorder.recorder import Recorder
from loyalty.recorder.setups import Setups
from loyalty.settlement.request import Recorded, Request
from loyalty.view import BalanceView
from loyalty_app.logins import Addresses
from loyalty_points.plugin import plugin as points_plugin

from .two_programs import START, UNITS, TwoPrograms

T = TypeVar("T")


class Driver:
    """Its own event loop, pool and audit connection."""

    units: ClassVar[Sequence[str]] = tuple(UNITS)

    def __init__(self, dsn: Addresses) -> None:
        self.loop = asyncio.new_event_loop()
        self.clock = SetClock(START)
        self.reached: Counter[str] = Counter()
        self.dsn = dsn
        self.run(self._open())

    async def _open(self) -> None:
        self.database = await Database.open(self.dsn.app, size=2)
        self.audit = await asyncpg.connect(self.dsn.audit, server_settings={"jit": "off"})
        self.recorder = Recorder(
            self.database, PluginSet((points_plugin,)), Setups(self.database, TwoPrograms()),
            self.clock,
        )  # fmt: skip

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def close(self) -> None:
        self.run(self.audit.close())
        self.run(self.database.close())
        self.loop.close()

    def new_tenant(self, members: int) -> tuple[UUID, list[UUID]]:
        tenant_id = new_id()  # as the platform makes them: lists of tenants are by age
        facts = [
            MemberEnrolled(occurred_at=self.clock.now(), external_id=f"m{number}")
            for number in range(members)
        ]
        self.run(self._insert_tenant(tenant_id))
        outcomes = self.record(tenant_id, *(Request(fact=fact, actor="test") for fact in facts))
        found = [o.member_id for o in outcomes if isinstance(o, Recorded) and o.member_id]
        return tenant_id, found

    async def _insert_tenant(self, tenant_id: UUID) -> None:
        async with self.database.tenant(tenant_id) as connection:
            await connection.execute(
                "insert into loyalty.tenant (tenant_id, slug, name, zone, created_at)"
                " values ($1, $2, 'T', 'UTC', $3)",
                tenant_id, f"p-{new_id().hex[-20:]}", START,
            )  # fmt: skip

    def record(self, tenant_id: UUID, *requests: Request) -> list[Outcome]:
        return self.run(self.recorder.record_many(tenant_id, requests))

    def balances(self, tenant_id: UUID, members: Sequence[UUID]) -> dict[Any, BalanceView]:
        return self.run(self._balances(tenant_id, members))

    async def _balances(self, tenant_id: UUID, members: Sequence[UUID]) -> dict[Any, BalanceView]:
        wants = [(member, unit) for member in members for unit in self.units]
        async with self.database.tenant(tenant_id, read_only=True) as connection:
            found = await balances(connection, wants, self.clock.now())
        return {want: balance.view for want, balance in found.items()}

    def as_of(self, tenant_id: UUID, member: UUID, unit: str, at: datetime) -> BalanceView:
        return self.run(self._as_of(tenant_id, member, unit, at))

    async def _as_of(self, tenant_id: UUID, member: UUID, unit: str, at: datetime) -> BalanceView:
        async with self.database.tenant(tenant_id, read_only=True) as connection:
            found = await balance_as_of(connection, member, unit, at=at, known_at=at)
        return found.view

    def findings(self, tenant_id: UUID) -> list[str]:
        """Which invariants of the audit do not hold."""
        return self.run(self._findings(tenant_id))

    async def _findings(self, tenant_id: UUID) -> list[str]:
        await begin(self.audit, tenant_id, read_only=True)
        found = [row["name"] for row in await self.audit.fetch(ALL_INVARIANTS)]
        await self.audit.execute("rollback")
        return found

    def rows(self, tenant_id: UUID, query: str, *args: Any) -> list[Any]:
        return self.run(self._rows(tenant_id, query, *args))

    async def _rows(self, tenant_id: UUID, query: str, *args: Any) -> list[Any]:
        async with self.database.tenant(tenant_id, read_only=True) as connection:
            return list(await connection.fetch(query, *args))


ALL_INVARIANTS = " union all ".join(
    f"select $${name}$$ as name where exists (select 1 from ({query}) q{number})"
    for number, (name, query) in enumerate(INVARIANTS.items())
)
