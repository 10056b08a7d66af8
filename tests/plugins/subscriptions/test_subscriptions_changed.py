"""Another plan by policy, plans and fees that staff give, what is sold and at which price."""

from collections.abc import Callable
from typing import Any

import pytest

from loyalty.errors import Code
from loyalty_subscriptions.commands import Cancel, ChangePlan, Comp, GiveBack, Subscribe
from loyalty_subscriptions.subscription import Provider, Status
from tests.plugins.subscriptions.conftest import GOLD, POINTED, YEAR, refused

SILVER = {**POINTED, "id": "silver", "prices": [{"points": "30"}]}


@pytest.mark.parametrize(
    ("policy", "at_once", "balance", "until"),
    [
        ("at_period_end", ("silver", None), 150, "2026-02-28T12:00"),
        ("full_price", ("saver", "saver"), 100, "2026-03-14T12:00"),
        ("prorate_days", ("saver", "saver"), 115, "2026-03-14T12:00"),
    ],
)
async def test_another_plan_by_the_programs_policy(
    club: Any, policy: str, at_once: Any, balance: int, until: str
) -> None:
    """Silver costs 30 and saver 50; half of the period is over, so half of the 30 counts."""
    shop = await club(plans=[POINTED, SILVER], plan_changes=policy, rules=[])
    ada = await shop.world.member()
    await shop.buys(ada, "180.00")
    await shop.ask(Subscribe, ada, plan="silver")
    await shop.comes("2026-02-14T12:00")

    await shop.ask(ChangePlan, ada, plan="saver")

    one = await shop.one(ada)
    assert (one.plan, one.next_plan) == (at_once[0], "saver" if at_once[1] is None else None)
    assert await shop.points(ada) == balance
    assert one.paid_until == shop.local(until)
    await shop.comes(until)
    assert (await shop.one(ada)).plan == "saver"
    assert await shop.points(ada) == balance - 50
    assert "plan_changed" in await shop.kinds()


async def test_another_plan_in_money_holds_once_it_is_paid(club: Any) -> None:
    shop = await club("2026-01-01T12:00", plans=[YEAR, GOLD], plan_changes="prorate_days")
    ada = await shop.world.member()
    await shop.pays(ada, "i-1", amount=990)
    await shop.comes("2026-01-17T00:00")  # 16 of 31 days

    await shop.ask(ChangePlan, ada, plan="year")
    assert (await shop.one(ada)).plan == "gold"
    [due] = [content for kind, content in await shop.told() if kind == "payment_due"]
    assert due["amounts"] == {"USD": "94.21"}  # 99.00 less 15/31 of 9.90
    await shop.pays(ada, "i-2", plan="year", amount=9421)

    one = await shop.one(ada)
    assert (one.plan, one.next_plan) == ("year", None)
    assert one.paid_until == shop.local("2027-01-17T00:00")


async def test_staff_give_a_plan_for_nothing(club: Any) -> None:
    shop = await club()
    ada = await shop.world.member()
    until = shop.local("2026-03-01T00:00")

    await shop.ask(Comp, ada, plan="gold", until=until, reason="sorry")
    assert await shop.buys(ada, "10.00") == 20
    assert await shop.points(ada) == 20  # no welcome: nothing was paid
    await shop.pays(ada, "i-1")
    assert {one.provider for one in await shop.has(ada)} == {Provider.COMP, Provider.EXTERNAL}
    await shop.comes("2026-03-01T00:00")

    by_provider = {one.provider: one.status for one in await shop.has(ada)}
    assert by_provider[Provider.COMP] is Status.EXPIRED
    assert [c["reason"] for k, c in await shop.told() if k == "comped"] == ["sorry"]


async def test_staff_give_back_of_the_last_fee_never_more_than_it_was(club: Any) -> None:
    shop = await club()
    ada = await shop.world.member()
    assert await refused(shop.ask(GiveBack, ada, amount=1, reason="r")) is Code.NOT_FOUND
    await shop.pays(ada, "i-1")

    await shop.ask(GiveBack, ada, amount=400, reason="late parcel")
    assert await refused(shop.ask(GiveBack, ada, amount=591, reason="r")) is Code.BAD_AMOUNT
    await shop.ask(GiveBack, ada, amount=590, reason="rest")
    assert await refused(shop.ask(GiveBack, ada, reason="r")) is Code.BAD_AMOUNT

    [row] = await shop.world.rows("select amount, refunded from loyalty.subscription_payment")
    assert tuple(row) == (990, 990)
    told = [content["amount"] for kind, content in await shop.told() if kind == "refund_due"]
    assert told == ["4.00", "5.90"]


@pytest.mark.parametrize(
    ("plan", "code"),
    [("nothing", Code.NOT_FOUND), ("old", Code.NOT_FOUND), ("soon", Code.TOO_EARLY)],
)
async def test_a_plan_that_is_not_sold(club: Any, plan: str, code: Code) -> None:
    old = {**POINTED, "id": "old", "offered": False}
    soon = {**POINTED, "id": "soon", "prices": [{"points": "1", "starts": "2027-01-01"}]}
    shop = await club(plans=[old, soon])
    ada = await shop.world.member()

    assert await refused(shop.ask(Subscribe, ada, plan=plan)) is code


@pytest.mark.parametrize(("renews_at", "balance"), [("current", 20), ("started", 50)])
async def test_a_dated_price_is_the_one_of_the_period(
    club: Callable[..., Any], renews_at: str, balance: int
) -> None:
    prices = [{"points": "50"}, {"points": "80", "starts": "2026-02-28"}]
    plan = {**POINTED, "prices": prices, "renews_at": renews_at}
    shop = await club(plans=[plan])
    ada = await shop.world.member()
    await shop.buys(ada, "150.00")
    await shop.ask(Subscribe, ada, plan="saver")

    await shop.comes("2026-02-28T12:00")

    assert await shop.points(ada) == balance


async def test_what_is_for_life_ends_at_once_or_not_at_all(club: Any) -> None:
    life = {"id": "life", "label": "Life", "prices": [{"money": {"USD": "30.00"}}]}
    shop = await club(plans=[life])
    ada = await shop.world.member()
    await shop.pays(ada, "i-1", plan="life", amount=3000)

    assert await refused(shop.ask(Cancel, ada)) is Code.BAD_USER_INPUT
    assert await shop.buys(ada, "10.00") == 20
    await shop.ask(Cancel, ada, at_once=True, by_staff=True)

    assert (await shop.one(ada)).status is Status.EXPIRED
    assert await shop.buys(ada, "10.00") == 10


async def test_a_free_plan_renews_by_itself_and_one_for_life_never_ends(club: Any) -> None:
    free = {"id": "free", "label": "Free", "period": "P1M"}
    life = {"id": "life", "label": "Life", "prices": [{"points": "10"}]}
    shop = await club(plans=[free, life])
    ada, bob = await shop.world.member(), await shop.world.member()
    await shop.buys(bob, "10.00")
    await shop.ask(Subscribe, ada, plan="free")
    await shop.ask(Subscribe, bob, plan="life")

    await shop.comes("2046-03-15T12:00", worked=False)
    assert (await shop.one(bob)).due_at is None
    assert await shop.buys(bob, "10.00") == 20
    await shop.comes("2026-03-15T12:00")

    assert (await shop.one(ada)).paid_until == shop.local("2026-03-31T12:00")
