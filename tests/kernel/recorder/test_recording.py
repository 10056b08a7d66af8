"""Recording purchases: what is granted, replayed, refused, and left untouched by refusals."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from loyalty.commands import (
    AdjustBalance,
    CaptureRedemption,
    Redeem,
    ReleaseRedemption,
    ReverseRedemption,
)
from loyalty.errors import Code, Refused
from loyalty.facts import MemberRef
from loyalty.purchase import Line, ReturnedLine


async def test_a_purchase_gives_points_and_a_balance(world: Any) -> None:
    member = await world.member()

    recorded = await world.record(world.purchase(member, "12.99"))

    assert [(e["unit"], e["amount"]) for e in recorded.answer["earned"]] == [("points", 12)]
    assert (await world.balance(member)).available == 12


async def test_a_purchase_sent_twice_counts_once(world: Any) -> None:
    member = await world.member()
    purchase = world.purchase(member, 500)

    first = await world.record(purchase)
    again = await world.record(purchase)

    assert (again.replayed, again.answer) == (True, dict(first.answer))
    assert (await world.balance(member)).available == 5


async def test_other_content_under_a_known_key_is_refused_and_named(world: Any) -> None:
    member = await world.member()
    purchase = world.purchase(member, 500, external_id="o-1")
    await world.record(purchase)

    with pytest.raises(Refused) as refused:
        await world.record(world.purchase(member, 600, external_id="o-1"))

    assert refused.value.code is Code.PURCHASE_CHANGED
    assert refused.value.details["differs"] == ["lines.0.amount", "tenders.0.amount", "total"]


async def test_a_batch_answers_each_in_its_place(world: Any) -> None:
    member = await world.member()
    good = world.purchase(member, 300)

    unknown = world.purchase(MemberRef(external_id="nobody"), 100)
    outcomes = await world.records(good, unknown, good, world.purchase(member, 200))

    assert [getattr(o, "code", None) or o.replayed for o in outcomes] == [
        False, Code.MEMBER_NOT_FOUND, True, False,
    ]  # fmt: skip
    assert (await world.balance(member)).available == 5


@pytest.mark.parametrize(
    ("days", "code"), [(-31, Code.TOO_LATE), (0.01, Code.TOO_EARLY)], ids=["late", "early"]
)
async def test_a_purchase_outside_the_window_is_refused(
    world: Any, days: float, code: Code
) -> None:
    member = await world.member()

    purchase = world.purchase(member, 500, at=world.clock.now() + timedelta(days=days))
    with pytest.raises(Refused) as refused:
        await world.record(purchase)

    assert (refused.value.code, refused.value.field) == (code, "occurredAt")


async def test_redeem_capture_and_reverse_restore_the_same_lots(world: Any) -> None:
    member = await world.member()
    await world.record(world.purchase(member, 10_000))
    redeem = Redeem(
        member=member, occurred_at=world.clock.now(), program="points", unit="points", amount=60
    )

    held = await world.record(redeem)
    during = await world.balance(member)
    redemption = UUID(held.answer["redemptionId"])
    await world.record(
        CaptureRedemption(occurred_at=world.clock.now(), redemption_id=redemption, amount=40)
    )
    captured = await world.balance(member)
    await world.record(ReverseRedemption(occurred_at=world.clock.now(), redemption_id=redemption))

    assert (during.available, during.held) == (40, 60)
    assert (captured.available, captured.held) == (60, 0)
    assert (await world.balance(member)).available == 100
    assert [lot["remaining"] for lot in await world.rows("select * from loyalty.lot")] == [100]


async def test_a_released_hold_leaves_lots_as_they_were(world: Any) -> None:
    member = await world.member()
    await world.record(world.purchase(member, 1_000))
    await world.record(world.purchase(member, 2_000))
    before = await world.rows("select id, remaining from loyalty.lot order by id")
    at = world.clock.now()
    held = await world.record(
        Redeem(member=member, occurred_at=at, program="points", unit="points", amount=15)
    )

    redemption = UUID(held.answer["redemptionId"])
    await world.record(ReleaseRedemption(occurred_at=at, redemption_id=redemption))

    assert await world.rows("select id, remaining from loyalty.lot order by id") == before
    with pytest.raises(Refused) as refused:
        await world.record(CaptureRedemption(occurred_at=at, redemption_id=redemption))
    assert refused.value.code is Code.REDEMPTION_STATE


async def test_spending_more_than_there_is_names_what_is_there(world: Any) -> None:
    member = await world.member()
    await world.record(world.purchase(member, 900))

    with pytest.raises(Refused) as refused:
        await world.record(
            Redeem(
                member=member, occurred_at=world.clock.now(), program="points", unit="points",
                amount=10, capture=True,
            )
        )  # fmt: skip

    assert refused.value.code is Code.INSUFFICIENT_BALANCE
    assert refused.value.details == {"unit": "points", "wanted": "10", "available": "9"}


async def test_a_refusal_burns_no_key(world: Any) -> None:
    member = await world.member()
    command = Redeem(
        member=member, occurred_at=world.clock.now(), program="points", unit="points", amount=10,
        capture=True,
    )  # fmt: skip
    with pytest.raises(Refused):
        await world.record(command, key="k-1")

    await world.record(world.purchase(member, 1_000))
    recorded = await world.record(command, key="k-1")

    assert recorded.replayed is False
    assert (await world.balance(member)).available == 0
    assert (await world.record(command, key="k-1")).replayed is True


async def test_partial_returns_net_to_nothing(world: Any) -> None:
    member = await world.member()
    lines = [Line(id="a", amount=1_050, quantity=3_000), Line(id="b", amount=999)]
    purchase = world.purchase(member, 2_049, lines=lines)
    await world.record(purchase)
    assert (await world.balance(member)).available == 20

    await world.record(world.back(purchase, ReturnedLine(id="a", quantity=1_000)))
    await world.record(world.back(purchase, ReturnedLine(id="b", amount=500)))
    await world.record(world.back(purchase))

    assert (await world.balance(member)).total == 0
    with pytest.raises(Refused) as refused:
        await world.record(world.back(purchase))
    assert refused.value.code is Code.RETURN_TOO_LARGE


async def test_a_return_after_spending_is_owed_and_repaid_first(world: Any) -> None:
    member = await world.member()
    purchase = world.purchase(member, 10_000)
    await world.record(purchase)
    await world.record(
        Redeem(
            member=member, occurred_at=world.clock.now(), program="points", unit="points",
            amount=80, capture=True,
        )
    )  # fmt: skip

    await world.record(world.back(purchase))
    owed = await world.balance(member)
    await world.record(world.purchase(member, 10_000))

    assert (owed.available, owed.deficit) == (0, 80)
    assert (await world.balance(member)).available == 20


async def test_a_return_before_its_purchase_waits_for_it(world: Any) -> None:
    member = await world.member()
    purchase = world.purchase(member, 1_000)

    parked = await world.record(world.back(purchase, return_id="r-early"))
    await world.record(purchase)

    assert parked.answer["state"] == "PARKED"
    assert (await world.balance(member)).total == 0
    assert [r["state"] for r in await world.rows("select state from loyalty.parked_return")] == [
        "APPLIED"
    ]


async def test_a_corrected_purchase_replaces_the_one_before(world: Any) -> None:
    member = await world.member()
    await world.record(world.purchase(member, 1_000, external_id="o-9"))

    await world.record(world.purchase(member, 700, external_id="o-9", revision=2))

    assert (await world.balance(member)).available == 7


async def test_adjusting_gives_takes_and_never_takes_too_much(world: Any) -> None:
    member = await world.member()
    at = world.clock.now()

    def by(amount: int, **more: Any) -> AdjustBalance:
        return AdjustBalance(
            member=member, occurred_at=at, unit="points", amount=amount, reason_code="GOODWILL",
            **more,
        )  # fmt: skip

    await world.record(by(4))
    with pytest.raises(Refused) as refused:
        await world.record(by(-10))
    assert refused.value.code is Code.INSUFFICIENT_BALANCE

    await world.record(by(-10, allow_deficit=True))
    assert (await world.balance(member)).deficit == 6


async def test_an_unknown_member_is_enrolled_where_the_tenant_says_so(
    make_world: Callable[..., Awaitable[Any]],
) -> None:
    world = await make_world(enroll_on_purchase=True)

    recorded = await world.record(world.purchase(MemberRef(external_id="new"), 500))

    assert recorded.member_id is not None
    assert (await world.balance(MemberRef(id=recorded.member_id))).available == 5
    await world.audited()
