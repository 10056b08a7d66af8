"""Two workers at once, and a night in which many subscriptions renew: each once."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from loyalty_subscriptions.commands import Subscribe
from loyalty_subscriptions.jobs import subscriptions_due
from tests.plugins.subscriptions.conftest import Begin

MEMBERS = 30


async def test_two_workers_renew_each_subscription_once(club: Begin, hands: Any) -> None:
    """Three months in points: 50 each; whoever has 120 pays two of them and is past due."""
    story = await club("2026-01-31T12:00")
    world = story.world
    members = [await world.member() for _ in range(MEMBERS)]
    for at, member in enumerate(members):
        await story.buys(member, "175.00" if at % 3 else "120.00")
        await story.ask(Subscribe, member, plan="saver")
    world.clock.at = story.local("2026-04-01T12:00")
    workers = [hands.worker(world) for _ in range(2)]
    await asyncio.gather(*(worker.run_due(world.tenant_id) for worker in workers))
    await hands.run(world)

    paid = await world.rows("select member_id, starts_at from loyalty.subscription_payment")
    assert len(paid) == len({(row["member_id"], row["starts_at"]) for row in paid})
    burnt = await world.rows(
        "select sum(amount)::int as points from loyalty.posting where kind = 'BURN'"
    )
    left = [await story.points(member) for member in members]
    assert Counter(left) == {175 - 150: MEMBERS * 2 // 3, 120 - 100: MEMBERS // 3}
    assert burnt[0]["points"] == 50 * len(paid)
    assert Counter(await story.kinds()) == {
        "started": MEMBERS, "renewed": MEMBERS // 3 * 5, "past_due": MEMBERS // 3,
        "payment_failed": MEMBERS // 3 * 2,  # on 31 March, and tried again on 1 April
    }  # fmt: skip


async def test_a_budget_of_boosts_is_told_of_before_it_is_used_up(club: Begin) -> None:
    budget = {"points": "100", "period": "month", "per": "program"}
    story = await club("2026-03-02T12:00", caps=[budget], budget_alarms=[50, 90])
    member = await story.world.member()
    await story.pays(member, "in-1")
    await story.buys(member, "60.00")
    await story.comes("2026-03-02T12:30")

    rows = await story.world.rows(
        "select payload from loyalty.fact where kind = 'subscriptions.budget_reached/1'"
    )
    told = [row["payload"] for row in rows]
    assert [(one["target"], one["percent"], one["given"]) for one in told] == [
        ("program", 50, "60")
    ]


async def test_whose_step_is_refused_stands_before_nobody(
    club: Begin, refused_of_one: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loyalty_subscriptions.jobs.AT_ONCE", 1)
    story = await club("2026-01-31T12:00")
    members = [await story.world.member() for _ in range(2)]
    for member in members:
        await story.buys(member, "120.00")
        await story.ask(Subscribe, member, plan="saver")
    await story.comes("2026-04-01T12:00", worked=False)

    first, then = await refused_of_one(story.world, subscriptions_due)

    assert [first, *then] == [member.id for member in members]
    await story.comes("2026-04-01T13:00")
    assert [await story.points(member) for member in members] == [20, 20]
