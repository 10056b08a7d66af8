"""Returns: line by line, in any order, and never more than was bought."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyalty.errors import Code
from loyalty.purchase import Line, ReturnedLine
from loyalty.settlement.request import Recorded
from loyalty.units import apportion

Q, A = "quantity", "amount"


def back(id: str, **part: int) -> ReturnedLine:
    return ReturnedLine(id=id, **part)


def taken(recorded: Recorded) -> int:
    return sum(row["amount"] for row in recorded.answer.get("takenBack", ()))


async def test_each_line_gives_back_its_own_share(world: Any) -> None:
    member = await world.member()
    lines = [Line(id="a", amount=1_050, quantity=3_000), Line(id="b", amount=999)]
    purchase = world.purchase(member, 2_049, lines=lines)
    await world.record(purchase)  # 20 points: 10 and 10 by largest remainder

    steps = [back("a", quantity=1_000), back("b", amount=333), back("a", amount=350)]
    answers = [await world.record(world.back(purchase, step)) for step in steps]

    # a: 1/3 of 10 is 3, b: 1/3 of 10 is 3, a: 2/3 of 10 is 7 and 3 are back already
    assert [taken(answer) for answer in answers] == [3, 3, 4]


PARTS = st.lists(st.integers(1, 9), min_size=1, max_size=4)


@st.composite
def stories(draw: Any) -> tuple[list[Line], list[ReturnedLine]]:
    """A basket, and its lines coming back in pieces by quantity or amount, in any order."""
    lines, returns = [], []
    for number in range(draw(st.integers(1, 4))):
        amount = draw(st.integers(0, 5_000))
        line = Line(
            id=str(number),
            amount=amount,
            discount=draw(st.integers(0, amount)),
            quantity=draw(st.integers(1, 5_000)),
        )
        lines.append(line)
        by_amount = line.net > 0 and draw(st.booleans())
        whole = line.net if by_amount else line.quantity
        pieces = [piece for piece in apportion(whole, draw(PARTS)) if piece]
        returns += [ReturnedLine(id=line.id, **{A if by_amount else Q: piece}) for piece in pieces]
    return lines, draw(st.permutations(returns))


@given(story=stories(), per_batch=st.integers(1, 3))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_any_order_of_partial_returns_nets_to_nothing(
    world: Any, story: tuple[Sequence[Line], Sequence[ReturnedLine]], per_batch: int
) -> None:
    lines, returns = story
    member = await world.member()
    purchase = world.purchase(member, sum(line.net for line in lines), lines=lines)
    await world.record(purchase)
    granted = (await world.balance(member)).total

    given_back = 0
    for start in range(0, len(returns), per_batch):
        several = [world.back(purchase, piece) for piece in returns[start : start + per_batch]]
        for answer in await world.records(*several):
            assert isinstance(answer, Recorded), answer
            given_back += taken(answer)

    assert given_back == granted
    assert (await world.balance(member)).total == 0
    assert (await world.refusal(world.back(purchase))).code is Code.RETURN_TOO_LARGE


async def test_a_line_that_cost_nothing_comes_back_by_quantity(world: Any) -> None:
    member = await world.member()
    free = Line(id="gift", amount=500, discount=500, quantity=2_000)
    purchase = world.purchase(member, 1_000, lines=[Line(id="a", amount=1_000), free])
    await world.record(purchase)

    refused = await world.refusal(world.back(purchase, back("gift", amount=1)))
    recorded = await world.record(world.back(purchase, back("gift", quantity=2_000)))

    assert (refused.code, refused.field) == (Code.BAD_AMOUNT, "lines.0.amount")
    assert taken(recorded) == 0
    too_many = await world.refusal(world.back(purchase, back("gift", quantity=1)))
    assert too_many.code is Code.RETURN_TOO_LARGE
    assert taken(await world.record(world.back(purchase))) == 10


@pytest.mark.parametrize(
    ("lines", "code", "field"),
    [
        ([("a", {Q: 1_001})], Code.RETURN_TOO_LARGE, "lines.0.quantity"),
        ([("a", {A: 1_001})], Code.RETURN_TOO_LARGE, "lines.0.amount"),
        ([("a", {Q: 600}), ("a", {A: 500})], Code.RETURN_TOO_LARGE, "lines.1.amount"),
        ([("b", {Q: 1_000}), ("x", {Q: 1})], Code.NOT_FOUND, "lines.1.id"),
        ([("a", {})], Code.BAD_AMOUNT, "lines.0.quantity"),
        ([("a", {Q: 1, A: 1})], Code.BAD_AMOUNT, "lines.0.quantity"),
        ([("a", {Q: 0})], Code.BAD_AMOUNT, "lines.0.quantity"),
        ([("a", {A: -5})], Code.BAD_AMOUNT, "lines.0.amount"),
    ],
)
async def test_what_cannot_come_back_is_refused_and_changes_nothing(
    world: Any, lines: list[tuple[str, dict[str, int]]], code: Code, field: str
) -> None:
    member = await world.member()
    bought = [Line(id="a", amount=1_000), Line(id="b", amount=1_000)]
    purchase = world.purchase(member, 2_000, lines=bought)
    await world.record(purchase)
    before = await world.digest()

    refused = await world.refusal(
        world.back(purchase, *(back(line, **part) for line, part in lines))
    )

    assert (refused.code, refused.field) == (code, field)
    assert await world.digest() == before


async def test_in_one_batch_no_more_comes_back_than_was_bought(world: Any) -> None:
    member = await world.member()
    purchase = world.purchase(member, 3_000, lines=[Line(id="a", amount=3_000, quantity=3_000)])
    await world.record(purchase)

    outcomes = await world.records(
        *(world.back(purchase, back("a", quantity=1_000)) for _ in range(10))
    )

    codes = [getattr(outcome, "code", None) for outcome in outcomes]
    assert codes == [None] * 3 + [Code.RETURN_TOO_LARGE] * 7
    assert (await world.balance(member)).total == 0


async def test_32_returns_at_once_bring_no_more_back_than_was_bought(
    world: Any, second: Any
) -> None:
    member = await world.member()
    lines = [Line(id="a", amount=5_000, quantity=5_000)]
    purchase = world.purchase(member, 5_000, lines=lines)
    await world.record(purchase)
    facts = [world.back(purchase, back("a", quantity=1_000)) for _ in range(32)]

    answers = await asyncio.gather(
        *(
            (world.recorder if i % 2 else second).record_many(
                world.tenant_id, [world.request(fact)]
            )
            for i, fact in enumerate(facts)
        )
    )

    codes = [getattr(answer[0], "code", None) for answer in answers]
    assert sorted(map(str, codes)) == ["None"] * 5 + ["RETURN_TOO_LARGE"] * 27
    assert (await world.balance(member)).total == 0


async def test_the_same_return_twice_and_a_changed_one(world: Any) -> None:
    member = await world.member()
    purchase = world.purchase(member, 1_000)
    await world.record(purchase)
    first = await world.record(world.back(purchase, back("1", amount=500), return_id="r"))

    again = await world.record(world.back(purchase, back("1", amount=500), return_id="r"))
    refused = await world.refusal(world.back(purchase, back("1", amount=600), return_id="r"))

    assert (again.replayed, again.answer) == (True, first.answer)
    assert refused.code is Code.RETURN_CHANGED
    assert refused.details == {"differs": ["lines.0.amount"]}
