"""Webhook endpoints over the API: secrets shown once, limits, what an admin may name, the log."""

from typing import Any
from uuid import UUID

import pytest

from loyalty_graphql.ids import node_id
from loyalty_tenants.webhooks.endpoints import ENDPOINTS_MAX

from .documents import DELIVERY, HOOK, PAGE, done, refusals, trail

HOOKS = f"{{ webhookEndpoints {{ {HOOK} }} }}"
LOG = f"""query($endpoint: ID, $state: WebhookDeliveryState, $first: Int, $after: String) {{
  webhookDeliveries(endpointId: $endpoint, state: $state, first: $first, after: $after) {{
    edges {{ cursor node {{ {DELIVERY} }} }} {PAGE} }} }}"""
URL = "https://shop.example/hooks"


async def create(brand: Any, **given: Any) -> Any:
    return await done(
        brand.admin, "createWebhookEndpoint", **{"url": URL, "topics": ["*"], **given}
    )


async def log(brand: Any, **given: Any) -> Any:
    return (await brand.admin.run(LOG, **given))["webhookDeliveries"]


async def test_an_endpoint_is_created_with_a_secret_that_is_shown_once(brand: Any) -> None:
    topics = ["purchase.recorded.v1", "member.enrolled.v1", "member.enrolled.v1"]
    made = await create(brand, topics=topics, description="Shop")

    endpoint = made["endpoint"]
    assert made["secret"].startswith("whsec_")
    assert len(made["secret"]) == len("whsec_") + 44
    assert (endpoint["url"], endpoint["description"], endpoint["status"]) == (
        URL,
        "Shop",
        "ENABLED",
    )
    assert endpoint["topics"] == ["member.enrolled.v1", "purchase.recorded.v1"]
    assert (await brand.admin.run(HOOKS))["webhookEndpoints"] == [endpoint]
    ((action, subject),) = await trail(brand.admin, first=1)
    assert (action, subject.partition(":")[0]) == ("webhook.create", "webhook_endpoint")
    told = await brand.admin.run("{ auditTrail(first: 50) { edges { node { details } } } }")
    assert made["secret"] not in str(told)


async def test_what_an_endpoint_goes_through_is_in_the_audit_trail(brand: Any) -> None:
    made = await create(brand)
    ident = made["endpoint"]["id"]
    moved = await done(
        brand.admin, "updateWebhookEndpoint", id=ident, url="https://new.example/", description="N"
    )
    turned = await done(brand.admin, "rotateWebhookSecret", id=ident)
    paused = await done(brand.admin, "disableWebhookEndpoint", id=ident)
    await done(brand.admin, "disableWebhookEndpoint", id=ident)
    again = await done(brand.admin, "enableWebhookEndpoint", id=ident)
    await done(brand.admin, "pingWebhookEndpoint", id=ident)
    gone = await done(brand.admin, "deleteWebhookEndpoint", id=ident)

    assert (moved["endpoint"]["url"], moved["endpoint"]["topics"]) == (
        "https://new.example/",
        ["*"],
    )
    assert turned["secret"] != made["secret"]
    assert turned["previousSecretUntil"] == "2026-01-02T17:00:00Z"
    assert made["previousSecretUntil"] is None
    states = [(one["endpoint"]["status"], one["endpoint"]["disabledReason"])
              for one in (paused, again)]  # fmt: skip
    assert states == [("DISABLED", "BY_HAND"), ("ENABLED", None)]
    assert gone["deletedId"] == ident
    assert (await brand.admin.run(HOOKS))["webhookEndpoints"] == []
    for name in ("enableWebhookEndpoint", "rotateWebhookSecret", "pingWebhookEndpoint"):
        assert await refusals(brand.admin, name, id=ident) == [("NOT_FOUND", "id")]
    # Of the second time, which changed nothing, it is noted that it was asked.
    assert [action for action, _ in await trail(brand.admin, first=8)] == [
        "webhook.delete", "webhook.ping", "webhook.enable", "disableWebhookEndpoint",
        "webhook.disable", "webhook.rotate", "webhook.update", "webhook.create",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"url": "http://shop.example/"}, "url"),
        ({"url": "https://127.0.0.1/"}, "url"),
        ({"url": "https://2130706433/"}, "url"),
        ({"url": "https://[::ffff:169.254.169.254]/"}, "url"),
        ({"url": "https://user:pw@shop.example/"}, "url"),
        ({"url": "https://shop.example/#x"}, "url"),
        ({"url": "https://shop.example:5432/"}, "url"),
        ({"url": "https://shop.example/\r\nx: y"}, "url"),
        ({"url": "https://①②⑦.⓪.⓪.①/"}, "url"),
        ({"url": "https://shop.example/" + "x" * 500}, "url"),
        ({"url": "shop"}, "url"),
        ({"url": ""}, "url"),
        ({"topics": []}, "topics"),
        ({"topics": ["*", "purchase.recorded"]}, "topics.1"),
        ({"topics": ["webhook.ping.v1"]}, "topics.0"),
        ({"description": "x" * 201}, "description"),
        ({"description": "two\nlines"}, "description"),
    ],
)
async def test_bad_endpoints_are_refused_with_their_field(
    brand: Any, change: Any, field: str
) -> None:
    made = await create(brand)
    before = (await brand.admin.run(HOOKS))["webhookEndpoints"]
    given = {"url": URL, "topics": ["*"], **change}

    assert await refusals(brand.admin, "createWebhookEndpoint", **given) == [
        ("BAD_USER_INPUT", field)
    ]
    ident = made["endpoint"]["id"]
    assert await refusals(brand.admin, "updateWebhookEndpoint", id=ident, **change) == [
        ("BAD_USER_INPUT", field)
    ]
    assert (await brand.admin.run(HOOKS))["webhookEndpoints"] == before


