"""Points that pay a purchase are this member's, redeemed or held for it."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from loyalty.commands import Redeem, ReleaseRedemption
from loyalty.errors import Code, Refused
from loyalty.facts import MemberRef, PurchaseRecorded
from loyalty.ids import new_id
from loyalty.purchase import Tender, TenderKind


def paid_by(purchase: PurchaseRecorded, redemption: Any) -> PurchaseRecorded:
    tender = Tender(kind=TenderKind.POINTS, amount=purchase.total, redemption_id=str(redemption))
    return replace(purchase, tenders=(tender,))


async def held(world: Any, member: MemberRef) -> Any:
    await world.record(world.purchase(member, 10_000))
    recorded = await world.record(
        Redeem(
            member=member, occurred_at=world.clock.now(), program="points", unit="points", amount=5
        )
    )
    return UUID(recorded.answer["redemptionId"])


async def test_a_held_redemption_pays(world: Any) -> None:
    member = await world.member()
    redemption = await held(world, member)

    recorded = await world.record(paid_by(world.purchase(member, 500), redemption))

    assert recorded.answer["state"] == "APPLIED"


async def test_an_unknown_one_and_somebody_elses_pay_nothing(world: Any) -> None:
    member, other = await world.member(), await world.member()
    theirs = await held(world, other)

    for redemption in (new_id(), theirs):
        with pytest.raises(Refused) as refused:
            await world.record(paid_by(world.purchase(member, 500), redemption))
        assert (refused.value.code, refused.value.field) == (
            Code.NOT_FOUND,
            "tenders.0.redemption",
        )


async def test_a_released_one_pays_nothing(world: Any) -> None:
    member = await world.member()
    redemption = await held(world, member)
    await world.record(ReleaseRedemption(occurred_at=world.clock.now(), redemption_id=redemption))

    with pytest.raises(Refused) as refused:
        await world.record(paid_by(world.purchase(member, 500), redemption))

    assert refused.value.code is Code.REDEMPTION_STATE
