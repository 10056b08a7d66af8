"""Payouts on a real ledger: asked for, paid, failed, returned; told and retold in any order."""

import itertools
from typing import Any

import pytest

from loyalty.errors import Code, Refused
from loyalty.facts import MemberClosed, MemberFrozen
from loyalty_cashback.payout import State
from loyalty_tenants.programs import archive_program
from tests.kernel.conftest import BOSS
from tests.plugins.cashback.recorded.conftest import MakeBank

ON_REQUEST = {"payout": {"on_request": {"minimum": {"USD": "5.00"}}}}
YEAR = {"lifetime": {"span": "P12M", "ends": "month"}}


async def test_a_payout_leaves_the_balance_at_once_and_is_told(bank: MakeBank) -> None:
    shop = await bank("2026-03-02T12:00", **ON_REQUEST)
    ada = await shop.world.member()
    await shop.buys(ada, "400.00")

    await shop.requests(ada, 1_500, destination="account-1")

    assert (await shop.has(ada), await shop.payouts()) == (
        ("5.00", "0.00"),
        [("15.00", "REQUESTED")],
    )
    (told,) = await shop.told("cashback.payout_requested/1")
    assert (told["amount"], told["currency"], told["way"], told["destination"]) == (
        "15.00", "USD", "REQUEST", "account-1",
    )  # fmt: skip
    topics = {row["topic"] for row in await shop.world.rows("select topic from loyalty.outbox")}
    assert "cashback.payout_requested/1" in topics


async def test_without_an_amount_all_that_is_available_is_paid(bank: MakeBank) -> None:
    shop = await bank("2026-03-02T12:00", **ON_REQUEST)
    ada = await shop.world.member()
    await shop.buys(ada, "400.00")

    await shop.requests(ada)

    assert (await shop.has(ada), await shop.payouts()) == (
        ("0.00", "0.00"),
        [("20.00", "REQUESTED")],
    )


@pytest.mark.parametrize("state", [State.FAILED, State.RETURNED])
async def test_what_comes_back_goes_to_the_lots_it_came_from(bank: MakeBank, state: State) -> None:
    shop = await bank("2026-03-02T12:00", terms=YEAR, **ON_REQUEST)
    ada = await shop.world.member()
    await shop.buys(ada, "200.00")
    await shop.comes("2026-05-04T12:00")
    await shop.buys(ada, "100.00")
    before = await shop.ends(ada)
    payout = await shop.requests(ada, 1_200)
    assert await shop.ends(ada) == {"2027-06-01": "3.00"}

    await shop.comes("2026-05-09T12:00")
    await shop.becomes(payout, state, reason="no such account")

    assert (await shop.ends(ada), await shop.payouts()) == (before, [("12.00", state)])
    assert before == {"2027-04-01": "10.00", "2027-06-01": "5.00"}
    (told,) = await shop.told(f"cashback.payout_{state.lower()}/1")
    assert (told["amount"], told["reason"]) == ("12.00", "no such account")


async def test_what_ended_meanwhile_lives_on_for_the_grace(bank: MakeBank) -> None:
    shop = await bank("2026-03-02T12:00", terms=YEAR, **ON_REQUEST)
    ada = await shop.world.member()
    await shop.buys(ada, "200.00")
    payout = await shop.requests(ada)

    await shop.comes("2027-04-10T12:00")
    await shop.becomes(payout, State.FAILED)

    assert await shop.ends(ada) == {"2027-05-10": "10.00"}


async def test_without_a_grace_what_ended_meanwhile_is_gone(bank: MakeBank) -> None:
    payout_terms = {"payout": ON_REQUEST["payout"] | {"grace_days": None}}
    shop = await bank("2026-03-02T12:00", terms=YEAR, **payout_terms)
    ada = await shop.world.member()
    await shop.buys(ada, "200.00")
    payout = await shop.requests(ada)

    await shop.comes("2027-04-10T12:00")
    await shop.becomes(payout, State.FAILED)

    assert (await shop.ends(ada), await shop.has(ada)) == ({}, ("0.00", "0.00"))


STORIES = [
    story
    for length in (1, 2, 3)
    for story in itertools.product([State.PAID, State.FAILED, State.RETURNED], repeat=length)
]


