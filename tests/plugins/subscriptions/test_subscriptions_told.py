"""What comes of subscriptions as webhooks tell it: each by its schema; and what is shown of it."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from loyalty.clock import SystemClock
from loyalty.facts import MemberFrozen, MemberRef
from loyalty.jobs.outbox import Outbox
from loyalty.ledger.statement import Page, statements
from loyalty_subscriptions.commands import (
    Cancel,
    ChangePlan,
    Comp,
    GiveBack,
    Pause,
    Resume,
    Subscribe,
)
from loyalty_subscriptions.facts import Outcome
from loyalty_subscriptions.subscription import Provider, Status
from loyalty_tenants.egress import Reach
from loyalty_tenants.webhooks import endpoints
from loyalty_tenants.webhooks.endpoints import Rules
from loyalty_tenants.webhooks.fan_out import FanOut
from loyalty_tenants.webhooks.topics import Topics
from tests.kernel.conftest import BOSS
from tests.plugins.subscriptions.conftest import GOLD, POINTED, YEAR


async def _listening(world: Any, topics: Topics) -> None:
    async with world.database.tenant(world.tenant_id) as connection:
        rules = Rules(topics=topics, reach=Reach(trusted=("127.0.0.1",)))
        await endpoints.create(
            connection, BOSS, rules, url="https://127.0.0.1/hooks", topics=["*"], description="",
            now=datetime.now(UTC),
        )  # fmt: skip


async def _everything(shop: Any) -> None:
    """All that can happen to subscriptions, to one member or another."""
    ada, bob = await shop.world.member(), await shop.world.member()
    await shop.pays(ada, "i-1")
    await shop.buys(ada, "9.00")
    await shop.ask(ChangePlan, ada, plan="year")
    await shop.pays(ada, "i-2", plan="year", amount=9900)
    await shop.ask(Pause, ada, by_staff=True)
    await shop.ask(Resume, ada)
    await shop.ask(GiveBack, ada, amount=100, reason="late")
    await shop.pays(ada, "i-2", plan="year", outcome=Outcome.REFUNDED, amount=100)
    await shop.ask(Comp, bob, plan="gold", until=shop.local("2026-03-01T00:00"), reason="sorry")
    await shop.ask(Subscribe, bob, plan="gold")
    await shop.pays(bob, "i-3")
    lost = {"provider": Provider.STRIPE, "plan": None, "price": "price_x", "event": "evt-9"}
    await shop.tells(replace(shop.fee(bob, "in_9"), program="club", **lost))
    await shop.pays(bob, "i-4", outcome=Outcome.FAILED)
    await shop.comes("2026-02-28T12:00", told=True)
    await shop.pays(bob, "i-4")
    await shop.ask(Cancel, bob, reason="bye")
    await shop.comes("2026-03-31T12:00", told=True)


async def test_each_is_told_by_its_schema(club: Any, worker_database: Any) -> None:
    budget = {"points": "10", "period": "year", "per": "program"}
    shop = await club(
        plans=[YEAR, GOLD, POINTED], plan_changes="full_price", caps=[budget], budget_alarms=[50]
    )
    topics = Topics(shop.world.plugins)
    await _listening(shop.world, topics)
    await _everything(shop)

    outbox = Outbox(worker_database, FanOut(topics, SystemClock()))
    while await outbox.round():
        pass

    async with worker_database.tenant(shop.world.tenant_id, read_only=True) as connection:
        rows = await connection.fetch(
            "select topic, body from loyalty.webhook_event order by created_at, id"
        )
    told: dict[str, Any] = {}
    for row in rows:
        event = json.loads(row["body"])
        Draft202012Validator(topics.by_name[row["topic"]].schema).validate(event)
        told.setdefault(row["topic"], event["data"])
    expected = (
        "budget_reached", "cancelled", "comped", "expired", "past_due", "paused", "payment_due",
        "payment_failed", "payment_unmatched", "plan_changed", "refund_due", "refunded", "renewed",
        "resumed", "started",
    )  # fmt: skip
    mine = {topic for topic in told if topic.startswith("subscriptions.")}
    assert mine == {f"subscriptions.{name}.v1" for name in expected}
    assert {topic for topic in topics.by_name if topic.startswith("subscriptions.")} == mine
    assert told["subscriptions.started.v1"]["fact"]["plan"] == "gold"
    assert told["subscriptions.started.v1"]["member"] is not None
    assert told["subscriptions.cancelled.v1"]["fact"]["reason"] == "bye"


async def test_a_statement_shows_fees_and_gifts(club: Any) -> None:
    gift = {"id": "monthly", "label": "Every month", "points": "5", "given_with": "each"}
    shop = await club(plans=[{**POINTED, "gifts": [gift]}])
    ada = await shop.world.member()
    await shop.buys(ada, "120.00")
    await shop.ask(Subscribe, ada, plan="saver")
    await shop.comes("2026-02-28T12:00")

    async with shop.world.database.tenant(shop.world.tenant_id, read_only=True) as connection:
        page = Page(holder=ada.id, unit="points", before=None, size=20)
        entries = (await statements(connection, [page]))[page]

    lines = [(entry.amount, entry.label) for entry in reversed(entries)]
    assert [amount for amount, _ in lines] == [120, -50, 5, -50, 5]
    assert lines[2][1] == "Every month"


async def test_who_is_frozen_may_still_leave_and_is_given_back(club: Any) -> None:
    shop = await club(cancellation={"refund": "prorate_days"})
    ada = await shop.world.member()
    await shop.pays(ada, "i-1")
    at = shop.world.clock.now()
    await shop.world.record(MemberFrozen(member=ada, occurred_at=at, reason="why"))

    await shop.ask(Cancel, ada)

    assert (await shop.one(ada)).status is Status.CANCELLED_AT_PERIOD_END


async def test_periods_that_are_paid_ahead_go_back_too(club: Any) -> None:
    """Three months paid at once, ended in the middle of the first: half of it, and all the rest."""
    shop = await club("2026-01-31T12:00", cancellation={"refund": "prorate_days"})
    ada = await shop.world.member()
    for number in range(3):
        await shop.pays(ada, f"i-{number}")
    await shop.comes("2026-02-14T12:00")

    await shop.ask(Cancel, ada, at_once=True, by_staff=True)

    told = [content for kind, content in await shop.told() if kind == "refund_due"]
    assert {one["invoice"]: one["amount"] for one in told} == {
        "i-0": "4.95", "i-1": "9.90", "i-2": "9.90",
    }  # fmt: skip


@pytest.mark.parametrize("paused", [False, True])
async def test_a_pause_uses_nothing_of_the_fee(club: Any, paused: bool) -> None:
    shop = await club(cancellation={"refund": "prorate_days"}, pauses={"allowed": True})
    ada = await shop.world.member()
    await shop.pays(ada, "i-1")
    if paused:
        await shop.ask(Pause, ada)
        await shop.comes("2026-03-31T12:00")
        await shop.ask(Resume, ada)
        await shop.comes("2026-04-14T12:00")
    else:
        await shop.comes("2026-02-14T12:00")

    await shop.ask(Cancel, ada, at_once=True, by_staff=True)

    [told] = [content for kind, content in await shop.told() if kind == "refund_due"]
    assert told["amount"] == "4.95"


async def test_a_payment_for_nobody_is_refused(club: Any) -> None:
    shop = await club()
    nobody = MemberRef(external_id="nobody")

    [outcome] = await shop.tells(replace(shop.fee(nobody, "in_1"), event="evt-1", program="club"))

    assert getattr(outcome, "code", None) == "MEMBER_NOT_FOUND"
    assert await shop.world.rows("select 1 from loyalty.subscription_payment") == []
