"""What members and staff ask: subscribe, cancel, pause, change, give for nothing, give back."""

from collections.abc import Callable
from typing import Any

import pytest

from loyalty.errors import Code, Refused
from loyalty.facts import MemberClosed, MemberFrozen, MemberUnfrozen
from loyalty_subscriptions.commands import (
    Cancel,
    ChangePlan,
    Comp,
    GiveBack,
    Pause,
    Resume,
    Subscribe,
)
from loyalty_subscriptions.subscription import Provider, Status
from tests.plugins.subscriptions.conftest import GOLD, POINTED

TRIAL = {**POINTED, "id": "taste", "trial": "P14D"}
YEAR = {
    "id": "year", "label": "Year", "period": "P1Y", "prices": [{"money": {"USD": "99.00"}}],
}  # fmt: skip


async def refused(asking: Any) -> Code:
    with pytest.raises(Refused) as caught:
        await asking
    return caught.value.code


async def test_a_fee_in_points_is_burnt_each_month_while_there_are_enough(club: Any) -> None:
    shop = await club(dunning={"retry_days": [1, 3], "grace_days": 7})
    ada = await shop.world.member()
    assert await refused(shop.ask(Subscribe, ada, plan="saver")) is Code.INSUFFICIENT_BALANCE
    await shop.buys(ada, "130.00")

    await shop.ask(Subscribe, ada, plan="saver")
    assert (await shop.one(ada)).status is Status.ACTIVE
    assert await shop.points(ada) == 80
    await shop.comes("2026-02-28T12:00")
    assert await shop.points(ada) == 30
    await shop.comes("2026-03-31T12:00")  # counted from the 31st, and not enough any more
    assert (await shop.one(ada)).status is Status.PAST_DUE
    assert await shop.points(ada) == 30
    await shop.buys(ada, "20.00")  # doubled: the benefits are kept
    await shop.comes("2026-04-01T12:00")

    one = await shop.one(ada)
    assert (one.status, one.paid_until) == (Status.ACTIVE, shop.local("2026-04-30T12:00"))
    assert await shop.points(ada) == 20
    assert await shop.kinds() == ["started", "renewed", "payment_failed", "past_due", "renewed"]


async def test_months_that_were_missed_are_made_up_for_in_order(club: Any) -> None:
    shop = await club()
    ada = await shop.world.member()
    await shop.buys(ada, "170.00")
    await shop.ask(Subscribe, ada, plan="saver")

    await shop.comes("2026-06-15T12:00")

    assert await shop.points(ada) == 20  # January, February, March; then there were 20
    assert (await shop.one(ada)).status is Status.EXPIRED
    assert (await shop.kinds())[:3] == ["started", "renewed", "renewed"]


async def test_who_is_frozen_pays_nothing(club: Any) -> None:
    shop = await club()
    ada = await shop.world.member()
    await shop.buys(ada, "130.00")
    await shop.ask(Subscribe, ada, plan="saver")
    at = shop.world.clock.now()
    await shop.world.record(MemberFrozen(member=ada, occurred_at=at, reason="why"))

    await shop.comes("2026-02-28T12:00")
    assert (await shop.one(ada)).status is Status.PAST_DUE
    at = shop.world.clock.now()
    await shop.world.record(MemberUnfrozen(member=ada, occurred_at=at))
    await shop.comes("2026-03-01T12:00")

    assert (await shop.one(ada)).status is Status.ACTIVE
    assert await shop.points(ada) == 30


async def test_a_trial_ends_in_a_fee_and_comes_once(club: Any) -> None:
    shop = await club("2026-01-10T12:00", plans=[TRIAL, GOLD])
    ada = await shop.world.member()

    await shop.ask(Subscribe, ada, plan="taste")
    assert (await shop.one(ada)).status is Status.TRIALING
    assert await shop.buys(ada, "100.00") == 200
    await shop.comes("2026-01-24T12:00")
    one = await shop.one(ada)
    assert (one.status, one.paid_until) == (Status.ACTIVE, shop.local("2026-02-24T12:00"))
    assert await shop.points(ada) == 150
    await shop.ask(Cancel, ada)
    await shop.comes("2026-02-24T12:00")
    assert (await shop.one(ada)).status is Status.EXPIRED
    await shop.ask(Subscribe, ada, plan="taste")

    assert (await shop.one(ada)).status is Status.ACTIVE
    assert await shop.points(ada) == 100


async def test_a_plan_in_money_waits_for_its_first_fee(club: Any) -> None:
    shop = await club()
    ada = await shop.world.member()

    await shop.ask(Subscribe, ada, plan="gold")
    assert (await shop.one(ada)).status is Status.PENDING
    assert await shop.buys(ada, "10.00") == 10
    await shop.comes("2026-02-03T09:00")
    await shop.pays(ada, "i-1")

    one = await shop.one(ada)
    assert (one.status, one.paid_until) == (Status.ACTIVE, shop.local("2026-03-03T09:00"))
    told = await shop.told()
    assert [kind for kind, _ in told] == ["payment_due", "started"]
    assert told[0][1]["amounts"] == {"USD": "9.90"}
    assert await refused(shop.ask(Subscribe, ada, plan="gold")) is Code.ALREADY_EXISTS