async def test_in_any_order_and_told_twice_it_never_goes_backwards(bank: MakeBank) -> None:
    """What gave the money back is the end; the money is there once, or was paid once."""
    shop = await bank("2026-03-02T12:00", **ON_REQUEST)
    for story in STORIES:
        ada = await shop.world.member()
        await shop.buys(ada, "200.00")
        payout = await shop.requests(ada)
        first_back = next((state for state in story if state.gives_back), None)

        for state in story:
            await shop.becomes(payout, state)
            await shop.becomes(payout, state)

        (row,) = await shop.world.rows(
            "select state from loyalty.cashback_payout where id = $1", payout
        )
        assert row["state"] == (first_back or State.PAID), story
        expected = ("10.00" if first_back else "0.00", "0.00")
        assert await shop.has(ada) == expected, story


async def test_told_in_one_batch_it_is_the_same(bank: MakeBank) -> None:
    shop = await bank("2026-03-02T12:00", **ON_REQUEST)
    ada = await shop.world.member()
    await shop.buys(ada, "200.00")
    payout = await shop.requests(ada)
    said = [await shop.says(payout, state) for state in (State.PAID, State.RETURNED, State.FAILED)]

    outcomes = await shop.world.records(*said)

    assert not [one for one in outcomes if isinstance(one, Exception)]
    assert (await shop.payouts(), await shop.has(ada)) == (
        [("10.00", "RETURNED")],
        ("10.00", "0.00"),
    )
    assert len(await shop.told("cashback.payout_failed/1")) == 0


async def test_two_requests_of_one_batch_share_what_is_there(bank: MakeBank) -> None:
    shop = await bank("2026-03-02T12:00", **ON_REQUEST)
    ada = await shop.world.member()
    await shop.buys(ada, "200.00")
    asked = [shop.asks(ada, f"k{at}", 600) for at in range(2)]

    first, second = await shop.world.records(*asked)

    assert not isinstance(first, Exception)
    assert isinstance(second, Refused)
    assert second.code is Code.INSUFFICIENT_BALANCE


async def test_the_same_key_is_the_same_payout(bank: MakeBank) -> None:
    shop = await bank("2026-03-02T12:00", **ON_REQUEST)
    ada = await shop.world.member()
    await shop.buys(ada, "400.00")
    payout = await shop.requests(ada, 600, key="k")

    again = await shop.requests(ada, 600, key="k")
    await shop.world.rows("select 1")
    refused = await shop.world.refusal(shop.asks(ada, "k", 600), key="another, as after 30 days")

    assert (again, await shop.payouts()) == (payout, [("6.00", "REQUESTED")])
    assert refused.code is Code.IDEMPOTENCY_MISMATCH


@pytest.mark.parametrize(
    ("config", "asked", "code"),
    [
        ({}, {}, Code.BAD_USER_INPUT),
        (ON_REQUEST, {"amount": 499}, Code.BAD_AMOUNT),
        (ON_REQUEST, {"amount": 0}, Code.BAD_AMOUNT),
        (ON_REQUEST, {"amount": 2_000}, Code.INSUFFICIENT_BALANCE),
        (ON_REQUEST, {"unit": "points"}, Code.BAD_USER_INPUT),
        ({"payout": {"on_request": {"minimum": {"USD": "50.00"}}}}, {}, Code.INSUFFICIENT_BALANCE),
        ({"payout": {"on_request": {"members": False}}}, {"by_member": True}, Code.BAD_USER_INPUT),
    ],
)
async def test_what_cannot_be_paid_out_is_refused(
    bank: MakeBank, config: dict[str, Any], asked: dict[str, Any], code: Code
) -> None:
    shop = await bank("2026-03-02T12:00", **config)
    ada = await shop.world.member()
    await shop.buys(ada, "300.00")

    refused = await shop.world.refusal(shop.asks(ada, "k", **asked))

    assert (refused.code, await shop.payouts()) == (code, [])


