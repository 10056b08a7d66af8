"""What webhooks say: every kind of fact once, to the letter where it matters, by its own schema."""

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from jsonschema import Draft202012Validator

from loyalty.codec import KERNEL_FACTS
from loyalty.commands import (
    AdjustBalance,
    CaptureRedemption,
    Redeem,
    ReleaseRedemption,
    ReverseRedemption,
)
from loyalty.facts import (
    ActivityRecorded,
    MemberClosed,
    MemberErased,
    MemberFrozen,
    MemberRef,
    MemberUnfrozen,
)
from loyalty.ids import NIL, public_id
from loyalty.plugin import Plugin, PublishedFact
from loyalty.plugin_set import PluginSet
from loyalty_app.commands.schema import _payloads
from loyalty_points.plugin import plugin as points
from loyalty_tenants.webhooks.data import Ping
from loyalty_tenants.webhooks.event import envelope
from loyalty_tenants.webhooks.topics import FACTS, UNTOLD, Topics
from tests.kernel.jobs.conftest import ECHO, EchoConfig, Thanked

ROOT = Path(__file__).parents[3]
EVERY = {
    "MemberEnrolled", "MemberFrozen", "MemberUnfrozen", "MemberClosed", "MemberErased",
    "PurchaseRecorded",
    "PurchaseReversed", "ReturnParked",
    "ActivityRecorded", "LotsDue", "FactReversed", "Redeem", "CaptureRedemption",
    "ReleaseRedemption", "ReverseRedemption", "HoldLapsed", "AdjustBalance",
}  # fmt: skip


