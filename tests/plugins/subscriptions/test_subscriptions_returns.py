"""A boost that adds up a period has what is left of it earns, whatever comes back."""

from dataclasses import replace
from typing import Any

from tests.plugins.subscriptions.conftest import GOLD

DAY = {
    "id": "day", "label": "A large day", "accounting_class": "SUBSCRIPTION_BENEFIT",
    "per": {"USD": "1.00"}, "over": {"period": "day"},
    "levels": [{"from": "50", "points": "10"}, {"from": "100", "points": "1000"}],
}  # fmt: skip


async def test_what_lifted_a_day_takes_the_level_with_it(club: Any) -> None:
    shop = await club(plans=[{**GOLD, "gifts": []}], rules=[DAY])
    ada = await shop.world.member()
    await shop.pays(ada, "in-1")
    purchases = [shop.world.purchase(ada, "50.00") for _ in range(2)]
    for purchase in purchases:
        await shop.world.record(purchase)
    assert await shop.points(ada) == 1100  # 100 of them by the program of points

    await shop.comes("2026-02-05T12:00")
    await shop.world.record(replace(shop.world.back(purchases[0]), lines=()))

    assert await shop.points(ada) == 60
