"""What webhooks tell of partnerships: each topic by its schema, and of one's own half alone."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from loyalty.clock import SystemClock
from loyalty.database import Database
from loyalty.jobs.outbox import Outbox
from loyalty.plugin_set import PluginSet
from loyalty_app.installed import installed
from loyalty_tenants.egress import Reach
from loyalty_tenants.webhooks import endpoints
from loyalty_tenants.webhooks.endpoints import Rules
from loyalty_tenants.webhooks.fan_out import FanOut
from loyalty_tenants.webhooks.topics import Topics
from tests.graphql.brand import BOSS
from tests.graphql.conftest import worker_database
from tests.plugins.partners.conftest import Alliance, Shop
from tests.plugins.partners.test_partners_issuing import make_stall

__all__ = ["make_stall", "worker_database"]

TOPICS = Topics(PluginSet(installed()))
Told = Callable[[Shop], Awaitable[list[tuple[str, Any]]]]


async def listening(shop: Shop) -> None:
    """An endpoint that hears all."""
    database = shop.brand.server.services.api.database
    async with database.tenant(shop.brand.tenant_id) as connection:
        rules = Rules(topics=TOPICS, reach=Reach(trusted=("127.0.0.1",)))
        await endpoints.create(
            connection, BOSS, rules, url="https://127.0.0.1/hooks", topics=["*"], description="",
            now=datetime.now(UTC),
        )  # fmt: skip


@pytest.fixture
def told(worker_database: Database) -> Told:
    async def told(shop: Shop) -> list[tuple[str, Any]]:
        outbox = Outbox(worker_database, FanOut(TOPICS, SystemClock()))
        while await outbox.round():
            pass
        async with worker_database.tenant(shop.brand.tenant_id, read_only=True) as connection:
            rows = await connection.fetch(
                "select topic, body from loyalty.webhook_event order by created_at, id"
            )
        events = [(row["topic"], json.loads(row["body"])) for row in rows]
        for topic, event in events:
            Draft202012Validator(TOPICS.by_name[topic].schema).validate(event)
        return events

    return told


async def test_packs_that_run_low_are_told_of_once(make_stall: Any, told: Told) -> None:
    """When what is left falls below the level, not before, not again; anew after it rose."""
    stall = await make_stall(prepaid=True, alertBelow="90")
    await listening(stall.shop)
    await stall.shop.brand.enroll("ann")

    async def buy(points: str) -> None:
        given = {"agreement": stall.agreement, "points": points}
        key = stall.shop.brand.key()
        await stall.shop.done("buyPointPack", stall.key, **given, idempotencyKey=key)

    async def alerts() -> list[str]:
        events = await told(stall.shop)
        facts = [e["data"]["fact"] for t, e in events if t == "partners.funds_low.v1"]
        assert {one["unit"] for one in facts} <= {"points"}
        return [one["amount"] for one in facts]

    await buy("100")
    await stall.give("ann", "30.00")  # 10: 90 are left
    assert await alerts() == []
    await stall.give("ann", "3.00")
    await stall.give("ann", "3.00")
    assert await alerts() == ["89"]
    await buy("10")
    await stall.give("ann", "60.00")
    assert await alerts() == ["89", "78"]


async def test_each_side_hears_of_its_own_half(alliance: Alliance, told: Told) -> None:
    air, hotel = alliance.air, alliance.hotel
    for shop in (air, hotel):
        await listening(shop)
    await air.give("ann", 600)
    done = await alliance.exchange(air, "ann", "300")
    await air.done(
        "reverseExchange", air.brand.service, exchange=done["exchange"]["id"], reason="air-only"
    )
    members = {
        shop.brand.slug: (
            await shop.brand.admin.run(
                f"""{{ member(by: {{externalId: "{name}"}}) {{ id externalId }} }}"""
            )
        )["member"]["id"]
        for shop, name in ((air, "ann"), (hotel, "bob"))
    }
    for shop, other, secrets in ((air, hotel, ['"bob"']), (hotel, air, ['"ann"', "air-only"])):
        events = await told(shop)
        topics = {topic for topic, _ in events}
        given = {"partners.points_given.v1", "partners.giving_undone.v1"}
        assert topics & given == (given if shop is air else set())
        text = json.dumps(events)
        secrets = [*secrets, str(other.brand.tenant_id), members[other.brand.slug]]
        assert [word for word in secrets if word in text] == []
