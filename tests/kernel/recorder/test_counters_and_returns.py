"""Counters that follow returns: what came back is taken off the bucket it was counted in."""

import itertools
from datetime import timedelta
from typing import Any

import pytest

from loyalty.facts import MemberRef
from loyalty.purchase import Line, ReturnedLine
from tests.kernel.recorder.capped_program import CAPPED

LINES = (
    Line(id="a", amount=1_000, quantity=3_000),
    Line(id="b", amount=750, discount=50, tax=31, quantity=2_000),
)


@pytest.fixture
def capped(make_world: Any) -> Any:
    async def make(**config: Any) -> Any:
        world = await make_world(config=None, plugins=(CAPPED,))
        await world.run_program("capped", config, kind="capped")
        return world

    return make


async def counted(world: Any) -> dict[str, int]:
    rows = await world.rows(
        "select split_part(split_part(name, '/', 2), '@', 1) as name, sum(value)::bigint as value"
        " from loyalty.counter where bucket > '-infinity' group by 1"
    )
    return {row["name"]: row["value"] for row in rows if row["value"]}


async def earned(world: Any, member: MemberRef, total: int, **more: Any) -> int:
    recorded = await world.record(world.purchase(member, total, **more))
    return sum(row["amount"] for row in recorded.answer.get("earned", ()))


async def test_they_measure_what_is_left(capped: Any) -> None:
    world = await capped()
    member = await world.member()
    purchase = world.purchase(member, 1_700, lines=LINES)
    await world.record(purchase)
    assert await counted(world) == {"given": 17, "visits": 1, "spend": 1_700}

    await world.record(world.back(purchase, ReturnedLine(id="b", quantity=1_000)))

    assert await counted(world) == {"given": 13, "visits": 1, "spend": 1_350}  # 7/2 = 3.5: 4 back
    await world.record(world.back(purchase, ReturnedLine(id="a", amount=333)))
    assert await counted(world) == {"given": 10, "visits": 1, "spend": 1_017}  # 3.33: 3 back
    await world.record(world.back(purchase))
    assert await counted(world) == {}
    await world.audited()


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::3])
async def test_any_order_of_partial_returns_ends_at_nothing(capped: Any, order: Any) -> None:
    world = await capped(cap=12)
    member = await world.member()
    purchase = world.purchase(member, 1_700, lines=LINES)
    await world.record(purchase)
    assert await counted(world) == {"given": 12, "cut": 5, "visits": 1, "spend": 1_700}
    parts = [
        ReturnedLine(id="a", quantity=1_000), ReturnedLine(id="b", amount=117),
        ReturnedLine(id="a", quantity=1_500), ReturnedLine(id="b", amount=583),
    ]  # fmt: skip

    for number in order:
        await world.record(world.back(purchase, parts[number]))
    left = await counted(world)
    await world.record(world.back(purchase))

    assert left == {"given": 1, "visits": 1, "spend": 167}  # of 5 that were cut 0.49
    assert await counted(world) == {}
    assert (await world.balance(member)).total == 0


async def test_a_cap_is_free_again_for_what_came_back_in_its_own_month(capped: Any) -> None:
    world = await capped(cap=20)
    member = await world.member()
    first = world.purchase(member, 1_500)
    await world.record(first)
    assert await earned(world, member, 1_500) == 5

    world.pass_time(days=40)
    await world.record(world.back(first))

    # January has 15 free again, and February was never touched.
    world.clock.at -= timedelta(days=39)
    assert await earned(world, member, 10_000) == 15
    world.pass_time(days=39)
    assert await earned(world, member, 10_000) == 20


async def test_without_following_returns_they_count_what_was_ever_given(capped: Any) -> None:
    world = await capped(cap=20, returns=False)
    member = await world.member()
    first = world.purchase(member, 1_500)
    await world.record(first)

    await world.record(world.back(first))

    assert await counted(world) == {"given": 15, "visits": 1, "spend": 1_500}
    assert await earned(world, member, 1_500) == 5


@pytest.mark.parametrize("returns", [True, False])
async def test_a_correction_is_not_cut_by_what_its_first_version_used(
    capped: Any, returns: bool
) -> None:
    world = await capped(cap=20, returns=returns)
    member = await world.member()
    assert await earned(world, member, 1_500, external_id="o") == 15

    assert await earned(world, member, 1_800, external_id="o", revision=2) == 18

    assert await counted(world) == {"given": 18, "visits": 1, "spend": 1_800}
    assert await earned(world, member, 2_500, external_id="o", revision=3) == 20
    assert await counted(world) == {"given": 20, "cut": 5, "visits": 1, "spend": 2_500}
    await world.audited()


async def test_a_return_before_a_correction_in_one_batch(capped: Any) -> None:
    """Each sees what the one before it left of the cap."""
    world = await capped(cap=20)
    member = await world.member()
    first, other = world.purchase(member, 1_500), world.purchase(member, 500, external_id="o")
    await world.records(first, other)

    outcomes = await world.records(
        world.back(first),
        world.purchase(member, 1_200, external_id="o", revision=2),
        world.purchase(member, 1_000),
    )

    assert [sum(e["amount"] for e in one.answer.get("earned", ())) for one in outcomes] == [
        0, 12, 8,
    ]  # fmt: skip
    assert await counted(world) == {"given": 20, "cut": 2, "visits": 2, "spend": 2_200}
