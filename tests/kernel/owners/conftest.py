"""A database with the table of households, and a tenant whose members keep points in them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from loyalty.database import Database
from loyalty.facts import ActivityRecorded, MemberRef
from loyalty.ids import new_id
from loyalty.jobs.worker import Worker
from loyalty.owners import Owner
from loyalty.recorder.recorder import Recorder
from loyalty.recorder.setups import Setups
from loyalty.settlement.request import Recorded
from loyalty_app.logins import Addresses
from loyalty_app.worker import PublishedVersions
from loyalty_points.plugin import plugin as points
from loyalty_tenants.setups import TenantSetups

from . import households

PATIENCE = 60


@pytest.fixture(scope="session")
async def dsn(new_dsn: Callable[[], Awaitable[Addresses]]) -> Addresses:
    made = await new_dsn()
    connection = await asyncpg.connect(made.admin)
    await connection.execute(households.TABLE)
    await connection.close()
    return made


@pytest.fixture(scope="session")
async def database(dsn: Addresses) -> AsyncIterator[Database]:
    opened = await Database.open(dsn.app, acquire_timeout=30)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
async def worker_database(dsn: Addresses) -> AsyncIterator[Database]:
    opened = await Database.open(dsn.worker, size=4, acquire_timeout=30)
    yield opened
    await opened.close()


@dataclass(slots=True)
class Home:
    """A world in which members live in households."""

    world: Any
    worker_database: Database
    second: Recorder

    def __getattr__(self, name: str) -> Any:
        return getattr(self.world, name)

    def activity(self, member: MemberRef, type: str, **attributes: Any) -> ActivityRecorded:
        return ActivityRecorded(
            member=member, occurred_at=self.world.clock.now(), source="app",
            external_id=new_id().hex, type=type, attributes=attributes,
        )  # fmt: skip

    async def move(self, member: MemberRef, house: Owner | None) -> Recorded:
        """From now on the member keeps points there."""
        where = None if house is None else str(house.id)
        recorded: Recorded = await self.world.record(self.activity(member, "join", household=where))
        return recorded

    async def live_in(self, house: Owner, count: int = 1) -> list[MemberRef]:
        """New members of a household."""
        members = [await self.world.member() for _ in range(count)]
        for member in members:
            await self.move(member, house)
        return members

    async def work(self) -> int:
        """Everything that is due now, by a worker that just came up."""
        setups = Setups(self.worker_database, TenantSetups(self.world.configs))
        recorder = Recorder(
            self.worker_database, self.world.plugins, setups, self.world.clock
        )  # fmt: skip
        return await Worker(recorder, PublishedVersions()).run_due(self.world.tenant_id)

    async def have(self, *whose: MemberRef | Owner) -> list[tuple[int, int, int]]:
        """Available, held and owed of each."""
        found = [await self.world.balance(one) for one in whose]
        return [(one.available, one.held, one.deficit) for one in found]


def house(number: int | None = None) -> Owner:
    return Owner(households.HOUSEHOLD, new_id() if number is None else UUID(int=number))


@pytest.fixture
async def home(make_world: Any, worker_database: Database, dsn: Addresses) -> AsyncIterator[Home]:
    world = await make_world(plugins=(points, households.plugin))
    await world.run_program("homes", {}, kind="households")
    other = await Database.open(dsn.app, acquire_timeout=30)
    setups = Setups(other, TenantSetups(world.configs))
    second = Recorder(other, world.plugins, setups, world.clock)
    households.heard.asked.clear()
    households.heard.expired.clear()
    yield Home(world, worker_database, second)
    await world.audited()
    await other.close()
