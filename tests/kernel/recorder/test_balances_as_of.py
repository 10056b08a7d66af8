"""Balances as of any instant: what had happened by then, as it is known now or was known then."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from pydantic import BaseModel

from loyalty.commands import AdjustBalance, CaptureRedemption, ReverseRedemption
from loyalty.effects import Effect, Reterm
from loyalty.facts import ActivityRecorded, MemberRef
from loyalty.ledger.balances import balance_as_of, balances
from loyalty.plugin import BurnWant, Plugin, on
from loyalty.purchase import ReturnedLine
from loyalty.view import BalanceView, View
from loyalty_points.plugin import plugin as points_plugin

DAY = timedelta(days=1)


class Diary:
    """What the balance was at each instant, as it was read then."""

    def __init__(self, world: Any, member: MemberRef) -> None:
        self.world = world
        self.member = member
        self.entries: list[tuple[datetime, BalanceView]] = []

    async def note(self) -> None:
        self.entries.append((self.world.clock.now(), await self.world.balance(self.member)))
        self.world.pass_time(hours=7)

    async def same_as_known_then(self) -> None:
        for at, noted in self.entries:
            assert await self.world.as_of(self.member, at, known_at=at) == noted, at

    async def same_as_known_now(self) -> None:
        for at, noted in self.entries:
            assert await self.world.as_of(self.member, at) == noted, at


@pytest.mark.parametrize("sweeping", [True, False], ids=["swept", "unswept"])
async def test_asked_later_a_balance_is_the_one_computed_then(world: Any, sweeping: bool) -> None:
    member = await world.member()
    diary = Diary(world, member)
    await diary.note()
    purchase = world.purchase(member, 3_000)
    steps: list[Callable[[], Awaitable[Any]]] = [
        lambda: world.record(purchase),
        lambda: world.give(member, 8, days=1),
        lambda: world.redeem(member, 20, capture=True),
        lambda: world.give(member, 5, days=0.5),
        lambda: world.redeem(member, 9, capture=False, hold_for=9 * DAY),
        lambda: world.give(member, 6, days=0.25),
        lambda: world.record(world.back(purchase, ReturnedLine(id="1", amount=2_000))),
        lambda: world.record(world.back(purchase)),
        lambda: world.record(world.purchase(member, 1_500)),
    ]
    for step in steps:
        await step()
        await diary.note()
        if sweeping:
            await world.sweep()
    (held,) = await world.rows("select id from loyalty.redemption where state = 'HELD'")
    now = world.clock.now()
    await world.record(CaptureRedemption(occurred_at=now, redemption_id=held["id"], amount=4))
    await diary.note()
    now = world.clock.now()
    await world.record(ReverseRedemption(occurred_at=now, redemption_id=held["id"]))
    await diary.note()
    world.pass_time(days=400)
    await world.sweep()
    await diary.note()

    await diary.same_as_known_then()
    await diary.same_as_known_now()
    assert any(noted.deficit for _, noted in diary.entries)
    assert any(noted.held for _, noted in diary.entries)


async def test_a_late_fact_counts_when_it_happened_once_it_is_known(world: Any) -> None:
    member = await world.member()
    start = world.clock.now()
    world.pass_time(days=5)
    await world.record(world.purchase(member, 1_000, at=start + 2 * DAY))

    day3, recorded = start + 3 * DAY, world.clock.now()
    world.pass_time(days=1)

    assert (await world.as_of(member, start + DAY)).total == 0
    assert (await world.as_of(member, day3)).total == 10
    assert (await world.as_of(member, day3, known_at=recorded - DAY)).total == 0
    assert (await world.as_of(member, recorded, known_at=recorded)).total == 10


async def test_a_late_grant_did_not_repay_what_was_not_owed_yet(world: Any) -> None:
    member = await world.member()
    start = world.clock.now()
    first = world.purchase(member, 1_000)
    await world.record(first)
    await world.redeem(member, 10)
    world.pass_time(days=5)
    await world.record(world.back(first))  # owes 10 from day 5 on
    world.pass_time(days=2)
    await world.record(world.purchase(member, 1_500, at=start + 3 * DAY))

    days = [await world.as_of(member, start + n * DAY) for n in (2, 4, 6, 7)]

    assert [(day.total, day.deficit) for day in days] == [(0, 0), (15, 0), (5, 0), (5, 0)]
    known = await world.as_of(member, start + 6 * DAY, known_at=start + 6 * DAY)
    assert (known.total, known.deficit) == (0, 10)


async def test_a_late_sweep_makes_no_difference(world: Any) -> None:
    member = await world.member()
    start = world.clock.now()
    await world.give(member, 10, days=5)
    world.pass_time(days=30)
    before = [await world.as_of(member, start + n * DAY) for n in (4, 5, 20)]

    await world.sweep()

    assert [await world.as_of(member, start + n * DAY) for n in (4, 5, 20)] == before
    assert [day.total for day in before] == [10, 0, 0]


class Ending(BaseModel):
    """A program whose activities move the end of all lots."""


def _reterm(config: Ending, fact: ActivityRecorded, view: View) -> list[Effect]:
    days = fact.attributes.get("days")
    ends = None if days is None else fact.occurred_at + timedelta(days=days)
    return [Reterm(lot_id=lot.id, expires_at=ends) for lot in view.lots["points"]]


def _all_lots(config: Ending, fact: ActivityRecorded) -> list[BurnWant]:
    return [BurnWant(unit="points")]


ending = Plugin(
    name="ending",
    config=Ending,
    reactions=(on(ActivityRecorded, Ending, _reterm, burns=_all_lots),),
)


def activity(world: Any, member: MemberRef, key: str, days: float | None) -> ActivityRecorded:
    return ActivityRecorded(
        member=member, occurred_at=world.clock.now(), source="app", external_id=key, type="visit",
        attributes={"days": days},
    )  # fmt: skip


@pytest.fixture
async def terms(make_world: Any) -> Any:
    world = await make_world(None, plugins=(points_plugin, ending))
    await world.run_program("ending", {}, kind="ending")
    return world


@pytest.mark.parametrize(("before", "after"), [(5, 20), (20, 5), (5, None), (None, 5)])
async def test_terms_are_those_in_force_then(
    terms: Any, before: float | None, after: float | None
) -> None:
    world, never = terms, 10_000
    member = await world.member()
    start = world.clock.now()
    await world.give(member, 10, days=before)
    world.pass_time(days=2)
    changed = world.clock.now()
    await world.record(activity(world, member, "a-1", after))
    world.pass_time(days=50)

    was = {n: (await world.as_of(member, start + n * DAY, known_at=changed)).total for n in (1, 6)}
    now = {n: (await world.as_of(member, start + n * DAY)).total for n in (1, 6, 8, 30)}

    ends = never if after is None else 2 + after
    assert was == {1: 10, 6: 10 if ends > 6 else 0}
    assert now == {n: 10 if n < (ends if n >= 2 else before or never) else 0 for n in now}
    for day in (6, 9):  # as it was known a second before
        known = await world.as_of(
            member, start + day * DAY, known_at=changed - timedelta(seconds=1)
        )
        assert known.total == (10 if (before or never) > day else 0)
    await world.sweep()
    await world.audited()


async def test_of_several_terms_in_one_batch_the_last_stands(terms: Any) -> None:
    member = await terms.member()
    await terms.give(member, 10, days=5)
    facts = [activity(terms, member, f"a-{days}", days) for days in (40, 7, 20)]

    await terms.records(*facts)

    (row,) = await terms.rows("select expires_at from loyalty.lot")
    assert row["expires_at"] == terms.clock.now() + 20 * DAY
    kept = await terms.rows("select previous, expires_at from loyalty.lot_term order by fact_id")
    ends = [terms.clock.now() + days * DAY for days in (5, 40, 7, 20)]
    assert [tuple(row) for row in kept] == list(pairwise(ends))
    terms.pass_time(days=10)
    assert (await terms.as_of(member, terms.clock.now())).total == 10


async def test_new_terms_are_versions_too_one_per_fact_and_lot(terms: Any) -> None:
    member = await terms.member()
    for days in (5, 9):
        await terms.give(member, 10, days=days)
    before = terms.clock.now()
    terms.pass_time(minutes=1)

    outcomes = await terms.records(
        *(activity(terms, member, f"a-{days}", days) for days in (40, 7, 20))
    )

    told = [outcome.answer["balances"] for outcome in outcomes]
    assert told == [
        [{"memberId": str(member.id), "unit": "points", "version": version}]
        for version in (4, 6, 8)  # two postings before, two lots each
    ]
    now = terms.clock.now()
    async with terms.database.tenant(terms.tenant_id, read_only=True) as connection:
        found = await balances(connection, [(member.id, "points")], now)
        then = await balance_as_of(connection, member.id, "points", at=now, known_at=now)
        earlier = await balance_as_of(connection, member.id, "points", at=before, known_at=now)
    assert (found[member.id, "points"].version, then.version, earlier.version) == (8, 8, 2)
    assert found[member.id, "points"].lots == then.lots
    given = await terms.give(member, 1)
    assert given.answer["balances"][0]["version"] == 9
    await terms.audited()


async def test_versions_grow_with_every_change(world: Any) -> None:
    member = await world.member()
    seen = []
    for _ in range(3):
        await world.give(member, 10)
        await world.redeem(member, 1, capture=False)
        now = world.clock.now()
        async with world.database.tenant(world.tenant_id, read_only=True) as connection:
            found = await balances(connection, [(member.id, "points")], now)
            then = await balance_as_of(connection, member.id, "points", at=now, known_at=now)
        assert found[member.id, "points"].version == then.version
        seen.append(then.version)

    assert seen == [3, 6, 9]  # a hold moves the main account and the held one


async def test_a_unit_in_which_nothing_happened_is_empty(world: Any) -> None:
    member = await world.member()

    assert await world.as_of(member, world.clock.now()) == BalanceView()
    assert await world.balance(member) == BalanceView()


async def test_an_adjustment_that_makes_owe_is_owed_as_of_then(world: Any) -> None:
    member = await world.member()
    start = world.clock.now()
    await world.give(member, 3)
    world.pass_time(days=2)
    await world.record(
        AdjustBalance(
            member=member, occurred_at=world.clock.now(), unit="points", amount=-10,
            reason_code="FIX", allow_deficit=True,
        )
    )  # fmt: skip

    before, after = await world.as_of(member, start + DAY), await world.balance(member)

    assert (before.total, before.deficit, after.total, after.deficit) == (3, 0, 0, 7)
    assert await world.as_of(member, world.clock.now()) == after
