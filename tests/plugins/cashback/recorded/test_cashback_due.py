"""What falls due beside statements: caps that carry over, and alarms of budgets, in each unit."""

from typing import Any

from loyalty_tenants.programs import update_program
from loyalty_tenants.publishing import publish_program
from tests.kernel.conftest import BOSS
from tests.plugins.cashback.recorded.conftest import FIVE, MakeBank

EUR = {"other_currencies": [{"currency": "EUR", "unit": "EUR"}]}


async def test_what_a_cap_cut_is_given_in_the_next_month_in_its_own_currency(
    bank: MakeBank,
) -> None:
    cap = {"points": "4.00", "period": "month", "carry_over": True,
           "in_units": [{"unit": "EUR", "points": "1.00"}]}  # fmt: skip
    shop = await bank("2026-03-02T12:00", caps=[cap], **EUR)
    ada = await shop.world.member()
    await shop.buys(ada, "120.00")
    await shop.buys(ada, "120.00", currency="EUR")
    assert (await shop.has(ada), await shop.has(ada, "EUR")) == (("4.00", "0.00"), ("1.00", "0.00"))

    for day in ("2026-03-31", "2026-04-01"):  # a worker comes every day
        await shop.comes(f"{day}T12:30")
    assert (await shop.has(ada), await shop.has(ada, "EUR")) == (("6.00", "0.00"), ("2.00", "0.00"))
    for day in ("2026-04-01", "2026-04-30", "2026-05-01"):
        await shop.comes(f"{day}T12:30")

    assert (await shop.has(ada), await shop.has(ada, "EUR")) == (("6.00", "0.00"), ("3.00", "0.00"))
    told = [(one["unit"], one["target"]) for one in await shop.told("cashback.carried_over/1")]
    assert sorted(told) == [("EUR", "program"), ("EUR", "program"), ("USD", "program")]


async def test_a_budget_is_told_of_in_the_unit_that_it_counts(bank: MakeBank) -> None:
    cap = {"points": "10.00", "period": "month", "per": "program"}
    larger = {**cap, "period": "year", "in_units": [{"unit": "EUR", "points": "20.00"}]}
    shop = await bank("2026-03-02T12:00", caps=[cap, larger], budget_alarms=[50, 100], **EUR)
    ada, bob = await shop.world.member(), await shop.world.member()
    await shop.buys(ada, "120.00")
    await shop.buys(bob, "300.00", currency="EUR")

    await shop.comes("2026-03-02T12:30")

    told = {
        (one["unit"], one["percent"], one["given"], one["budget"])
        for one in await shop.told("cashback.budget_reached/1")
    }
    assert told == {
        ("USD", 50, "6.00", "10.00"), ("EUR", 50, "10.00", "10.00"),
        ("EUR", 100, "10.00", "10.00"), ("EUR", 50, "10.00", "20.00"),
    }  # fmt: skip


async def test_a_day_of_the_schedule_before_is_paid_though_another_came_since(
    bank: MakeBank,
) -> None:
    """Paid on the first by the config of that day, though the worker came after the change."""
    shop = await bank("2026-03-02T12:00", payout={"statement": {"every": "month"}})
    ada = await shop.world.member()
    await shop.buys(ada, "200.00")
    await shop.comes("2026-04-02T12:00", worked=False)
    await _published(shop, {"statement": {"every": "week", "day": 1}})

    await shop.comes("2026-04-02T13:00")
    assert await shop.payouts() == [("10.00", "REQUESTED")]
    await shop.buys(ada, "100.00")
    await shop.comes("2026-04-06T00:30")

    days = [one["day"] for one in await shop.told("cashback.payout_requested/1")]
    assert days == ["2026-04-01", "2026-04-06"]


async def _published(shop: Any, payout: dict[str, Any]) -> None:
    config = {"unit": "USD", "currency": "USD", "rules": [FIVE], "payout": payout}
    world = shop.world
    async with world.database.tenant(world.tenant_id) as connection:
        row = await connection.fetchrow("select id, version from loyalty.program")
        changed = await update_program(
            connection, world.configs, BOSS, row["id"], expected_version=row["version"],
            config=config, now=world.clock.now(),
        )  # fmt: skip
        await publish_program(
            connection, world.configs, BOSS, row["id"], expected_version=changed.version,
            now=world.clock.now(),
        )  # fmt: skip
