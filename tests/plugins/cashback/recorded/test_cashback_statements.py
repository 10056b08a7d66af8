"""Statements: money paid out by itself on days of the calendar, above a minimum."""

from typing import Any

import pytest

from loyalty.facts import FactKey, MemberFrozen, MemberUnfrozen
from loyalty.settlement.request import Request
from loyalty_cashback.facts import PayoutDue
from loyalty_cashback.payout import State, payout_id
from tests.plugins.cashback.recorded.conftest import MakeBank

MONTHLY = {"payout": {"statement": {"every": "month", "minimum": {"USD": "10.00"}}}}
KINDS = "cashback.payout_requested/1"


async def test_the_month_is_paid_to_whoever_has_enough(bank: MakeBank) -> None:
    shop = await bank("2026-03-02T12:00", **MONTHLY)
    ada, bob, eve = [await shop.world.member() for _ in range(3)]
    await shop.buys(ada, "200.00")
    await shop.buys(bob, "199.80")
    await shop.comes("2026-03-31T23:00")
    assert await shop.payouts() == []

    await shop.comes("2026-04-01T00:30")

    assert await shop.payouts() == [("10.00", "REQUESTED")]
    assert (await shop.has(ada), await shop.has(bob)) == (("0.00", "0.00"), ("9.99", "0.00"))
    (told,) = await shop.told(KINDS)
    assert (told["day"], told["way"], told["destination"]) == ("2026-04-01", "STATEMENT", None)
    assert await shop.has(eve) == ("0.00", "0.00")


async def test_what_was_too_little_stays_for_the_next(bank: MakeBank) -> None:
    shop = await bank("2026-03-02T12:00", **MONTHLY)
    ada = await shop.world.member()
    await shop.buys(ada, "120.00")
    await shop.comes("2026-04-01T00:30")
    await shop.buys(ada, "120.00")
    await shop.comes("2026-05-01T00:30")

    assert await shop.payouts() == [("12.00", "REQUESTED")]


async def test_a_statement_is_paid_once_and_told_as_a_whole(bank: MakeBank) -> None:
    shop = await bank("2026-03-02T12:00", **MONTHLY)
    for _ in range(3):
        await shop.buys(await shop.world.member(), "300.00")

    await shop.comes("2026-04-01T00:30")
    for hour in range(1, 5):
        await shop.comes(f"2026-04-01T0{hour}:30")

    assert await shop.payouts() == [("15.00", "REQUESTED")] * 3
    told = [one for one in await shop.told("cashback.statement_paid/1") if one["unit"] == "USD"]
    (paid,) = [one for one in told if one["day"] == "2026-04-01"]
    assert (paid["members"], paid["amount"]) == (3, "45.00")


async def test_a_month_that_no_worker_came_in_is_made_good_by_the_newest_day(
    bank: MakeBank,
) -> None:
    shop = await bank("2026-03-02T12:00", **MONTHLY)
    ada = await shop.world.member()
    await shop.buys(ada, "300.00")
    await shop.comes("2026-04-20T12:00", worked=False)
    await shop.buys(ada, "300.00")

    await shop.comes("2026-05-02T12:00")

    assert await shop.payouts() == [("30.00", "REQUESTED")]
    (told,) = await shop.told(KINDS)
    assert told["day"] == "2026-05-01"


async def test_only_what_was_available_as_the_day_began_is_paid(bank: MakeBank) -> None:
    shop = await bank("2026-03-02T12:00", terms={"pending_days": 14}, **MONTHLY)
    ada = await shop.world.member()
    await shop.buys(ada, "300.00")
    await shop.comes("2026-03-25T12:00")
    await shop.buys(ada, "400.00")

    await shop.comes("2026-04-01T08:00")

    assert (await shop.payouts(), await shop.has(ada)) == (
        [("15.00", "REQUESTED")],
        ("0.00", "20.00"),
    )


