"""Workers for the worlds of the kernel's tests, and a plugin that gives them something to do."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, ClassVar
from uuid import UUID

import pytest
from pydantic import BaseModel

from loyalty.database import Database
from loyalty.days import local_day
from loyalty.effects import Effect, Emit, Grant
from loyalty.errors import Code, Refused
from loyalty.facts import ActivityRecorded, Fact, FactKey, MemberRef, PurchaseRecorded
from loyalty.jobs import refusals
from loyalty.jobs.postponed import Postponed
from loyalty.jobs.visit import Visit
from loyalty.jobs.worker import Worker
from loyalty.plugin import (
    Connection,
    Counter,
    Due,
    Job,
    Plugin,
    PublishedFact,
    Scope,
    Window,
    on,
)
from loyalty.recorder.recorder import Recorder
from loyalty.recorder.setups import Setups
from loyalty.settlement.request import Request
from loyalty.setup import Setup
from loyalty.view import GrantView, View
from loyalty_app.logins import Addresses
from loyalty_app.worker import PublishedVersions
from loyalty_tenants.setups import TenantSetups


@dataclass(frozen=True, slots=True, kw_only=True)
class Thanked(Fact):
    """Somebody is thanked with points."""

    KIND: ClassVar[str] = "echo.thanked/1"
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayClosed(Fact):
    KIND: ClassVar[str] = "echo.day_closed/1"
    day: str


class EchoConfig(BaseModel):
    unit: str = "points"
    counted: list[str] = []


@dataclass(slots=True)
class Trouble:
    """What a test wants to go wrong."""

    thanks: bool = False
    thanks_of: set[UUID] = field(default_factory=set)
    measuring_fails_at: int = 0
    measured: int = 0
    asked: list[datetime] = field(default_factory=list)


trouble = Trouble()


def _thank(config: EchoConfig, fact: ActivityRecorded, view: View) -> Iterator[Effect]:
    """Thank whoever the activity names: at once, or later."""
    at = fact.attributes.get("at")
    thanked = Thanked(
        member=MemberRef(id=UUID(fact.attributes["to"])),
        occurred_at=datetime.fromisoformat(at) if at else fact.occurred_at,
        points=fact.attributes.get("points", 10),
    )
    yield Emit(fact=thanked, at=thanked.occurred_at if at else None)


def _thank_buyer_later(config: EchoConfig, fact: PurchaseRecorded, view: View) -> Iterator[Effect]:
    if (to := fact.attributes.get("thank")) is not None:
        at = fact.occurred_at + timedelta(days=3)
        member = MemberRef(id=UUID(to))
        yield Emit(fact=Thanked(member=member, occurred_at=at, points=10), at=at)


def _grant(config: EchoConfig, fact: Thanked, view: View) -> Iterator[Effect]:
    if trouble.thanks or (fact.member is not None and fact.member.id in trouble.thanks_of):
        raise RuntimeError("no thanks today")
    yield Grant(unit=config.unit, wanted=fact.points, granted=fact.points, rule="thanks")


def _measure(fact: Fact, grants: Sequence[GrantView], program: str) -> int:
    trouble.measured += 1
    if trouble.measured == trouble.measuring_fails_at:
        raise RuntimeError("the power went out")
    bought = fact.total if isinstance(fact, PurchaseRecorded) else 1
    return bought + sum(grant.granted for grant in grants)


def _counters(config: EchoConfig) -> list[Counter]:
    scopes = {"spend": Scope.MEMBER, "budget": Scope.TENANT, "kept": Scope.MEMBER}
    return [
        Counter(
            name=name, scope=scopes[name], measure=_measure, window=Window.MONTH,
            returns=name == "kept",
        )
        for name in config.counted
    ]  # fmt: skip


async def _days(connection: Connection, setup: Setup, now: datetime) -> AsyncIterator[Due]:
    trouble.asked.append(now)
    day = local_day(now, setup.zone).isoformat()
    yield Due(key=day, fact=DayClosed(occurred_at=now, day=day))


ECHO = Plugin(
    name="echo",
    config=EchoConfig,
    reactions=(
        on(ActivityRecorded, EchoConfig, _thank, emits=(Thanked,)),
        on(PurchaseRecorded, EchoConfig, _thank_buyer_later, emits=(Thanked,)),
        on(Thanked, EchoConfig, _grant),
    ),
    facts=(
        PublishedFact(name=Thanked.KIND, fact=Thanked),
        PublishedFact(name=DayClosed.KIND, fact=DayClosed),
    ),
    counters=_counters,
    jobs=(Job(name="days", every=timedelta(days=1), due=_days),),
)


@pytest.fixture
def echo() -> SimpleNamespace:
    """The plugin, its facts, and what shall go wrong."""
    global trouble
    trouble.__init__()  # type: ignore[misc]
    return SimpleNamespace(plugin=ECHO, trouble=trouble, Thanked=Thanked, DayClosed=DayClosed)


@pytest.fixture(scope="module")
async def worker_database(dsn: Addresses) -> AsyncIterator[Database]:
    """The database as a worker opens it."""
    opened = await Database.open(dsn.worker, size=4, acquire_timeout=30)
    yield opened
    await opened.close()


@dataclass(frozen=True, slots=True)
class Hands:
    """Makes what works in a world, each time as another process would."""

    database: Database

    def recorder(self, world: Any, kind: type[Recorder] = Recorder) -> Recorder:
        setups = Setups(self.database, TenantSetups(world.configs))
        return kind(self.database, world.plugins, setups, world.clock)

    def worker(self, world: Any, kind: type[Recorder] = Recorder, **options: Any) -> Worker:
        return Worker(self.recorder(world, kind), PublishedVersions(), **options)

    def visit(self, world: Any) -> Visit:
        return Visit(
            recorder=self.recorder(world),
            tenant_id=world.tenant_id,
            now=world.clock.now(),
            postponed=Postponed(),
        )

    async def run(self, world: Any) -> int:
        """Everything that is due now, by a worker that just came up."""
        return await self.worker(world).run_due(world.tenant_id)


@pytest.fixture
def hands(worker_database: Database) -> Hands:
    return Hands(worker_database)


@pytest.fixture
def many_lots() -> Callable[..., Any]:
    """Gives each of `members` members `each` lots of 1 point, a day apart; answers who they are."""

    async def give(world: Any, members: int, each: int) -> list[MemberRef]:
        who = [await world.member() for _ in range(members)]
        for _ in range(each):
            await world.records(*(world.purchase(member, 100) for member in who))
            world.pass_time(days=1)
        return who

    return give


@pytest.fixture
def refused_of_one(hands: Hands) -> Callable[..., Any]:
    """Lets what a job names first be refused, and answers whom it names then and before."""

    async def refuse(world: Any, due: Any) -> tuple[UUID, list[UUID]]:
        visit, plugin = hands.visit(world), due.__module__.split(".")[0].removeprefix("loyalty_")

        async def named() -> list[tuple[UUID, Request]]:
            async with visit.transaction(read_only=True) as connection:
                setup = await visit.recorder.setups.read(connection, world.tenant_id)
                return [
                    (
                        one.fact.member.id,
                        Request(fact=one.fact, actor="", key=FactKey(f"job:{plugin}", one.key)),
                    )
                    async for one in due(connection, setup, world.clock.now())
                    if one.fact.member is not None and one.fact.member.id is not None
                ]

        ((first, request), *_) = await named()
        why = Refused(Code.LIMIT_EXCEEDED, "too much")
        assert await refusals.note(visit, plugin, "", [(request, why)]) == 1
        return first, [member for member, _ in await named()]

    return refuse
