"""Returns of what the member no longer has: spent, held, pending or expired by then."""

from datetime import timedelta
from typing import Any

import pytest

from loyalty.commands import AdjustBalance
from loyalty.errors import Code, Refused
from loyalty.facts import MemberClosed
from loyalty.purchase import Line, ReturnedLine
from loyalty.settlement.request import Recorded


def back(id: str, **part: int) -> ReturnedLine:
    return ReturnedLine(id=id, **part)


def taken(recorded: Recorded) -> int:
    return sum(row["amount"] for row in recorded.answer.get("takenBack", ()))


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
