"""Rules that are told when counters moved, see them by bucket, and traits that hold by default."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from loyalty.effects import Effect, Emit, Grant, SetTrait
from loyalty.facts import Counted, Fact, PurchaseRecorded
from loyalty.plugin import Counter, Plugin, PublishedFact, Scope, Trait, Window, on
from loyalty.purchase import Line, ReturnedLine
from loyalty.view import GrantView, View


class Watch(BaseModel):
    """A program that watches what members spend."""

    grants: bool = False
    again: bool = False
    gift: int = 0
    unit: str = "points"


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed(Fact):
    """What was seen when the counters had moved."""

    KIND: ClassVar[str] = "watch.noticed/1"
    spent: int
    days: tuple[int, ...]


def _spent(fact: Fact, grants: Sequence[GrantView], program: str) -> int:
    return fact.total if isinstance(fact, PurchaseRecorded) else 0


def _gifts(fact: Fact, grants: Sequence[GrantView], program: str) -> int:
    return sum(one.granted for one in grants if one.rule == "gift")


def _notice(config: Watch, fact: Counted, view: View) -> Iterator[Effect]:
    if config.grants:
        yield Grant(unit=config.unit, wanted=1, granted=1, rule="late")
    days = view.buckets["by-day"]
    given = view.counters["gifts"]
    if given and not config.again:
        return  # told of what the gift moved
    yield SetTrait(name="spent", value=view.counters["spent"])
    yield Emit(
        fact=Noticed(
            member=fact.member, occurred_at=fact.occurred_at, spent=view.counters["spent"],
            days=tuple(value for _, value in days),
        )
    )  # fmt: skip


def _give(config: Watch, fact: Noticed, view: View) -> Iterator[Effect]:
    assert view.buckets["by-day"] == [] or fact.days  # as they were before
    if config.gift:
        yield Grant(unit=config.unit, wanted=config.gift, granted=config.gift, rule="gift")


def _counters(config: Watch) -> list[Counter]:
    return [
        Counter(name="spent", scope=Scope.MEMBER, measure=_spent, window=Window.LIFETIME,
                returns=True),
        Counter(name="by-day", scope=Scope.MEMBER, measure=_spent, window=Window.LIFETIME,
                kept_days=30, returns=True),
        Counter(name="gifts", scope=Scope.MEMBER, measure=_gifts, window=Window.LIFETIME),
    ]  # fmt: skip


def _extra(config: Watch, fact: PurchaseRecorded, view: View) -> Iterator[Effect]:
    """What the trait says before the purchase, as points."""
    spent = view.traits[f"{view.program}.spent"].value
    yield Grant(unit=config.unit, wanted=spent, granted=spent, rule="by-trait")


watch = Plugin(
    name="watch",
    config=Watch,
    reactions=(
        on(Counted, Watch, _notice, emits=(Noticed,)),
        on(Noticed, Watch, _give),
        on(PurchaseRecorded, Watch, _extra, traits=(".spent",)),
    ),
    facts=(PublishedFact(name=Noticed.KIND, fact=Noticed),),
    traits=(Trait(name="spent", type=int, description="Spent so far.", default=lambda config: 7),),
    counters=_counters,
)


@pytest.fixture
async def world(make_world: Any) -> Any:
    made = await make_world(None, plugins=(watch,))
    yield made
    await made.audited()


async def _noticed(world: Any) -> list[tuple[int, list[int]]]:
    rows = await world.rows(
        """select e -> 'payload' as payload from loyalty.decision d,
                  jsonb_array_elements(d.body -> 'emitted') e order by d.fact_id"""
    )
    return [(row["payload"]["spent"], row["payload"]["days"]) for row in rows]


async def test_they_see_what_the_fact_itself_added(world: Any) -> None:
    await world.run_program("watch", {}, kind="watch")
    ada = await world.member()
    await world.record(world.purchase(ada, 500))
    world.pass_time(days=1)
    await world.records(world.purchase(ada, 300), world.purchase(ada, 200))
    assert await _noticed(world) == [(500, [500]), (800, [500, 300]), (1000, [500, 500])]


async def test_they_are_told_of_returns_and_corrections_once(world: Any) -> None:
    await world.run_program("watch", {}, kind="watch")
    ada = await world.member()
    bought = world.purchase(ada, 500, lines=(Line(id="1", amount=500, quantity=5000),))
    await world.record(bought)
    await world.record(world.back(bought, ReturnedLine(id="1", quantity=2000)))
    other = world.purchase(ada, 100, external_id="o-1")
    await world.record(other)
    await world.record(world.purchase(ada, 40, external_id="o-1", revision=2))
    assert await _noticed(world) == [(500, [500]), (300, [300]), (400, [400]), (340, [340])]


async def test_only_so_many_days_are_shown(world: Any) -> None:
    await world.run_program("watch", {}, kind="watch")
    ada = await world.member()
    await world.record(world.purchase(ada, 500))
    world.pass_time(days=30)
    await world.record(world.purchase(ada, 1))
    world.pass_time(days=1)
    await world.record(world.purchase(ada, 1))
    assert [days for _, days in await _noticed(world)] == [[500], [500, 1], [1, 1]]


async def test_what_they_give_in_answer_is_counted_and_told(world: Any) -> None:
    await world.run_program("watch", {"gift": 3}, kind="watch")
    ada = await world.member()
    await world.record(world.purchase(ada, 500))
    (row,) = await world.rows("select value from loyalty.counter where name = 'watch/gifts'")
    assert row["value"] == 3
    assert (await world.balance(ada)).total == 7 + 3


async def test_a_trait_holds_by_default_until_it_is_set(world: Any) -> None:
    await world.run_program("watch", {}, kind="watch")
    ada = await world.member()
    await world.record(world.purchase(ada, 500))
    await world.record(world.purchase(ada, 1))
    assert (await world.balance(ada)).total == 7 + 500


async def test_they_grant_nothing_that_would_escape_the_counters(world: Any) -> None:
    await world.run_program("watch", {"grants": True}, kind="watch")
    ada = await world.member()
    (outcome,) = await world.records(world.purchase(ada, 500))
    assert outcome.code == "INTERNAL"


async def test_a_circle_of_telling_stops(world: Any) -> None:
    await world.run_program("watch", {"gift": 1, "again": True}, kind="watch")
    ada = await world.member()
    (outcome,) = await world.records(world.purchase(ada, 500))
    assert outcome.code == "INTERNAL"
    assert await world.rows("select 1 from loyalty.counter") == []


async def test_of_traits_that_begin_at_one_instant_the_last_one_holds(world: Any) -> None:
    """Also where one batch set them, and many: they are known apart by their facts alone."""
    await world.run_program("watch", {}, kind="watch")
    ada = await world.member()
    await world.records(*(world.purchase(ada, n) for n in range(1, 41)))
    rows = await world.rows(
        "select count(*), count(distinct recorded_at), count(distinct since) from loyalty.trait"
    )
    assert tuple(rows[0]) == (40, 1, 1)
    before = (await world.balance(ada)).total
    await world.record(world.purchase(ada, 1))
    assert (await world.balance(ada)).total - before == sum(range(1, 41))
