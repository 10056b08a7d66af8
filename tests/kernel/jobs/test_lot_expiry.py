"""Expiry: booked at its instant, once, by whoever comes, however late."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

import pytest

from loyalty.recorder.each import Outcome
from loyalty.recorder.recorder import Recorder
from loyalty.settlement.request import Request

TERM = timedelta(days=30)


def config(**terms: Any) -> dict[str, Any]:
    rule = {
        "id": "base",
        "label": "Points",
        "accounting_class": "MATERIAL_RIGHT",
        "points": "1",
        "per": {"USD": "1.00"},
    }
    return {"unit": "points", "rules": [rule], "terms": {"lifetime": terms}}


async def ends(world: Any) -> list[Any]:
    return list(
        await world.rows(
            "select * from loyalty.posting where kind = 'EXPIRE' order by from_version"
        )
    )


async def test_a_sweep_that_comes_late_books_at_the_term_and_twice_moves_nothing(
    make_world: Any, hands: Any
) -> None:
    world = await make_world(config(span="P30D", ends="exact"))
    member = await world.member()
    await world.record(world.purchase(member, 500))
    granted_at = world.clock.now()
    world.pass_time(days=93)
    assert (await world.balance(member)).available == 0  # whether or not anybody swept

    await hands.run(world)
    assert await hands.run(world) == 0

    (end,) = await ends(world)
    assert (end["amount"], end["occurred_at"]) == (5, granted_at + TERM)
    assert end["recorded_at"] == world.clock.now()
    await world.audited()


async def test_days_that_were_missed_are_caught_up_in_order(
    make_world: Any, hands: Any, many_lots: Any
) -> None:
    world = await make_world(config(span="P30D", ends="exact"))
    (member,) = await many_lots(world, 1, 3)
    other = await world.member()
    await world.record(world.purchase(other, 700))
    world.pass_time(days=95)

    await hands.run(world)

    facts = await world.rows(
        "select occurred_at, member_id from loyalty.fact where kind = 'LotsDue' order by id"
    )
    first = datetime(2026, 1, 1, 12, tzinfo=UTC) + TERM
    days: dict[UUID, list[int]] = {
        who.id: [] for who in (member, other)
    }  # each member's own: they end side by side
    for fact in facts:
        days[fact["member_id"]].append((fact["occurred_at"] - first).days)
    assert days == {member.id: [0, 1, 2], other.id: [3]}
    await world.audited()


async def test_a_local_day_of_23_hours_ends_at_its_midnight(make_world: Any, hands: Any) -> None:
    world = await make_world(config(span="P1D", ends="day"))  # in New York
    member = await world.member()
    world.clock.at = datetime(2026, 3, 7, 20, tzinfo=UTC)
    await world.record(world.purchase(member, 500))  # good through 8 March, which loses an hour
    midnight = datetime(2026, 3, 9, 4, tzinfo=UTC)

    world.clock.at = midnight - timedelta(seconds=1)
    await hands.run(world)
    assert (await world.balance(member)).available == 5
    world.clock.at = midnight
    await hands.run(world)

    (end,) = await ends(world)
    assert end["occurred_at"] == midnight
    await world.audited()


async def test_two_workers_at_once_end_two_thousand_lots_once(
    make_world: Any, hands: Any, many_lots: Any
) -> None:
    world = await make_world(config(span="P30D", ends="exact"))
    members = await many_lots(world, 400, 5)
    world.pass_time(days=33)

    await asyncio.gather(*(hands.worker(world).run_due(world.tenant_id) for _ in range(2)))
    await hands.run(world)

    assert sum(end["amount"] for end in await ends(world)) == 2_000
    left = await world.rows("select coalesce(sum(remaining), 0)::int as n from loyalty.lot")
    facts = await world.rows("select count(*) as n from loyalty.fact where kind = 'LotsDue'")
    assert (left[0]["n"], facts[0]["n"], len(members)) == (0, 2_000, 400)
    await world.audited()


class Watched(Recorder):
    """Says how many of its batches were under way at once, and how large they were."""

    sizes: ClassVar[list[int]] = []
    under_way: ClassVar[int] = 0
    most: ClassVar[int] = 0

    async def record_many(
        self, tenant_id: UUID, requests: Sequence[Request], **how: Any
    ) -> list[Outcome]:
        Watched.sizes.append(len(requests))
        Watched.under_way += 1
        Watched.most = max(Watched.most, Watched.under_way)
        try:
            return await super().record_many(tenant_id, requests, **how)
        finally:
            Watched.under_way -= 1


@pytest.fixture
def watched() -> type[Watched]:
    Watched.sizes, Watched.under_way, Watched.most = [], 0, 0
    return Watched


async def test_lots_of_different_members_end_side_by_side_in_small_batches_each_in_order(
    make_world: Any, hands: Any, many_lots: Any, watched: Any
) -> None:
    world = await make_world(config(span="P30D", ends="exact"))
    members = await many_lots(world, 200, 2)
    world.pass_time(days=33)

    await hands.worker(world, watched).run_due(world.tenant_id)

    assert (watched.most, sum(watched.sizes), max(watched.sizes) <= 100) == (2, 400, True)
    for member in members:
        first, second = await world.rows(
            "select occurred_at from loyalty.fact where kind = 'LotsDue' and member_id = $1"
            " order by id",
            member.id,
        )
        assert first["occurred_at"] < second["occurred_at"]
    await world.audited()


async def test_what_falls_due_of_several_kinds_is_recorded_in_one_order(
    make_world: Any, hands: Any, watched: Any
) -> None:
    world = await make_world(config(span="P30D", ends="exact"))
    holder, *others = [await world.member() for _ in range(8)]
    await world.records(*(world.purchase(member, 900) for member in (holder, *others)))
    world.pass_time(days=29)
    await world.redeem(holder, 4, capture=False, hold_for=timedelta(hours=12))
    world.pass_time(days=2)

    await hands.worker(world, watched).run_due(world.tenant_id)

    facts = await world.rows(
        "select kind from loyalty.fact where kind in ('LotsDue', 'HoldLapsed') order by id"
    )
    assert [fact["kind"] for fact in facts] == ["HoldLapsed", *["LotsDue"] * 8]
    assert (watched.most, watched.sizes) == (1, [9])
    await world.audited()
