"""Rewards that are redeemed or used in one batch: what it wrote counts as what was there before."""

from typing import Any
from uuid import UUID

from loyalty.commands import CaptureRedemption, Redeem
from loyalty.errors import Code, Refused

LADDER = {
    "max_rewards_per_order": 1,
    "rewards": [
        {"id": "shot", "label": "A shot", "cost": "25", "kind": "item", "item": "SHOT",
         "limits": [{"times": 2, "period": "month"}]},
    ],
}  # fmt: skip


def redeems(shop: Any, member: Any, **keys: Any) -> Redeem:
    return Redeem(
        member=member, occurred_at=shop.world.clock.now(), program="points", unit="points",
        reward="shot", **keys,
    )  # fmt: skip


def codes(outcomes: Any) -> list[Any]:
    return [one.code if isinstance(one, Refused) else "stands" for one in outcomes]


async def test_of_many_in_a_batch_an_order_takes_one_and_a_member_two(club: Any) -> None:
    shop = await club("2026-05-10T12:00", **LADDER)
    ada, bob = await shop.world.member(), await shop.world.member()
    await shop.buys(ada, "200.00")
    await shop.buys(bob, "200.00")
    found = await shop.world.records(
        *(redeems(shop, ada, capture=True, order="o-1") for _ in range(3)),
        *(redeems(shop, bob, capture=True, order=f"o-{n}") for n in range(3)),
    )
    full = Code.LIMIT_REACHED
    assert codes(found) == ["stands", full, full, "stands", "stands", full]


async def test_of_two_that_are_used_for_one_order_in_a_batch_one_stands(club: Any) -> None:
    shop = await club("2026-05-10T12:00", **LADDER)
    ada = await shop.world.member()
    await shop.buys(ada, "200.00")
    held = await shop.world.records(redeems(shop, ada), redeems(shop, ada))
    found = await shop.world.records(
        *(
            CaptureRedemption(
                occurred_at=shop.world.clock.now(), order="o-1",
                redemption_id=UUID(one.answer["redemptionId"]),
            )
            for one in held
        )
    )  # fmt: skip
    assert codes(found) == ["stands", Code.LIMIT_REACHED]
