"""Returns: line by line, in any order, never more than was bought, and what was spent by then."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyalty.commands import AdjustBalance
from loyalty.errors import Code, Refused
from loyalty.facts import MemberClosed
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


@pytest.mark.parametrize(
    ("policy", "taken_back", "available", "deficit"),
    [("deficit", 10, 0, 8), ("clamp", 2, 0, 0), ("refuse", None, 2, 0)],
)
async def test_what_was_spent_is_owed_borne_or_in_the_way(
    make_world: Any, policy: str, taken_back: int | None, available: int, deficit: int
) -> None:
    world = await make_world(_program(take_back=policy))
    member = await world.member()
    purchase = world.purchase(member, 1_000)
    await world.record(purchase)
    await world.redeem(member, 8)

    (outcome,) = await world.records(world.back(purchase))

    if isinstance(outcome, Refused):
        assert (outcome.code, outcome.field) == (Code.INSUFFICIENT_BALANCE, "lines")
    assert (taken(outcome) if isinstance(outcome, Recorded) else None) == taken_back
    balance = await world.balance(member)
    assert (balance.available, balance.deficit) == (available, deficit)
    await world.audited()


async def test_a_return_takes_its_own_lot_first_then_what_burns_first(world: Any) -> None:
    member = await world.member()
    await world.give(member, 5, days=3)
    purchase = world.purchase(member, 1_000)
    await world.record(purchase)
    await world.give(member, 5)
    await world.redeem(member, 8)  # 5 that end first, then 3 of the purchase's own

    await world.record(world.back(purchase))

    rows = await world.rows("select remaining from loyalty.lot order by expires_at nulls last")
    assert [row["remaining"] for row in rows] == [0, 0, 2]


@pytest.mark.parametrize("policy", ["deficit", "clamp", "refuse"])
@pytest.mark.parametrize("swept", [True, False], ids=["swept", "unswept"])
async def test_nobody_owes_for_what_expired(make_world: Any, policy: str, swept: bool) -> None:
    world = await make_world(_program(take_back=policy, days=10), backdating=timedelta(days=99))
    member = await world.member()
    lines = [Line(id="a", amount=600), Line(id="b", amount=400)]
    purchase = world.purchase(member, 1_000, lines=lines)
    await world.record(purchase)
    world.pass_time(days=11)
    await world.give(member, 50)
    if swept:
        await world.sweep()

    for line in ("a", "b"):
        await world.record(world.back(purchase, back(line, quantity=1_000)))
    await world.sweep()

    balance = await world.balance(member)
    assert (balance.total, balance.deficit) == (50, 0)
    rows = await world.rows(
        "select a.kind, sum(case when p.to_id = a.id then p.amount else -p.amount end) as net"
        " from loyalty.account a join loyalty.posting p on a.id in (p.from_id, p.to_id)"
        " where a.owner_kind = 'PROGRAM' group by 1 having"
        " sum(case when p.to_id = a.id then p.amount else -p.amount end) <> 0"
    )
    assert not rows  # neither is anything left with the program: the sale never was
    await world.audited()


@pytest.mark.parametrize("swept", [True, False], ids=["swept", "unswept"])
async def test_who_owes_keeps_no_lot_that_only_waits_for_its_sweep(world: Any, swept: bool) -> None:
    member = await world.member()
    await world.give(member, 10, days=2)
    purchase = world.purchase(member, 500)
    await world.record(purchase)
    world.pass_time(days=1)
    await world.redeem(member, 10)  # the one that ends first
    await world.give(member, 7, days=1)
    await world.redeem(member, 5)
    world.pass_time(days=3)
    if swept:
        await world.sweep()

    await world.record(world.back(purchase))

    balance = await world.balance(member)
    assert (balance.total, balance.deficit) == (0, 0)
    await world.audited()


async def test_a_deficit_arises_beside_an_expired_lot(world: Any) -> None:
    member = await world.member()
    purchase = world.purchase(member, 500)
    await world.record(purchase)
    await world.redeem(member, 5)
    await world.give(member, 7, days=1)
    world.pass_time(days=3)  # 7 expired, and nobody swept

    await world.record(world.back(purchase))

    balance = await world.balance(member)
    assert (balance.total, balance.deficit) == (0, 5)


async def test_an_owner_by_hand_may_be_made_to_owe_beside_an_expired_lot(world: Any) -> None:
    member = await world.member()
    await world.give(member, 7, days=1)
    world.pass_time(days=3)

    await world.record(
        AdjustBalance(
            member=member, occurred_at=world.clock.now(), unit="points", amount=-4,
            reason_code="FIX", allow_deficit=True,
        )
    )  # fmt: skip

    assert (await world.balance(member)).deficit == 4


async def test_what_is_held_is_owed_until_it_comes_back(world: Any) -> None:
    member = await world.member()
    purchase = world.purchase(member, 1_000)
    await world.record(purchase)
    await world.redeem(member, 10, capture=False, hold_for=timedelta(minutes=5))

    await world.record(world.back(purchase))
    owed = await world.balance(member)
    world.pass_time(minutes=6)
    await world.sweep()

    assert (owed.held, owed.deficit) == (10, 10)
    balance = await world.balance(member)
    assert (balance.total, balance.held, balance.deficit) == (0, 0, 0)


async def test_a_deficit_is_repaid_by_pending_points(make_world: Any) -> None:
    world = await make_world(_program(pending=14))
    member = await world.member()
    first = world.purchase(member, 1_000)
    await world.record(first)
    world.pass_time(days=15)
    await world.redeem(member, 10)
    await world.record(world.back(first))

    await world.record(world.purchase(member, 2_500))

    balance = await world.balance(member)
    assert (balance.pending, balance.available, balance.deficit) == (15, 0, 0)
    await world.audited()


async def test_pending_points_of_the_sale_come_back_before_others(make_world: Any) -> None:
    world = await make_world(_program(pending=14))
    member = await world.member()
    await world.give(member, 100)
    purchase = world.purchase(member, 1_000)
    await world.record(purchase)

    await world.record(world.back(purchase))

    balance = await world.balance(member)
    assert (balance.available, balance.pending) == (100, 0)
    await world.audited()


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


async def test_who_left_may_still_bring_goods_back(world: Any) -> None:
    member = await world.member()
    purchase = world.purchase(member, 1_000)
    await world.record(purchase)
    await world.record(MemberClosed(member=member, occurred_at=world.clock.now()))

    await world.record(world.back(purchase))

    balance = await world.balance(member)
    assert (balance.total, balance.deficit) == (0, 0)


def _program(
    *, take_back: str = "deficit", pending: int = 0, days: int | None = None
) -> dict[str, Any]:
    rule = {
        "id": "base", "label": "1 a dollar", "accounting_class": "MARKETING", "points": "1",
        "per": {"USD": "1.00"},
    }  # fmt: skip
    terms: dict[str, Any] = {"pending_days": pending, "take_back": take_back}
    if days is not None:
        terms["lifetime"] = {"span": f"P{days}D"}
    return {"unit": "points", "rules": [rule], "terms": terms}