async def test_within_the_return_window_nothing_is_paid_and_a_return_takes_its_part(
    bank: MakeBank,
) -> None:
    """5 % of 200.00, half of it back on the tenth day: 5.00 is paid once the window is over."""
    terms = {"pending_until": "return_window", "return_window_days": 14}
    shop = await bank("2026-03-25T12:00", terms=terms, payout={"statement": {"every": "month"}})
    ada = await shop.world.member()
    sale = await shop.buys(ada, "200.00")
    await shop.comes("2026-04-04T12:00")
    assert (await shop.has(ada), await shop.payouts()) == (("0.00", "10.00"), [])
    from loyalty.purchase import ReturnedLine

    await shop.world.record(shop.world.back(sale, ReturnedLine(id="1", amount=10_000)))

    await shop.comes("2026-04-08T12:00")
    assert await shop.has(ada) == ("5.00", "0.00")
    await shop.comes("2026-05-01T00:30")
    assert await shop.payouts() == [("5.00", "REQUESTED")]


async def test_each_currency_has_its_statement_and_minimum(bank: MakeBank) -> None:
    shop = await bank(
        "2026-03-02T12:00", other_currencies=[{"currency": "EUR", "unit": "EUR"}],
        payout={"statement": {"every": "month", "minimum": {"USD": "10.00", "EUR": "20.00"}}},
    )  # fmt: skip
    ada = await shop.world.member()
    await shop.buys(ada, "200.00")
    await shop.buys(ada, "399.00", currency="EUR")

    await shop.comes("2026-04-01T00:30")

    assert (await shop.has(ada), await shop.has(ada, "EUR")) == (
        ("0.00", "0.00"),
        ("19.95", "0.00"),
    )


async def test_a_failed_one_is_in_the_next(bank: MakeBank) -> None:
    shop = await bank("2026-03-02T12:00", **MONTHLY)
    ada = await shop.world.member()
    await shop.buys(ada, "200.00")
    await shop.comes("2026-04-01T00:30")
    (row,) = await shop.world.rows("select id from loyalty.cashback_payout")
    await shop.comes("2026-04-03T00:30")
    await shop.becomes(row["id"], State.FAILED)

    await shop.comes("2026-05-01T00:30")

    assert await shop.payouts() == [("10.00", "FAILED"), ("10.00", "REQUESTED")]


@pytest.mark.parametrize(
    ("statement", "days"),
    [
        ({"every": "week", "day": 5}, ["2026-03-06", "2026-03-13"]),
        ({"every": "quarter"}, ["2026-04-01", "2026-07-01"]),
        ({"every": "month", "day": 15}, ["2026-03-15", "2026-04-15"]),
        ({"every": "year", "day": 2}, ["2027-01-02", "2028-01-02"]),
    ],
)
async def test_the_days_of_each_schedule(
    bank: MakeBank, statement: dict[str, Any], days: list[str]
) -> None:
    shop = await bank("2026-03-02T12:00", payout={"statement": statement})
    ada = await shop.world.member()
    for day in days:
        await shop.buys(ada, "100.00")
        await shop.comes(f"{day}T00:30")

    assert [one["day"] for one in await shop.told(KINDS)] == days


async def test_who_is_frozen_is_paid_once_it_is_known_whose_the_money_is(bank: MakeBank) -> None:
    shop = await bank("2026-03-02T12:00", **MONTHLY)
    ada = await shop.world.member()
    await shop.buys(ada, "300.00")
    now = shop.world.clock.now
    await shop.world.record(MemberFrozen(member=ada, occurred_at=now(), reason="looked into"))
    await shop.comes("2026-04-01T00:30")
    named_before = PayoutDue(
        member=ada, occurred_at=now(), program="cashback", unit="USD", day="2026-04-01",
        payout=payout_id(shop.world.tenant_id, "statement", "ada"),
    )  # fmt: skip
    late = Request(fact=named_before, actor="worker", key=FactKey("job:cashback", "ada"))
    await shop.world.recorder.record_many(shop.world.tenant_id, [late])
    assert (await shop.payouts(), await shop.has(ada)) == ([], ("15.00", "0.00"))
    await shop.world.record(MemberUnfrozen(member=ada, occurred_at=now()))
    await shop.comes("2026-05-01T00:30")
    assert await shop.payouts() == [("15.00", "REQUESTED")]