async def test_cancelled_it_runs_until_the_period_ends_and_may_be_kept(club: Any) -> None:
    shop = await club()
    ada = await shop.world.member()
    await shop.pays(ada, "i-1")

    await shop.ask(Cancel, ada, reason="too much")
    assert (await shop.one(ada)).status is Status.CANCELLED_AT_PERIOD_END
    assert await shop.buys(ada, "10.00") == 20
    await shop.ask(Resume, ada)
    assert (await shop.one(ada)).status is Status.ACTIVE
    await shop.ask(Cancel, ada, reason="again")
    await shop.comes("2026-02-28T12:00")

    assert (await shop.one(ada)).status is Status.EXPIRED
    assert await shop.buys(ada, "10.00") == 10
    told = await shop.told()
    assert [kind for kind, _ in told] == [
        "started", "cancelled", "resumed", "cancelled", "expired",
    ]  # fmt: skip
    assert told[1][1]["reason"] == "too much"
    assert await refused(shop.ask(Cancel, ada)) is Code.NOT_FOUND


@pytest.mark.parametrize(
    ("policy", "at", "back"),
    [
        ({"refund": "prorate_months"}, "2026-04-01T12:00", "74.25"),
        ({"refund": "prorate_months"}, "2026-04-01T12:01", "66.00"),
        ({"refund": "prorate_days"}, "2026-04-01T12:00", "74.59"),
        ({"refund": "none"}, "2026-04-01T12:00", None),
        ({"refund": "full"}, "2026-12-31T12:00", "99.00"),
        ({"refund": "none", "full_within_days": 14}, "2026-01-15T11:59", "99.00"),
        ({"refund": "none", "full_within_days": 14}, "2026-01-15T12:00", None),
    ],
)
async def test_what_goes_back_is_the_policys_to_say(
    club: Any, policy: Any, at: str, back: str | None
) -> None:
    """99.00 a year, ended after three months: 24.75 were used, 74.25 go back."""
    shop = await club("2026-01-01T12:00", plans=[YEAR], cancellation=policy)
    ada = await shop.world.member()
    await shop.pays(ada, "i-1", plan="year", amount=9900)
    await shop.comes(at)

    await shop.ask(Cancel, ada, at_once=True, by_staff=True)

    assert (await shop.one(ada)).status is Status.EXPIRED
    told = [content for kind, content in await shop.told() if kind == "refund_due"]
    assert [(one["amount"], one["currency"], one["invoice"]) for one in told] == (
        [] if back is None else [(back, "USD", "i-1")]
    )


async def test_members_end_at_once_only_where_they_may(club: Any) -> None:
    shop = await club(cancellation={"refund": "prorate_days"})
    ada = await shop.world.member()
    await shop.buys(ada, "60.00")
    await shop.ask(Subscribe, ada, plan="saver")

    assert await refused(shop.ask(Cancel, ada, at_once=True)) is Code.BAD_USER_INPUT
    await shop.comes("2026-02-14T12:00")  # 14 of 28 days
    await shop.ask(Cancel, ada, at_once=True, by_staff=True)

    assert await shop.points(ada) == 10 + 25
    assert await shop.buys(ada, "1.00") == 1


async def test_a_pause_keeps_what_is_left(club: Any) -> None:
    shop = await club(pauses={"allowed": True})
    ada = await shop.world.member()
    await shop.pays(ada, "i-1")
    await shop.comes("2026-02-10T12:00")

    await shop.ask(Pause, ada)
    assert (await shop.one(ada)).status is Status.PAUSED
    assert await shop.buys(ada, "10.00") == 10
    await shop.comes("2026-05-10T12:00")
    await shop.ask(Resume, ada)

    one = await shop.one(ada)
    assert one.status is Status.ACTIVE
    assert one.paid_until == shop.local("2026-05-28T12:00")
    assert await shop.buys(ada, "10.00") == 20
    assert await shop.kinds() == ["started", "paused", "resumed"]


async def test_members_pause_only_where_they_may_and_staff_always(club: Any) -> None:
    shop = await club()
    ada = await shop.world.member()
    await shop.pays(ada, "i-1")

    assert await refused(shop.ask(Pause, ada)) is Code.BAD_USER_INPUT
    await shop.ask(Pause, ada, by_staff=True)

    assert (await shop.one(ada)).status is Status.PAUSED


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


async def test_who_leaves_the_tenant_has_no_subscription_any_more(club: Any) -> None:
    shop = await club()
    ada = await shop.world.member()
    await shop.pays(ada, "i-1")

    at = shop.world.clock.now()
    await shop.world.record(MemberClosed(member=ada, occurred_at=at, reason="moved"))
    await shop.comes("2026-03-31T12:00")

    assert (await shop.one(ada)).status is Status.EXPIRED
    assert (await shop.kinds())[-1] == "expired"


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
