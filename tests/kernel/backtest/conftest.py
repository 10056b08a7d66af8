"""Back-tests of the worlds of the kernel's tests, and what was really recorded there."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from loyalty.backtest.draft import Draft, with_draft
from loyalty.backtest.history import History
from loyalty.backtest.past import Past
from loyalty.backtest.recorded import Comparison
from loyalty.backtest.side import Side, walked
from loyalty.backtest.told import Told
from loyalty.database import Database
from loyalty.facts import PurchaseRecorded
from loyalty.jobs.worker import Worker
from loyalty.migrate import migrate
from loyalty.recorder.recorder import Recorder
from loyalty.recorder.setups import Setups
from loyalty.setup import Setup
from loyalty_app.logins import Addresses
from loyalty_app.worker import PublishedVersions
from loyalty_tenants.setups import TenantSetups

LONG_AGO, FAR_AHEAD = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
Sums = Counter[tuple[Any, ...]]

# Every grant and every take-back that decisions hold, follow-on facts' too.
GRANTED = """
select f.member_id, g ->> 'program' as program, g ->> 'rule' as rule, g ->> 'unit' as unit,
       sum((g ->> 'granted')::bigint)::bigint as amount
  from loyalty.fact f join loyalty.decision d on d.fact_id = f.id,
       jsonb_array_elements(d.body -> 'grants') g
 group by 1, 2, 3, 4
"""
TAKEN = """
select f.member_id, g ->> 'program' as program, g ->> 'rule' as rule, g ->> 'unit' as unit,
       sum((t ->> 2)::bigint)::bigint as amount
  from loyalty.fact f join loyalty.decision d on d.fact_id = f.id,
       jsonb_array_elements(d.body -> 'taken') t,
       lateral (select s.body -> 'grants' -> (t ->> 0)::int as g from loyalty.decision s
                 where s.fact_id = (d.body ->> 'sale')::uuid) sale
 group by 1, 2, 3, 4
"""


@dataclass(slots=True)
class Heard:
    """What a walk told, summed up as the decisions are."""

    granted: Sums = field(default_factory=Counter)
    taken: Sums = field(default_factory=Counter)
    comparison: Comparison = field(default_factory=Comparison)

    def __call__(self, past: Past | None, came: Sequence[Told]) -> None:
        self.comparison(past, came)
        for told in came:
            for grant in told.grants:
                self.granted[told.member_id, *_named(grant)] += grant["granted"]
            for grant, _, amount in told.taken:
                self.taken[told.member_id, *_named(grant)] += amount


def _named(grant: Any) -> tuple[str, str, str]:
    return grant["program"], grant["rule"], grant["unit"]


@dataclass(frozen=True, slots=True)
class Bench:
    """Walks histories on the login of a worker."""

    database: Database

    def history(self, world: Any, since: datetime, before: datetime, chunk: int) -> History:
        return History(
            database=self.database, tenant_id=world.tenant_id, codec=world.plugins.codec,
            since=since, before=before, chunk=chunk, decided=True,
        )  # fmt: skip

    async def setup(self, world: Any) -> Setup:
        source = TenantSetups(world.configs)
        return await Setups(self.database, source).get(world.tenant_id)

    async def walk(
        self, world: Any, *, draft: Any = None, slug: str = "points", kind: str = "points",
        since: datetime = LONG_AGO, before: datetime = FAR_AHEAD, chunk: int = 7,
    ) -> tuple[Side, Heard]:  # fmt: skip
        """Under the published versions, or with a draft in place of a program's."""
        setup, heard = await self.setup(world), Heard()
        if draft is not None:
            config = world.configs.check(kind, draft).parsed
            setup = with_draft(setup, Draft(slug=slug, kind=kind, config=config))
        history = self.history(world, since, before, chunk)
        side = await walked(
            history, setup, world.plugins, slug, until=await history.newest(), listener=heard,
            draft=draft is not None,
        )  # fmt: skip
        return side, heard

    def worker(self, world: Any) -> Worker:
        setups = Setups(self.database, TenantSetups(world.configs))
        recorder = Recorder(self.database, world.plugins, setups, world.clock)
        return Worker(recorder, PublishedVersions())


@pytest.fixture(scope="session")
async def dsn(new_dsn: Callable[[], Awaitable[Addresses]]) -> Addresses:
    """A database of their own, in which punch cards have their tables."""
    found = await new_dsn()
    await migrate(found.admin, ["loyalty_stamps"])
    return found


@pytest.fixture(scope="session")
async def database(dsn: Addresses) -> AsyncIterator[Database]:
    opened = await Database.open(dsn.app, acquire_timeout=30)
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
async def bench(dsn: Addresses) -> AsyncIterator[Bench]:
    opened = await Database.open(dsn.worker, size=4, acquire_timeout=30)
    yield Bench(opened)
    await opened.close()


async def recorded(world: Any) -> tuple[Sums, Sums]:
    """What decisions say was granted and taken back, by member, program, rule and unit."""
    granted, taken = [await world.rows(query) for query in (GRANTED, TAKEN)]
    return _summed(granted), _summed(taken)


def _summed(rows: Sequence[Any]) -> Sums:
    sums: Sums = Counter()
    for row in rows:
        sums[row["member_id"], row["program"], row["rule"], row["unit"]] = row["amount"]
    return sums


def purchase_at(world: Any, member: Any, cents: int, **days: float) -> PurchaseRecorded:
    """A purchase some time ago."""
    at = world.clock.now() - timedelta(**days)
    fact: PurchaseRecorded = world.purchase(member, cents, at=at)
    return fact


def member_id(ref: Any) -> UUID:
    assert isinstance(ref.id, UUID)
    return ref.id
