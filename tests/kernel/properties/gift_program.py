"""A program of the tests: stars for purchases out of a budget, a gift for a friend, holds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from loyalty.commands import Redeem
from loyalty.effects import Effect, Emit, Grant, Hold
from loyalty.facts import Fact, MemberRef, PurchaseRecorded
from loyalty.plugin import BurnWant, Counter, Plugin, PublishedFact, Scope, Window, on
from loyalty.setup import Program, ProgramVersion, Setup
from loyalty.units import Unit
from loyalty.view import GrantView, Stage, View

from .two_programs import START

BUDGET, STAR_COSTS, GIFT_COSTS = 450, 10, 40  # cents of a line a star, of a purchase a gift's
HOLD, PARKING = timedelta(hours=20), timedelta(hours=60)


class Config(BaseModel):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Gift(Fact):
    """A friend is given stars."""

    KIND: ClassVar[str] = "gifts.given/1"
    stars: int


def _earn(config: Config, fact: PurchaseRecorded, view: View) -> Iterator[Effect]:
    lines = {line.id: line.net // STAR_COSTS for line in fact.lines}
    if wanted := sum(lines.values()):
        yield Grant(unit="stars", wanted=wanted, granted=wanted, rule="base", lines=lines)
    if friend := fact.attributes.get("friend"):
        at, stars = fact.occurred_at, fact.total // GIFT_COSTS
        yield Emit(fact=Gift(member=MemberRef(id=UUID(friend)), occurred_at=at, stars=stars))


def _cap(config: Config, fact: PurchaseRecorded, view: View) -> Iterator[Effect]:
    left = max(0, BUDGET - view.counters["spent"])
    for grant in view.grants:
        if grant.granted > left:
            yield Grant(unit="stars", wanted=grant.wanted, granted=left, rule="base", cut_by="B")


def _give(config: Config, fact: Gift, view: View) -> Iterator[Effect]:
    if fact.stars:
        yield Grant(unit="stars", wanted=fact.stars, granted=fact.stars, rule="gift")


def _want(config: Config, fact: Redeem) -> Iterator[BurnWant]:
    yield BurnWant(unit="stars", amount=fact.amount)


def _hold(config: Config, fact: Redeem, view: View) -> Iterator[Effect]:
    yield Hold(unit="stars", amount=fact.amount, until=fact.occurred_at + HOLD)


def _spent(fact: Fact, grants: Sequence[GrantView], program: str) -> int:
    return sum(g.granted for g in grants if isinstance(fact, PurchaseRecorded))


def _counters(config: Config) -> list[Counter]:
    return [
        Counter(
            name="spent", scope=Scope.TENANT, window=Window.LIFETIME, measure=_spent, returns=True
        )
    ]  # fmt: skip


plugin = Plugin(
    name="gifts",
    config=Config,
    reactions=(
        on(PurchaseRecorded, Config, _earn, emits=(Gift,)),
        on(PurchaseRecorded, Config, _cap, stage=Stage.CAP),
        on(Gift, Config, _give),
        on(Redeem, Config, _hold, burns=_want),
    ),
    facts=(PublishedFact(name=Gift.KIND, fact=Gift),),
    counters=_counters,
)


class GiftProgram:
    """Every tenant runs it."""

    async def load(self, connection: Any, tenant_id: UUID) -> Setup:
        ident = UUID(int=7)
        version = ProgramVersion(
            id=ident, number=1, effective_from=START - timedelta(days=9), config=Config()
        )
        program = Program(
            id=ident, slug="gifts", name="g", kind="gifts", position=0, versions=(version,)
        )
        return Setup(
            tenant_id=tenant_id, slug="t", name="T", zone=ZoneInfo("UTC"), epoch=1,
            currencies=("USD",), units={"stars": Unit(code="stars")}, programs=(program,),
            backdating=timedelta(days=9_999), parking=PARKING,
        )  # fmt: skip