async def test_pending_money_is_not_paid_out(bank: MakeBank) -> None:
    shop = await bank("2026-03-02T12:00", terms={"pending_days": 14}, **ON_REQUEST)
    ada = await shop.world.member()
    await shop.buys(ada, "200.00")

    assert (await shop.world.refusal(shop.asks(ada, "k"))).code is Code.INSUFFICIENT_BALANCE
    await shop.comes("2026-03-16T12:00")
    await shop.requests(ada)

    assert await shop.payouts() == [("10.00", "REQUESTED")]


async def test_nobody_gives_a_payout_back_by_reversing_its_redemption(bank: MakeBank) -> None:
    from loyalty.commands import ReverseRedemption

    shop = await bank("2026-03-02T12:00", **ON_REQUEST)
    ada = await shop.world.member()
    await shop.buys(ada, "200.00")
    payout = await shop.requests(ada)
    redemption = (await shop.says(payout, State.PAID)).redemption

    refused = await shop.world.refusal(
        ReverseRedemption(occurred_at=shop.world.clock.now(), redemption_id=redemption)
    )

    assert refused.code is Code.NOT_REVERSIBLE


async def test_of_a_frozen_member_it_is_heard_and_paid_to_nobody(bank: MakeBank) -> None:
    shop = await bank("2026-03-02T12:00", **ON_REQUEST)
    ada = await shop.world.member()
    await shop.buys(ada, "400.00")
    payout = await shop.requests(ada, 1_000)
    now = shop.world.clock.now()
    await shop.world.record(MemberFrozen(member=ada, occurred_at=now, reason="looked at"))

    refused = await shop.world.refusal(shop.asks(ada, "k"))
    await shop.becomes(payout, State.FAILED)

    assert refused.code is Code.MEMBER_FROZEN
    assert await shop.has(ada) == ("20.00", "0.00")


async def test_who_left_keeps_what_was_paid_and_forfeits_what_comes_back(bank: MakeBank) -> None:
    shop = await bank("2026-03-02T12:00", **ON_REQUEST)
    ada = await shop.world.member()
    await shop.buys(ada, "400.00")
    paid, failed = await shop.requests(ada, 1_000), await shop.requests(ada, 1_000)
    await shop.world.record(MemberClosed(member=ada, occurred_at=shop.world.clock.now()))

    await shop.becomes(paid, State.PAID)
    await shop.becomes(failed, State.FAILED)

    assert sorted(await shop.payouts()) == [("10.00", "FAILED"), ("10.00", "PAID")]
    assert await shop.has(ada) == ("0.00", "0.00")


async def test_of_an_archived_program_it_is_heard(bank: MakeBank) -> None:
    shop = await bank("2026-03-02T12:00", **ON_REQUEST)
    ada = await shop.world.member()
    await shop.buys(ada, "200.00")
    payout = await shop.requests(ada)
    async with shop.world.database.tenant(shop.world.tenant_id) as connection:
        row = await connection.fetchrow("select id, version from loyalty.program")
        await archive_program(
            connection, BOSS, row["id"], expected_version=row["version"],
            now=shop.world.clock.now(),
        )  # fmt: skip
    shop.world.pass_time(hours=1)

    await shop.becomes(payout, State.FAILED)

    assert (await shop.payouts(), await shop.has(ada)) == (
        [("10.00", "FAILED")],
        ("10.00", "0.00"),
    )


async def test_a_return_after_the_payout_is_owed_and_repaid(bank: MakeBank) -> None:
    """Claw-back: the money is out; what comes next repays it first."""
    shop = await bank("2026-03-02T12:00", **ON_REQUEST)
    ada = await shop.world.member()
    sale = await shop.buys(ada, "200.00")
    payout = await shop.requests(ada)
    await shop.becomes(payout, State.PAID)

    await shop.world.record(shop.world.back(sale))
    owed = await shop.has(ada)
    await shop.buys(ada, "300.00")

    assert (owed, await shop.has(ada)) == (("-10.00", "0.00"), ("5.00", "0.00"))


async def test_what_comes_back_repays_what_is_owed(bank: MakeBank) -> None:
    shop = await bank("2026-03-02T12:00", **ON_REQUEST)
    ada = await shop.world.member()
    sale = await shop.buys(ada, "200.00")
    payout = await shop.requests(ada)
    await shop.world.record(shop.world.back(sale))

    await shop.becomes(payout, State.RETURNED)

    assert await shop.has(ada) == ("0.00", "0.00")
