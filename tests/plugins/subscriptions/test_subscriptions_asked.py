"""What members and staff ask: subscribe, cancel, pause, change, give for nothing, give back."""

from typing import Any

import pytest

from loyalty.errors import Code
from loyalty.facts import MemberClosed, MemberFrozen, MemberUnfrozen
from loyalty_subscriptions.commands import (
    Cancel,
    Comp,
    Pause,
    Resume,
    Subscribe,
)
from loyalty_subscriptions.subscription import Status
from tests.plugins.subscriptions.conftest import GOLD, POINTED, YEAR, refused

TRIAL = {**POINTED, "id": "taste", "trial": "P14D"}


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


@pytest.mark.parametrize(
    ("paid", "paused", "resumed", "until", "following"),
    [
        # Clocks go forward on 8 March: the pause is an hour less than so many days.
        ("2026-03-05T12:00", "2026-03-20T12:00", "2026-04-10T12:00", "2026-04-26T12:00",
         "2026-05-26T12:00"),
        ("2026-02-20T12:00", "2026-03-01T12:00", "2026-03-11T12:00", "2026-03-30T11:00",
         "2026-04-30T11:00"),
        # The second month from the 31st on: a day that moves with the pause would be a 2nd.
        ("2026-01-31T12:00", "2026-03-10T12:00", "2026-04-09T12:00", "2026-04-30T12:00",
         "2026-05-31T12:00"),
    ],
)  # fmt: skip
async def test_a_fee_after_a_pause_pays_for_a_whole_period(
    club: Any, paid: str, paused: str, resumed: str, until: str, following: str
) -> None:
    shop = await club(paid, pauses={"allowed": True})
    ada = await shop.world.member()
    await shop.pays(ada, "i-1")
    if paid.startswith("2026-01-31"):
        await shop.pays(ada, "i-2")
    await shop.comes(paused)
    await shop.ask(Pause, ada)
    await shop.comes(resumed)
    await shop.ask(Resume, ada)
    assert (await shop.one(ada)).paid_until == shop.local(until)
    await shop.pays(ada, "i-3")
    assert (await shop.one(ada)).paid_until == shop.local(following)


async def test_what_follows_a_period_of_another_length_is_whole_too(club: Any) -> None:
    """The shop gave two weeks more; the next fee pays for a month, not until the old day."""
    shop = await club("2026-03-05T12:00")
    ada = await shop.world.member()
    await shop.pays(ada, "i-1", ends_at=shop.local("2026-04-19T12:00"))
    for invoice, until in (("i-2", "2026-05-19T12:00"), ("i-3", "2026-06-19T12:00")):
        await shop.pays(ada, invoice)
        assert (await shop.one(ada)).paid_until == shop.local(until)


async def test_points_pay_for_a_whole_period_after_a_pause(club: Any) -> None:
    shop = await club("2026-03-05T12:00", pauses={"allowed": True})
    ada = await shop.world.member()
    await shop.buys(ada, "200.00")
    await shop.ask(Subscribe, ada, plan="saver")
    await shop.comes("2026-03-20T12:00")
    await shop.ask(Pause, ada)
    await shop.comes("2026-04-10T12:00")
    await shop.ask(Resume, ada)
    await shop.comes("2026-04-26T12:06")
    assert (await shop.one(ada)).paid_until == shop.local("2026-05-26T12:00")
    assert await shop.points(ada) == 100


async def test_members_pause_only_where_they_may_and_staff_always(club: Any) -> None:
    shop = await club()
    ada = await shop.world.member()
    await shop.pays(ada, "i-1")

    assert await refused(shop.ask(Pause, ada)) is Code.BAD_USER_INPUT
    await shop.ask(Pause, ada, by_staff=True)

    assert (await shop.one(ada)).status is Status.PAUSED


async def test_who_leaves_the_tenant_has_no_subscription_any_more(club: Any) -> None:
    shop = await club()
    ada = await shop.world.member()
    await shop.pays(ada, "i-1")
    until = shop.local("2027-01-01T00:00")
    await shop.ask(Comp, ada, plan="gold", until=until, reason="sorry")

    await shop.comes("2026-02-10T12:00")
    at = shop.world.clock.now()
    await shop.world.record(MemberClosed(member=ada, occurred_at=at, reason="moved"))
    await shop.comes("2026-03-31T12:00")

    assert {one.status for one in await shop.has(ada)} == {Status.EXPIRED}
    assert (await shop.kinds())[-1] == "expired"
    [(active,)] = await shop.world.rows(
        """select value from loyalty.trait where name = 'club.active'
            order by since desc limit 1"""
    )
    assert active is False
