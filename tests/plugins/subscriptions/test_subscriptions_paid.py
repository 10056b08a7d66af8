"""Fees that the shop takes: each invoice pays for one period, and what comes with it."""

from dataclasses import replace
from typing import Any

from loyalty_subscriptions.facts import Outcome
from loyalty_subscriptions.subscription import Status


async def test_a_first_fee_begins_it_and_brings_what_comes_with_it(club: Any) -> None:
    shop = await club()
    ada = await shop.world.member()
    before = await shop.buys(ada, "10.00")

    await shop.pays(ada, "i-1")

    one = await shop.one(ada)
    assert (one.status, one.plan) == (Status.ACTIVE, "gold")
    assert one.paid_until == shop.local("2026-02-28T12:00")
    assert (before, await shop.buys(ada, "10.00")) == (10, 20)
    assert await shop.points(ada) == 10 + 100 + 20
    assert await shop.kinds() == ["started"]


async def test_months_count_from_the_first_day(club: Any) -> None:
    shop = await club()
    ada = await shop.world.member()
    ends = []
    for month in range(1, 5):
        await shop.pays(ada, f"i-{month}")
        ends.append((await shop.one(ada)).paid_until.astimezone(shop.local("2026-01-01").tzinfo))

    assert [str(end.date()) for end in ends] == [
        "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31",
    ]  # fmt: skip
    assert await shop.points(ada) == 100  # the welcome comes once


async def test_an_invoice_pays_for_one_period_however_often_it_is_told(club: Any) -> None:
    shop = await club()
    ada = await shop.world.member()
    fee = shop.fee(ada, "i-1")

    first = await shop.world.record(fee)
    again = await shop.world.record(fee)
    other_key = replace(fee, event="evt-9", program="club")
    await shop.tells(other_key)

    assert (first.replayed, again.replayed) == (False, True)
    assert (await shop.one(ada)).paid_until == shop.local("2026-02-28T12:00")
    rows = await shop.world.rows("select invoice from loyalty.subscription_payment")
    assert [row["invoice"] for row in rows] == ["i-1"]


async def test_an_invoice_of_somebody_else_pays_for_nobody(club: Any) -> None:
    shop = await club()
    ada, bob = await shop.world.member(), await shop.world.member()
    fees = [
        replace(shop.fee(who, "i-1"), event=f"evt-{n}", program="club")
        for n, who in enumerate((ada, bob))
    ]

    await shop.tells(*fees)  # in one batch: neither sees the other's row
    await shop.tells(replace(fees[1], event="evt-3"))

    assert len(await shop.has(ada)) == 1
    assert await shop.has(bob) == []


async def test_unpaid_it_waits_and_then_ends(club: Any) -> None:
    shop = await club(dunning={"retry_days": [1, 3], "grace_days": 7})
    ada = await shop.world.member()
    await shop.pays(ada, "i-1")

    await shop.comes("2026-02-28T11:59")
    assert (await shop.one(ada)).status is Status.ACTIVE
    await shop.comes("2026-02-28T12:00")
    assert (await shop.one(ada)).status is Status.PAST_DUE
    assert await shop.buys(ada, "10.00") == 20  # it keeps its benefits while it waits
    await shop.comes("2026-03-04T12:00")
    await shop.pays(ada, "f-1", outcome=Outcome.FAILED)
    await shop.comes("2026-03-07T12:00")

    assert (await shop.one(ada)).status is Status.EXPIRED
    assert await shop.buys(ada, "10.00") == 10
    told = await shop.told()
    assert [kind for kind, _ in told] == [
        "started", "payment_due", "past_due", "payment_due", "payment_due", "payment_failed",
        "expired",
    ]  # fmt: skip
    dues = [content for kind, content in told if kind == "payment_due"]
    assert [(one["attempt"], one["amounts"]) for one in dues] == [
        (0, {"USD": "9.90"}), (1, {"USD": "9.90"}), (2, {"USD": "9.90"}),
    ]  # fmt: skip


async def test_the_benefits_end_in_time_even_if_no_worker_comes(club: Any) -> None:
    shop = await club(dunning={"grace_days": 2, "retry_days": []})
    ada = await shop.world.member()
    await shop.pays(ada, "i-1")

    await shop.comes("2026-03-02T11:59", worked=False)
    assert await shop.buys(ada, "10.00") == 20
    await shop.comes("2026-03-02T12:00", worked=False)
    assert await shop.buys(ada, "10.00") == 10


async def test_a_fee_that_is_paid_late_counts_from_the_period_before(club: Any) -> None:
    shop = await club()
    ada = await shop.world.member()
    await shop.pays(ada, "i-1")
    await shop.comes("2026-03-05T12:00")

    await shop.pays(ada, "i-2")

    one = await shop.one(ada)
    assert (one.status, one.paid_until) == (Status.ACTIVE, shop.local("2026-03-31T12:00"))
    assert (await shop.kinds())[-1] == "renewed"


async def test_who_comes_back_after_the_end_begins_anew(club: Any) -> None:
    shop = await club()
    ada = await shop.world.member()
    await shop.pays(ada, "i-1")
    await shop.comes("2026-06-15T09:00")

    await shop.pays(ada, "i-2")

    one = await shop.one(ada)
    assert (one.status, one.paid_until) == (Status.ACTIVE, shop.local("2026-07-15T09:00"))
    assert await shop.points(ada) == 100
    assert (await shop.kinds())[-2:] == ["expired", "started"]
