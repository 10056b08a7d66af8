"""A return that takes away what a grant was given for: what is left of it goes as well."""

import itertools
from typing import Any

import pytest

from loyalty.purchase import Line, ReturnedLine
from tests.kernel.recorder.capped_program import CAPPED

LINES = (Line(id="a", amount=1_000, quantity=2_000), Line(id="b", amount=2_099))


@pytest.fixture
async def world(make_world: Any) -> Any:
    made = await make_world(config=None, plugins=(CAPPED,))
    await made.run_program("capped", {"least": 2_500}, kind="capped")
    yield made
    await made.audited()


async def test_all_of_a_grant_goes_once_too_little_is_left(world: Any) -> None:
    member = await world.member()
    purchase = world.purchase(member, 3_099, lines=LINES)
    await world.record(purchase)
    taken = []

    for part in (
        ReturnedLine(id="a", quantity=1_000),  # 25.99 are left
        ReturnedLine(id="b", amount=99),  # 25.00 are left
        ReturnedLine(id="b", amount=1),  # 24.99 are left
        ReturnedLine(id="b", amount=1_000),
    ):
        returned = await world.record(world.back(purchase, part))
        taken.append(sum(row["amount"] for row in returned.answer.get("takenBack", ())))
    await world.record(world.back(purchase))

    assert taken == [5, 1, 24, 0]
    assert (await world.balance(member)).total == 0


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_in_any_order_as_much_is_left(world: Any, order: Any) -> None:
    parts = [
        ReturnedLine(id="a", quantity=500), ReturnedLine(id="b", amount=200),
        ReturnedLine(id="a", quantity=250),
    ]  # fmt: skip
    member = await world.member()
    purchase = world.purchase(member, 3_099, lines=LINES)
    await world.record(purchase)
    left = {}

    for number in range(3):
        await world.record(world.back(purchase, parts[order[number]]))
        left[frozenset(order[: number + 1])] = (await world.balance(member)).total

    # 5.75 + 0.95 of 30.99 come back in all: 25.24 are left, and 30 - 4 - 2 points.
    assert left[frozenset(range(3))] == 24
    await world.record(world.back(purchase, ReturnedLine(id="b", amount=25)))
    assert (await world.balance(member)).total == 0
    await world.record(world.back(purchase))
    assert (await world.balance(member)).total == 0


async def test_a_correction_is_judged_on_its_own_goods(world: Any) -> None:
    member = await world.member()
    await world.record(world.purchase(member, 3_099, lines=LINES, external_id="o"))
    await world.record(world.purchase(member, 1_000, external_id="o", revision=2))
    assert (await world.balance(member)).total == 10