def strict(schema: Any) -> Any:
    """The schema with nothing allowed that it does not name: what we say must all be described."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: strict(value) for name, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        inner["additionalProperties"] = False
    return inner


@pytest.fixture
async def lively(make_world: Any, office: Any) -> Any:
    """A world in which everything happened that can, and an endpoint that is told of all."""
    world = await make_world(plugins=[points, ECHO])
    await world.run_program("echo", {"unit": "points"}, kind="echo")
    await office.endpoint(world, "http://127.0.0.1:9/all")
    now = world.clock.now
    ana, bob = await world.member("ana"), await world.member("bob")

    def spend(amount: int, **more: Any) -> Redeem:
        return Redeem(
            member=ana, occurred_at=now(), program="points", unit="points", amount=amount, **more
        )

    async def redeemed(command: Redeem) -> Any:
        return UUID((await world.record(command)).answer["redemptionId"])

    first = world.purchase(ana, "100.00", external_id="o-1")
    await world.record(first)
    await world.record(world.purchase(ana, "90.00", external_id="o-1", revision=2))
    thanks = ActivityRecorded(
        member=bob, occurred_at=now(), source="app", external_id="a-1", type="review",
        attributes={"to": str(ana.id), "points": 5},
    )  # fmt: skip
    await world.record(thanks)
    captured = await redeemed(spend(20, order="basket"))
    await world.record(CaptureRedemption(occurred_at=now(), redemption_id=captured, amount=15))
    await world.record(ReverseRedemption(occurred_at=now(), redemption_id=captured))
    released = await redeemed(spend(3))
    await world.record(ReleaseRedemption(occurred_at=now(), redemption_id=released))
    await redeemed(spend(4, hold_for=timedelta(hours=1)))
    await redeemed(spend(2, capture=True))
    bought = world.purchase(bob, "10.00", external_id="o-2")
    await world.record(bought)
    unnamed = replace(world.back(bought, return_id="r-1"), purchase_revision=None)
    await world.record(unnamed)
    await world.record(
        world.back(world.purchase(bob, "1.00", external_id="unknown"), return_id="r-2")
    )
    await world.record(
        AdjustBalance(
            member=bob, occurred_at=now(), unit="points", amount=7, reason_code="GOODWILL"
        )
    )
    await world.record(
        AdjustBalance(
            member=bob, occurred_at=now(), unit="points", amount=-2, reason_code="MISTAKE"
        )
    )
    return world


async def said(world: Any, office: Any) -> list[tuple[str, Any]]:
    """Topic and payload of every event of the world, in the order in which they are sent."""
    await office.tell(world)
    rows = await office.rows(
        """select e.topic, e.body from loyalty.webhook_delivery d
             join loyalty.webhook_event e on (e.tenant_id, e.id) = (d.tenant_id, d.event_id)
            where d.tenant_id = $1 order by d.seq""",
        world.tenant_id,
    )
    return [(row["topic"], json.loads(row["body"])) for row in rows]


async def test_everything_that_happens_is_said_by_its_schema(
    lively: Any, office: Any, hands: Any
) -> None:
    world = lively
    worker = hands.worker(world, passing_by=False)
    later = {"thank": str((await world.member("eve")).id)}
    sale = world.purchase(await world.member("dan"), "30.00", external_id="o-3")
    await world.record(replace(sale, attributes=later))
    world.pass_time(days=4)
    await worker.run_due(world.tenant_id)  # the hold lapses, eve is thanked
    await world.record(world.back(sale, return_id="r-3"))
    await worker.run_due(world.tenant_id)  # which is undone with the purchase
    world.pass_time(days=400)
    await worker.run_due(world.tenant_id)  # everything expires
    for ending in (MemberFrozen, MemberUnfrozen, MemberClosed):
        ana, now = MemberRef(external_id="ana"), world.clock.now()
        await world.record(ending(member=ana, occurred_at=now, reason="asked"))
    (row,) = await world.rows("select id from loyalty.member where external_id = 'ana'")
    gone = MemberErased(member=MemberRef(id=row["id"]), occurred_at=world.clock.now())
    await world.record(gone)

    told, topics = await said(world, office), office.topics(world)

    for topic, payload in told:
        Draft202012Validator(strict(topics.by_name[topic].schema)).validate(payload)
        assert payload["type"] == topic
    of_points = {topic for topic in topics.by_name if topic.startswith("points.")}
    assert {topic for topic, _ in told} - of_points == topics.by_name.keys() - of_points
    failed = await world.rows("select * from loyalty.outbox where state <> 'DONE' or attempts > 1")
    assert failed == []


async def test_what_is_said_of_a_life(lively: Any, office: Any) -> None:
    told = await said(lively, office)
    by_topic: dict[str, list[Any]] = {}
    for topic, payload in told:
        by_topic.setdefault(topic, []).append(payload["data"])

    first, second = by_topic["purchase.recorded.v1"][:2]
    assert (first["externalId"], first["total"]) == ("o-1", {"value": "100.00", "unit": "USD"})
    assert (second["revision"], second["takenBack"]) == (
        2,
        [
            {
                "amount": {"value": "100", "unit": "points"},
                "wanted": {"value": "100", "unit": "points"},
                "rule": "points/base",
            }
        ],
    )
    created = [(one["state"], one["amount"]["value"]) for one in by_topic["redemption.created.v1"]]
    assert created == [("HELD", "20"), ("HELD", "3"), ("HELD", "4"), ("CAPTURED", "2")]
    returned = {one["returnId"]: one for one in by_topic["purchase.returned.v1"]}
    assert returned["r-1"]["purchaseRevision"] == 1, "also where the return named none"
    (captured,) = by_topic["redemption.captured.v1"]
    assert (captured["captured"]["value"], captured["order"]) == ("15", "basket")
    (reversed_,) = by_topic["redemption.reversed.v1"]
    assert (reversed_["reinstated"]["value"], reversed_["expired"]["value"]) == ("15", "0")
    burned = by_topic["value.burned.v1"]
    assert [one["amount"]["value"] for one in burned] == ["15", "2"]
    assert burned[0]["redemptionId"] == captured["redemptionId"]
    assert [one["amount"]["value"] for one in by_topic["balance.adjusted.v1"]] == ["7", "-2"]
    granted = [one["amount"]["value"] for one in by_topic["value.granted.v1"]]
    assert granted == ["100", "90", "10"]
    assert [one["member"]["externalId"] for one in by_topic["member.enrolled.v1"]] == ["ana", "bob"]
    assert first["member"]["id"] == second["member"]["id"]


async def test_a_message_is_the_same_bytes_and_id_however_often_it_is_made(
    world: Any, office: Any, worker_database: Any
) -> None:
    await office.endpoint(world, "http://127.0.0.1:9/all")
    ana = await world.member()
    await world.record(world.purchase(ana, 100))
    await office.tell(world)
    before = await office.rows("select * from loyalty.webhook_event order by id")
    deliveries = await office.deliveries(world)

    await office.rows("update loyalty.outbox set state = 'READY', attempts = 0")
    await office.tell(world)

    assert await office.rows("select * from loyalty.webhook_event order by id") == before
    assert await office.deliveries(world) == deliveries


async def test_what_cannot_be_put_into_words_waits_and_the_rest_is_told(
    world: Any, office: Any, caplog: Any
) -> None:
    await office.endpoint(world, "http://127.0.0.1:9/all")
    await world.member("one")
    await world.member("two")
    await office.rows(
        "update loyalty.outbox set topic = 'gone.fact/1' where fact_id = "
        "(select id from loyalty.fact where payload ->> 'external_id' = 'one')"
    )
    await office.tell(world)

    rows = await world.rows("select * from loyalty.outbox order by id")
    assert [(row["state"], row["attempts"]) for row in rows] == [("READY", 1), ("DONE", 1)]
    assert len(await office.deliveries(world)) == 1
    assert "could not be put into words" in caplog.text


def test_every_kind_of_fact_has_a_topic_and_every_field_a_description() -> None:
    topics = Topics(PluginSet([points, ECHO]))

    kinds = {fact.KIND for fact in KERNEL_FACTS} - UNTOLD
    assert kinds | {"ReturnParked"} == FACTS.keys() == EVERY
    assert "echo.thanked.v1" in topics.by_name
    for topic in (*topics.by_name.values(), topics.ping):
        Draft202012Validator.check_schema(topic.schema)
        assert topic.description
        assert list(_undescribed(topic.schema["properties"]["data"], topic.schema)) == []
    own = topics.by_name["echo.thanked.v1"].schema["properties"]["data"]["properties"]["fact"]
    assert own["properties"] == {"points": {"type": "integer"}}
    assert topics.by_name["echo.thanked.v1"].description == "Somebody is thanked with points."


def _undescribed(shape: Any, schema: Any) -> Iterator[str]:
    for name, field in shape.get("properties", {}).items():
        if "description" not in field and "$ref" not in field and name != "fact":
            yield name
    for name, inner in schema.get("$defs", {}).items():
        if inner is not shape and "properties" in inner:
            yield from (f"{name}.{one}" for one in _undescribed(inner, {}))


def test_the_committed_schemas_are_those_of_the_code() -> None:
    committed = {
        path.name: path.read_text("utf-8")
        for path in (ROOT / "graphql_schema" / "webhooks").iterdir()
    }
    assert committed == _payloads(), "run: loyalty schema --write"


def test_a_ping_is_said_by_its_schema() -> None:
    topics = Topics(PluginSet([]))
    at = "2026-01-01T12:00:00Z"
    body = envelope(topics.ping.name, at, Ping(endpoint_id=public_id("WebhookEndpoint", NIL)))
    Draft202012Validator(strict(copy.deepcopy(topics.ping.schema))).validate(json.loads(body))


def test_two_topics_of_one_name_are_refused() -> None:
    class Enrolled(Thanked):
        """Not the member's."""

        KIND = "member.enrolled/1"

    plugin = Plugin(
        name="member",
        config=EchoConfig,
        facts=(PublishedFact(name="member.enrolled/1", fact=Enrolled),),
    )
    with pytest.raises(ValueError, match=r"two topics are called member\.enrolled\.v1"):
        Topics(PluginSet([plugin]))
