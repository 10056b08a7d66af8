"""What is returned in a later period than it was bought in is taken off that period's sum."""

from dataclasses import replace
from typing import Any

import pytest

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


@pytest.mark.parametrize("at_once", [True, False])
async def test_what_was_settled_before_another_table_goes_with_the_goods(
    club: Any, at_once: bool
) -> None:
    shop = await club("2026-10-20T12:00", rules=[DAY])
    ada = await shop.world.member()
    first, second = await shop.buys(ada, "25.00"), await shop.buys(ada, "25.00")
    await shop.world.record(replace(shop.world.back(first), lines=()))
    assert (await shop.world.balance(ada)).total == 10
    await shop.comes("2026-10-20T13:00")
    levels = [{"from": "5", "points": "11"}, {"from": "10", "points": "111"}]
    await shop.publishes(DAY | {"levels": levels})
    third = await shop.buys(ada, "25.00")
    assert (await shop.world.balance(ada)).total == 110
    await shop.comes("2026-10-25T12:00")

    returns = [replace(shop.world.back(one), lines=()) for one in (second, third)]
    if at_once:
        await shop.world.records(*returns)
    else:
        await shop.world.record(returns[0])
        assert (await shop.world.balance(ada)).total == 11
        await shop.world.record(returns[1])
    assert (await shop.world.balance(ada)).total == 0


async def test_a_correction_in_such_a_period_is_told_last(club: Any) -> None:
    shop = await club("2026-10-20T12:00", rules=[DAY])
    ada = await shop.world.member()
    first, second = await shop.buys(ada, "25.00"), await shop.buys(ada, "25.00")
    await shop.world.record(replace(shop.world.back(first), lines=()))
    await shop.comes("2026-10-20T13:00")
    await shop.publishes(DAY | {"levels": [{"from": "5", "points": "11"}]})
    third = await shop.buys(ada, "25.00")
    assert (await shop.world.balance(ada)).total == 10
    right = shop.world.purchase(ada, "50.00", at=second.occurred_at)
    await shop.world.record(replace(right, external_id=second.external_id, revision=2))

    # The third alone has 11 of its table; 50.00 after it are 15 steps, by the first table 100 - 10.
    assert (await shop.world.balance(ada)).total == 11 + 100 - 10
    await shop.world.record(replace(shop.world.back(second), purchase_revision=2))
    assert (await shop.world.balance(ada)).total == 11
    await shop.world.record(replace(shop.world.back(third), lines=()))
    assert (await shop.world.balance(ada)).total == 0


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


async def test_it_goes_back_also_where_nothing_is_carried_over_any_more(club: Any) -> None:
    cap = {"points": "60", "period": "month", "carry_over": True}
    shop = await club("2026-10-20T12:00", rules=[RULE | {"caps": [cap]}])
    ada = await shop.world.member()
    bought = await shop.buys(ada, "100.00")
    await shop.comes("2026-11-01T12:00")
    await shop.publishes(RULE)
    await shop.comes("2026-11-02T12:00")
    await shop.buys(ada, "10.00")
    assert (await shop.world.balance(ada)).total == 110
    await shop.world.record(replace(shop.world.back(bought), lines=()))
    assert (await shop.world.balance(ada)).total == 10


THIRDS = {
    **RULE, "id": "thirds", "points": "1", "per": {"USD": "3.00"}, "over": {"period": "month"},
    "caps": [{"points": "30", "period": "month"}],
}  # fmt: skip
BUDGET = {"points": "1000", "period": "year", "per": "program"}


async def bought_under_caps(shop: Any) -> tuple[Any, list[Any]]:
    """10.00, 25.00 and 4.00, of which the first was told wrong: it was 31.00."""
    member = await shop.world.member()
    first, second = await shop.buys(member, "10.00"), await shop.buys(member, "25.00")
    await shop.buys(member, "4.00")
    right = shop.world.purchase(member, "31.00", at=first.occurred_at)
    await shop.world.record(replace(right, external_id=first.external_id, revision=2))
    assert (await shop.world.balance(member)).total == 20
    back = replace(shop.world.back(first), purchase_revision=2, lines=())
    return member, [replace(shop.world.back(second), lines=()), back]


async def test_under_caps_the_rest_of_the_month_has_what_it_earns(club: Any) -> None:
    shop = await club("2026-10-20T12:00", rules=[THIRDS], caps=[BUDGET])
    ada, returns = await bought_under_caps(shop)
    for returned, left in zip(returns, (11, 1), strict=True):
        await shop.world.record(returned)
        assert (await shop.world.balance(ada)).total == left


async def test_so_it_has_where_several_returns_come_at_once(club: Any) -> None:
    """Each sees what came back before it, and what was bought."""
    shop = await club("2026-10-20T12:00", rules=[THIRDS], caps=[BUDGET])
    ada, returns = await bought_under_caps(shop)
    bob, others = await bought_under_caps(shop)
    more = shop.world.purchase(bob, "1.00")
    await shop.world.records(returns[0], others[0], returns[1], more, others[1])
    assert (await shop.world.balance(ada)).total == 1
    assert (await shop.world.balance(bob)).total == 1  # of 5.00