async def test_a_tenant_has_so_many_endpoints_and_no_more(brand: Any) -> None:
    made = [await create(brand) for _ in range(ENDPOINTS_MAX)]
    assert await refusals(brand.admin, "createWebhookEndpoint", url=URL, topics=["*"]) == [
        ("LIMIT_EXCEEDED", None)
    ]
    await done(brand.admin, "deleteWebhookEndpoint", id=made[0]["endpoint"]["id"])
    await create(brand)


async def test_the_log_is_paged_and_filtered_and_pings_are_limited(brand: Any) -> None:
    one, two = [(await create(brand))["endpoint"]["id"] for _ in range(2)]
    pings = [
        (await done(brand.admin, "pingWebhookEndpoint", id=ident))["delivery"]["id"]
        for ident in (one, one, two)
    ]

    whole = [edge["node"] for edge in (await log(brand))["edges"]]
    first = await log(brand, first=2)
    rest = await log(brand, first=2, after=first["pageInfo"]["endCursor"])
    assert [node["id"] for node in whole] == pings[::-1]
    assert [edge["node"]["id"] for edge in first["edges"]] == pings[:0:-1]
    assert [edge["node"]["id"] for edge in rest["edges"]] == pings[:1]
    assert {node["state"] for node in whole} == {"PENDING"}
    assert {node["topic"] for node in whole} == {"webhook.ping.v1"}
    of_two = (await log(brand, endpoint=two))["edges"]
    assert [edge["node"]["id"] for edge in of_two] == pings[2:]
    assert (await log(brand, state="DEAD"))["edges"] == []
    assert (await log(brand, endpoint="nothing"))["edges"] == []
    for _ in range(9):
        await done(brand.admin, "pingWebhookEndpoint", id=two)
    assert await refusals(brand.admin, "pingWebhookEndpoint", id=two) == [("LIMIT_EXCEEDED", None)]


async def test_of_what_is_to_be_replayed_all_must_be_there(brand: Any) -> None:
    hook = (await create(brand))["endpoint"]["id"]
    ping = (await done(brand.admin, "pingWebhookEndpoint", id=hook))["delivery"]["id"]
    ghost = node_id("WebhookDelivery", UUID(int=7))

    replay = "replayWebhookDeliveries"
    assert await refusals(brand.admin, replay, ids=[ping, ghost]) == [("NOT_FOUND", "ids.1")]
    assert await refusals(brand.admin, replay, ids=[hook]) == [("NOT_FOUND", "ids.0")]
    assert await refusals(brand.admin, replay, ids=[]) == [("BAD_USER_INPUT", "ids")]
    again = await done(brand.admin, replay, ids=[ping])
    assert [(one["id"], one["state"]) for one in again["deliveries"]] == [(ping, "PENDING")]


async def test_every_topic_is_listed_with_its_schema(brand: Any) -> None:
    listed = (await brand.admin.run("{ webhookTopics { name description schema } }"))[
        "webhookTopics"
    ]

    by_name = {topic["name"]: topic for topic in listed}
    assert list(by_name) == sorted(by_name)
    assert {"purchase.recorded.v1", "value.expired.v1", "webhook.ping.v1"} <= by_name.keys()
    bought = by_name["purchase.recorded.v1"]
    assert bought["schema"]["properties"]["type"]["const"] == "purchase.recorded.v1"
    assert "total" in bought["schema"]["properties"]["data"]["properties"]
