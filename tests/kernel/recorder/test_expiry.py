"""The end of lots: at their instant, once, whoever sweeps and whenever."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

from loyalty.commands import ReleaseRedemption
from loyalty.errors import Code, Refused
from loyalty.facts import LotsDue
from loyalty.settlement.request import Recorded, Request


async def ended(world: Any) -> list[int]:
    rows = await world.rows("select amount from loyalty.posting where kind = 'EXPIRE' order by seq")
    return [row["amount"] for row in rows]


async def test_a_lot_is_gone_at_its_instant_even_before_a_sweep(world: Any) -> None:
    member = await world.member()
    await world.give(member, 10, days=5)
    ends = world.clock.now() + timedelta(days=5)

    before = await world.balance(member, at=ends - timedelta(microseconds=1))
    after = await world.balance(member, at=ends)

    assert (before.available, after.available) == (10, 0)


async def test_a_late_sweep_books_at_the_lots_own_end(world: Any) -> None:
    member = await world.member()
    start = world.clock.now()
    await world.give(member, 10, days=5)
    await world.give(member, 4, days=6)
    world.pass_time(days=20)

    await world.sweep()

    rows = await world.rows(
        "select p.amount, p.occurred_at, p.recorded_at, a.kind, a.stored from loyalty.posting p"
        " join loyalty.account a on a.id = p.to_id where p.kind = 'EXPIRE' order by p.occurred_at"
    )
    assert [(r["amount"], r["occurred_at"] - start, r["kind"], r["stored"]) for r in rows] == [
        (10, timedelta(days=5), "breakage", False),
        (4, timedelta(days=6), "breakage", False),
    ]
    assert {r["recorded_at"] for r in rows} == {world.clock.now()}


async def test_what_is_due_twice_ends_once(world: Any) -> None:
    member = await world.member()
    await world.give(member, 10, days=5)
    world.pass_time(days=5)
    due = await world.due()

    (first,) = await world.records(*due)
    (again,) = await world.records(*due)
    fresher = LotsDue(
        member=member, occurred_at=due[0].occurred_at, unit="points", version=due[0].version + 1
    )
    nothing = await world.refusal(fresher)

    assert (first.replayed, again.replayed, nothing.code) == (False, True, Code.NOT_FOUND)
    assert await ended(world) == [10]


async def test_two_recorders_at_once_end_it_once(world: Any, second: Any) -> None:
    members = [await world.member() for _ in range(20)]
    for member in members:
        await world.give(member, 10, days=5)
    world.pass_time(days=9)
    due = [Request(fact=fact, actor="worker") for fact in await world.due()]

    answers = await asyncio.gather(
        world.recorder.record_many(world.tenant_id, due),
        second.record_many(world.tenant_id, due[::-1]),
    )

    outcomes = [outcome for answer in answers for outcome in answer]
    assert sum(isinstance(o, Recorded) and not o.replayed for o in outcomes) == 20
    assert await ended(world) == [10] * 20


async def test_nothing_ends_before_its_time(world: Any) -> None:
    member = await world.member()
    await world.give(member, 10, days=5)

    early = LotsDue(
        member=member, occurred_at=world.clock.now() + timedelta(days=5), unit="points", version=1
    )

    assert (await world.refusal(early)).code is Code.TOO_EARLY
    assert (await world.balance(member)).available == 10


async def test_what_comes_back_after_the_sweep_ends_again(world: Any) -> None:
    member = await world.member()
    await world.give(member, 10, days=5)
    held = await world.redeem(member, 4, capture=False, hold_for=timedelta(days=8))
    world.pass_time(days=6)
    await world.sweep()
    assert await ended(world) == [6]

    await world.record(ReleaseRedemption(occurred_at=world.clock.now(), redemption_id=held))
    back = await world.balance(member)
    (swept,) = await world.sweep()

    assert back.available == 0
    assert isinstance(swept, Recorded)
    assert not swept.replayed
    assert await ended(world) == [6, 4]
    assert not await world.due()


async def test_each_lot_ends_with_the_program_that_granted_it(world: Any) -> None:
    other = await world.run_program("other", _program())
    member = await world.member()
    await world.record(world.purchase(member, 1_000))  # 10 of `points`, 20 of `other`
    world.pass_time(days=366)

    await world.sweep()

    rows = await world.rows(
        "select a.owner_id, p.amount from loyalty.posting p"
        " join loyalty.account a on a.id = p.to_id where p.kind = 'EXPIRE'"
        " and a.kind = 'breakage' and a.owner_kind = 'PROGRAM'"
    )
    amounts = {row["owner_id"]: row["amount"] for row in rows}
    assert amounts.pop(other) == 20
    assert list(amounts.values()) == [10]


async def test_a_sweep_tells_rules_and_the_world_outside(world: Any) -> None:
    member = await world.member()
    await world.give(member, 10, days=5)
    world.pass_time(days=5)

    (swept,) = await world.sweep()

    assert not isinstance(swept, Refused)
    assert swept.answer["takenBack"] == [{"unit": "points", "amount": 10, "wanted": 10, "rule": ""}]
    topics = await world.rows("select topic from loyalty.outbox where fact_id = $1", swept.fact_id)
    assert [row["topic"] for row in topics] == ["LotsDue"]
    assert isinstance(swept.fact_id, UUID)


def _program() -> dict[str, Any]:
    rule = {
        "id": "base", "label": "2 a dollar", "accounting_class": "MARKETING", "points": "2",
        "per": {"USD": "1.00"},
    }  # fmt: skip
    return {
        "unit": "points",
        "rules": [rule],
        "terms": {"lifetime": {"span": "P12M", "ends": "exact"}},
    }
