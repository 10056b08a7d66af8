"""What is returned in a later period than it was bought in is taken off that period's sum."""

from dataclasses import replace
from typing import Any

from tests.plugins.points.recorded.conftest import RULE

DAY = {
    **{key: value for key, value in RULE.items() if key != "points"},
    "id": "day",
    "per": {"USD": "5.00"},
    "levels": [{"from": "5", "points": "10"}, {"from": "10", "points": "100"}],
    "over": {"period": "day"},
}


async def test_the_sum_of_the_day_of_purchase_decides(club: Any) -> None:
    shop = await club("2026-10-20T12:00", rules=[DAY])
    ada = await shop.world.member()
    first, second = await shop.buys(ada, "25.00"), await shop.buys(ada, "25.00")
    assert (await shop.world.balance(ada)).total == 100
    await shop.comes("2026-11-05T12:00")
    await shop.buys(ada, "25.00")
    assert (await shop.world.balance(ada)).total == 110

    returned = await shop.world.record(replace(shop.world.back(first), lines=()))
    assert [one["amount"] for one in returned.answer["takenBack"]] == [10, 80]
    assert (await shop.world.balance(ada)).total == 20
    await shop.world.record(replace(shop.world.back(second), lines=()))
    assert (await shop.world.balance(ada)).total == 10


async def test_a_corrected_purchase_is_judged_on_what_is_left(club: Any) -> None:
    shop = await club("2026-10-20T12:00", rules=[DAY])
    ada = await shop.world.member()
    first = await shop.buys(ada, "25.00")
    await shop.buys(ada, "25.00")
    await shop.comes("2026-10-25T12:00")
    right = shop.world.purchase(ada, "5.00", at=first.occurred_at)
    await shop.world.record(replace(right, external_id=first.external_id, revision=2))
    assert (await shop.world.balance(ada)).total == 10


async def test_what_was_carried_over_is_owed_where_it_is_spent(club: Any) -> None:
    cap = {"points": "60", "period": "month", "carry_over": True}
    shop = await club("2026-10-20T12:00", rules=[RULE | {"caps": [cap]}])
    ada = await shop.world.member()
    bought = await shop.buys(ada, "100.00")
    await shop.comes("2026-11-01T12:00")
    assert (await shop.world.balance(ada)).total == 100
    await shop.world.redeem(ada, 90)
    await shop.world.record(replace(shop.world.back(bought), lines=()))
    balance = await shop.world.balance(ada)
    assert (balance.total, balance.deficit) == (0, 90)
