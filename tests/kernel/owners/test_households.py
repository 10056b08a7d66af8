"""Members who keep their points in one account: granted, spent, ended and taken back there."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from loyalty.commands import (
    AdjustBalance,
    Redeem,
)
from loyalty.errors import Code, Refused
from loyalty.facts import MemberRef
from loyalty.ledger.balances import balance_as_of, balances
from loyalty.ledger.statement import statement
from loyalty.owners import Owner
from loyalty.recorder.pair import Leg, record_pair
from loyalty.settlement.request import ClientKey, Request

from .conftest import Home, house
from .households import heard


def adjusted(home: Home, member: MemberRef, amount: int, **more: Any) -> AdjustBalance:
    return AdjustBalance(
        member=member, occurred_at=home.world.clock.now(), unit="points", amount=amount,
        reason_code="TEST", **more,
    )  # fmt: skip


async def test_what_members_earn_and_are_given_is_in_the_household(home: Home) -> None:
    ours = house()
    anna, bela = await home.live_in(ours, 2)
    alone = await home.world.member()

    await home.world.records(
        home.world.purchase(anna, 1_000), home.world.purchase(bela, 500),
        home.world.purchase(alone, 300),
    )  # fmt: skip
    await home.world.give(bela, 7)

    assert await home.have(ours, anna, bela, alone) == [
        (22, 0, 0), (0, 0, 0), (0, 0, 0), (3, 0, 0),
    ]  # fmt: skip


async def test_any_member_spends_from_it_and_no_more_than_is_there(home: Home) -> None:
    ours = house()
    anna, bela = await home.live_in(ours, 2)
    await home.world.record(home.world.purchase(anna, 2_000))

    await home.world.redeem(bela, 15)
    refused = await home.world.refusal(
        Redeem(
            member=anna, occurred_at=home.world.clock.now(), program="points", unit="points",
            amount=6, capture=True,
        )
    )  # fmt: skip

    assert (refused.code, refused.details["available"]) == (Code.INSUFFICIENT_BALANCE, "5")
    assert await home.have(ours) == [(5, 0, 0)]


async def test_two_members_spend_in_one_batch_in_burn_order(home: Home) -> None:
    ours = house()
    anna, bela = await home.live_in(ours, 2)
    for days in (9, 3, 6):
        await home.world.give(anna, 10, days=days)
    now = home.world.clock.now()

    outcomes = await home.world.records(
        *(
            home.world.purchase(anna, 100),
            Redeem(member=anna, occurred_at=now, program="points", unit="points", amount=8,
                   capture=True),
        )
    )  # fmt: skip
    outcomes += await home.world.recorder.record_many(
        home.world.tenant_id,
        [
            home.world.request(
                Redeem(member=one, occurred_at=now, program="points", unit="points", amount=7,
                       capture=True)
            )
            for one in (anna, bela, anna)
        ],
    )  # fmt: skip

    assert [getattr(one, "code", None) for one in outcomes] == [None] * 5
    rows = await home.world.rows("select remaining from loyalty.lot order by expires_at")
    assert [row["remaining"] for row in rows] == [0, 0, 1, 1]


async def test_what_a_member_had_before_stays_theirs(home: Home) -> None:
    ours, anna = house(), await home.world.member()
    await home.world.give(anna, 5)
    await home.move(anna, ours)
    await home.world.give(anna, 3)

    assert await home.have(ours, anna) == [(3, 0, 0), (5, 0, 0)]

    await home.move(anna, None)
    await home.world.redeem(anna, 4)
    assert await home.have(ours, anna) == [(3, 0, 0), (1, 0, 0)]


async def test_a_household_that_has_the_id_of_a_member_is_somebody_else(home: Home) -> None:
    anna = await home.world.member()
    assert anna.id is not None
    ours = Owner("HOUSEHOLD", UUID(str(anna.id)))
    await home.world.give(anna, 5)
    (bela,) = await home.live_in(ours)
    await home.world.give(bela, 3)
    await home.world.give(anna, 1)

    assert await home.have(ours, anna, bela) == [(3, 0, 0), (6, 0, 0), (0, 0, 0)]
    both = await home.world.recorder.record_many(
        home.world.tenant_id,
        [home.world.request(home.world.purchase(one, 100)) for one in (anna, bela)],
    )
    assert [getattr(one, "code", None) for one in both] == [None, None]
    assert await home.have(ours, anna) == [(4, 0, 0), (7, 0, 0)]


async def test_balance_and_statement_are_read_as_of_any_instant(home: Home) -> None:
    ours = house()
    anna, bela = await home.live_in(ours, 2)
    start = home.world.clock.now()
    await home.world.record(home.world.purchase(anna, 1_000))
    home.world.pass_time(days=2)
    await home.world.redeem(bela, 4)
    home.world.pass_time(days=2)

    days = [await home.world.as_of(ours, start + timedelta(days=n)) for n in (0, 1, 3)]
    assert [day.available for day in days] == [10, 10, 6]
    assert anna.id is not None
    async with home.world.database.tenant(home.world.tenant_id, read_only=True) as connection:
        entries = await statement(connection, ours, "points", before=None, count=9)
        mine = await statement(connection, anna.id, "points", before=None, count=9)
    assert [(entry.kind, entry.amount) for entry in entries] == [("BURN", -4), ("GRANT", 10)]
    assert mine == []


# --- the end of lots ------------------------------------------------------------------------------


async def test_a_worker_finds_and_ends_its_lots_once_at_their_term(home: Home) -> None:
    ours = house()
    (anna,) = await home.live_in(ours)
    await home.world.give(anna, 5, days=3)
    await home.world.give(anna, 2, days=30)
    term = home.world.clock.now() + timedelta(days=3)
    home.world.pass_time(days=5)

    assert await home.work() > 0
    assert await home.work() == 0

    assert await home.have(ours) == [(2, 0, 0)]
    [due] = await home.world.rows("select * from loyalty.fact where kind = 'LotsDue'")
    assert (due["member_id"], due["occurred_at"]) == (None, term)
    assert due["payload"]["owner"] == {"kind": ours.kind, "id": str(ours.id)}
    [told] = heard.expired
    assert (told.member, told.owner, told.amount) == (None, ours, 5)


async def test_members_and_households_end_side_by_side(home: Home) -> None:
    ours, alone = house(), await home.world.member()
    (anna,) = await home.live_in(ours)
    for member in (anna, alone):
        await home.world.give(member, 5, days=3)
    home.world.pass_time(days=5)

    await home.work()

    assert await home.have(ours, alone) == [(0, 0, 0), (0, 0, 0)]
    assert {told.owner for told in heard.expired} == {None, ours}


# --- corrections and transfers --------------------------------------------------------------------


async def test_corrections_move_the_account_that_is_spent_from(home: Home) -> None:
    ours = house()
    anna, bela = await home.live_in(ours, 2)
    await home.world.record(adjusted(home, anna, 10))

    refused = await home.world.refusal(adjusted(home, bela, -11))
    assert refused.code is Code.INSUFFICIENT_BALANCE
    recorded = await home.world.record(adjusted(home, bela, -11, allow_deficit=True))

    assert await home.have(ours, anna, bela) == [(0, 0, 1), (0, 0, 0), (0, 0, 0)]
    assert recorded.answer["balances"] == [{"owner": str(ours), "unit": "points", "version": 2}]


async def test_a_transfer_within_a_household_moves_nothing_and_is_refused(home: Home) -> None:
    ours = house()
    anna, bela = await home.live_in(ours, 2)
    alone = await home.world.member()
    await home.world.give(anna, 10)

    def leg(member: MemberRef, amount: int) -> Leg:
        request = Request(
            fact=adjusted(home, member, amount), actor="x",
            client_key=ClientKey("transfer", f"{member.id}"),
        )  # fmt: skip
        return Leg(home.world.tenant_id, request)

    with pytest.raises(Refused, match="share one account") as refused:
        await record_pair(home.world.recorder, leg(anna, -4), leg(bela, 4))
    assert refused.value.code is Code.BAD_USER_INPUT
    assert await home.have(ours) == [(10, 0, 0)]

    await record_pair(home.world.recorder, leg(bela, -4), leg(alone, 4))
    assert await home.have(ours, alone) == [(6, 0, 0), (4, 0, 0)]


async def test_other_terms_are_a_version_of_the_household(home: Home) -> None:
    ours = house()
    anna, bela = await home.live_in(ours, 2)
    await home.world.give(anna, 5, days=3)

    recorded = await home.world.record(home.activity(bela, "extend", days=40))

    assert recorded.answer["balances"] == [{"owner": str(ours), "unit": "points", "version": 2}]
    async with home.world.database.tenant(home.world.tenant_id, read_only=True) as connection:
        now = home.world.clock.now()
        found = await balances(connection, [(ours, "points")], now)
        then = await balance_as_of(connection, ours, "points", at=now, known_at=now)
    assert (found[ours, "points"].version, then.version) == (2, 2)
    home.world.pass_time(days=5)
    assert await home.have(ours) == [(5, 0, 0)]
