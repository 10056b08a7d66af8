"""What leaves the building: each topic of points by its published schema, and nothing internal."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from loyalty.clock import SystemClock
from loyalty.jobs.outbox import Outbox
from loyalty.plugin_set import PluginSet
from loyalty_points.commands import ActivatePoints, Choose, ChooseDonation
from loyalty_points.facts import DividendDeclared
from loyalty_tenants.egress import Reach
from loyalty_tenants.webhooks import endpoints
from loyalty_tenants.webhooks.endpoints import Rules
from loyalty_tenants.webhooks.fan_out import FanOut
from loyalty_tenants.webhooks.topics import Topics
from tests.kernel.conftest import BOSS, World
from tests.plugins.points.recorded.conftest import RULE

MORE = {
    "choices": [
        {"id": "track", "label": "Track",
         "options": [{"id": "miles", "label": "By mile"}, {"id": "fare", "label": "By fare"}]}
    ],
    "expiry": {"notices": [7], "donations": True},
    "issuing": [
        {"id": "rewards", "label": "Reward", "windows": ["07-15"], "unit": "rewards",
         "step": "100", "gives": "10.00", "lifetime": {"span": "P1M"}}
    ],
}  # fmt: skip
COOP = {
    "unit": "eligible",
    "rules": [RULE],
    "dividend": {"id": "dividend", "label": "Dividend", "unit": "dividend", "issues": "03-15"},
}


@pytest.fixture
async def story(club: Any) -> tuple[Any, Topics]:
    """Ten months with everything that is told of lots and days, and an endpoint that hears all."""
    card = {**RULE, "id": "card", "terms": {"pending_until": "activation"}}
    units = {"rewards": 2, "eligible": 2, "dividend": 2}
    shop = await club("2026-05-10T12:00", units=units, rules=[RULE, card], **MORE)
    await shop.world.run_program("coop", COOP)
    topics = Topics(PluginSet(shop.world.plugins.plugins))
    await _listening(shop.world, topics)
    ada = await shop.world.member()
    await shop.buys(ada, "150.00")
    at, own = shop.world.clock.now(), {"member": ada, "program": "points"}
    await shop.world.record(ActivatePoints(occurred_at=at, **own))
    await shop.world.record(ChooseDonation(occurred_at=at, donates=True, **own))
    for option in ("miles", "fare"):
        await shop.world.record(Choose(occurred_at=at, choice="track", options=(option,), **own))
    for day in ("2026-07-15", "2026-08-08", "2026-08-16", "2027-01-10"):
        await shop.comes(f"{day}T12:00", told=True)
    declared = DividendDeclared(
        occurred_at=shop.world.clock.now(), program="coop", year=2026, percent="10",
        issues_on="2027-03-15",
    )  # fmt: skip
    await shop.world.record(declared)
    await shop.comes("2027-03-15T12:00", told=True)
    return shop.world, topics


async def _listening(world: World, topics: Topics) -> None:
    async with world.database.tenant(world.tenant_id) as connection:
        rules = Rules(topics=topics, reach=Reach(trusted=("127.0.0.1",)))
        await endpoints.create(
            connection, BOSS, rules, url="https://127.0.0.1/hooks", topics=["*"], description="",
            now=datetime.now(UTC),
        )  # fmt: skip


async def _told(world: World, topics: Topics, database: Any) -> dict[str, Any]:
    """The first event of each topic, each checked by the topic's schema."""
    outbox = Outbox(database, FanOut(topics, SystemClock()))
    while await outbox.round():
        pass
    async with database.tenant(world.tenant_id, read_only=True) as connection:
        rows = await connection.fetch(
            "select topic, body from loyalty.webhook_event order by created_at, id"
        )
    told: dict[str, Any] = {}
    for row in rows:
        event = json.loads(row["body"])
        Draft202012Validator(topics.by_name[row["topic"]].schema).validate(event)
        told.setdefault(row["topic"], event["data"])
    return told


async def test_what_comes_of_lots_and_days_is_told_by_its_schema(
    story: Any, worker_database: Any
) -> None:
    world, topics = story

    told = await _told(world, topics, worker_database)

    assert told.keys() >= {
        f"points.{what}.v1"
        for what in (
            "activated", "donation_chosen", "donated", "expiry_announced", "window_closed",
            "dividend_declared", "dividend_issued", "choice_made", "choice_changed",
        )
    }  # fmt: skip
    assert not [topic for topic in topics.by_name if "fallen_due" in topic or "neared" in topic]
    assert "value.granted.v1" in told
    announced = told["points.expiry_announced.v1"]["fact"]
    assert (announced["unit"], announced["amount"], announced["day"]) == (
        "rewards", "30.00", "2026-08-15",
    )  # fmt: skip
    assert told["points.choice_changed.v1"]["fact"]["before"] == ["miles"]
    assert told["points.donated.v1"]["fact"]["amount"] == "30.00"
    assert told["points.dividend_issued.v1"]["fact"]["amount"] == "15.00"
    assert told["points.dividend_issued.v1"]["member"] is None
    failed = await world.rows("select topic from loyalty.outbox where state <> 'DONE'")
    assert failed == []
