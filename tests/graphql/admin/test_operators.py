"""What operators do: tenants come, are suspended and served again, and are listed."""

import asyncio
from dataclasses import replace
from typing import Any

import orjson
import pytest
from websockets.asyncio.client import connect

from loyalty.ids import new_id
from tests.graphql.documents import (
    ADJUST,
    BALANCE_OF,
    CLOSE,
    ENROLL,
    PREVIEW,
    RECORD,
    RECORD_MANY,
    REDEEM,
    RETURN,
)

from .documents import PAGE, TENANT, document, done, refusals, trail

VIEWER = "{ viewer { role } }"
NEW = {"name": "New", "zone": "Europe/Madrid", "currencies": ["EUR"]}


def a_slug() -> str:
    return f"new-{new_id().hex[-12:]}"


async def test_a_new_tenant_is_ready_for_its_admin(operator: Any, anonymous: Any) -> None:
    slug = a_slug()
    made = await done(operator(), "createTenant", slug=slug, **NEW, parkingSeconds=60)
    tenant = made["tenant"]
    assert (tenant["slug"], tenant["status"], tenant["parkingSeconds"]) == (slug, "ACTIVE", 60)
    assert (tenant["zone"], tenant["currencies"]) == ("Europe/Madrid", ["EUR"])
    assert (made["apiKey"]["role"], made["apiKey"]["client"]) == ("ADMIN", "admin")
    admin = replace(anonymous, credential=made["secret"])
    await done(admin, "createUnit", code="points", name="Points")
    assert await trail(admin) == [
        ("unit.create", "unit:points"),
        ("key.create", (await trail(admin, first=2))[1][1]),
        ("tenant.create", f"tenant:{slug}"),
    ]


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"slug": "A"}, "BAD_USER_INPUT", "slug"),
        ({"slug": "loyalty"}, "BAD_USER_INPUT", "slug"),
        ({"name": ""}, "BAD_USER_INPUT", "name"),
        ({"zone": "Mars"}, "BAD_USER_INPUT", "zone"),
        ({"currencies": ["EURO"]}, "CURRENCY_NOT_LISTED", "currencies.0"),
        ({"aheadSeconds": -5}, "BAD_USER_INPUT", "aheadSeconds"),
    ],
)
async def test_a_bad_tenant_is_refused(
    operator: Any, everything: Any, given: Any, code: str, field: str
) -> None:
    counts = "select (select count(*) from loyalty.tenant), (select count(*) from loyalty.api_key)"
    before = await everything.fetchrow(counts)
    asked = {"slug": a_slug(), **NEW, **given}
    assert await refusals(operator(), "createTenant", **asked) == [(code, field)]
    assert await everything.fetchrow(counts) == before


async def test_a_slug_is_given_once(operator: Any, brand: Any, rows_of: Any) -> None:
    before = await rows_of(brand)
    refusal = [("ALREADY_EXISTS", "slug")]
    assert await refusals(operator(), "createTenant", slug=brand.slug, **NEW) == refusal
    assert await rows_of(brand) == before


async def test_a_suspended_tenant_is_served_to_operators_only(brand: Any, operator: Any) -> None:
    callers = (brand.admin, brand.service, brand.member("ada"))
    for caller in callers:
        await caller.run(VIEWER)
    suspended = await done(operator(), "suspendTenant", slug=brand.slug)
    assert suspended["tenant"]["status"] == "SUSPENDED"
    for caller in callers:
        answer = await caller.post(VIEWER)
        assert answer.status_code == 403
        assert await caller.refused(VIEWER) == [("TENANT_SUSPENDED", None)]
        unit = {"code": "stars", "name": "Stars"}
        refused = await caller.refused(document("createUnit"), input=unit)
        assert refused == [("TENANT_SUSPENDED", None)]
    ops = operator(brand.slug)
    assert (await ops.run("{ tenant { status } }"))["tenant"] == {"status": "SUSPENDED"}
    await done(ops, "updateTenant", name="Still here")
    resumed = await done(operator(), "resumeTenant", slug=brand.slug)
    assert resumed["tenant"]["status"] == "ACTIVE"
    for caller in callers:
        await caller.run(VIEWER)
    assert [action for action, _ in await trail(brand.admin, first=3)] == [
        "tenant.resume",
        "tenant.update",
        "tenant.suspend",
    ]


async def test_operators_write_in_a_suspended_tenant_and_nobody_else(
    brand: Any, operator: Any, everything: Any, rows_of: Any
) -> None:
    """Commands too; what waits for a purchase is settled with it; workers find nothing to do."""
    await brand.enroll("ada")
    purchase = brand.purchase("ada", "12.00")
    back = {"source": "shop", "returnId": "r-1", "purchaseExternalId": purchase["externalId"],
            "occurredAt": brand.now(), "lines": [{"id": "1", "amount": "2.00"}]}  # fmt: skip
    await brand.service.run(RETURN, input=back)
    await done(operator(), "suspendTenant", slug=brand.slug)
    before = await rows_of(brand)
    for caller in (brand.admin, brand.service, brand.member("ada")):
        assert await caller.refused(RECORD, input=purchase) == [("TENANT_SUSPENDED", None)]
    assert await rows_of(brand) == before

    ops, ada = operator(brand.slug), {"externalId": "ada"}
    given = {"member": ada, "unit": "points", "amount": "3", "idempotencyKey": brand.key()}
    asked = [
        (PREVIEW, {"input": brand.purchase("ada", "5.00")}),
        (RECORD, {"input": purchase}),
        (RETURN, {"input": {**back, "returnId": "r-2"}}),
        (RECORD_MANY, {"items": [brand.purchase("ada", "7.00")]}),
        (ADJUST, {"input": {**given, "reasonCode": "GOODWILL"}}),
        (REDEEM, {"input": {**given, "program": "points", "idempotencyKey": brand.key()}}),
        (ENROLL, {"input": {"externalId": "eve"}}),
        (CLOSE, {"input": {"member": {"externalId": "eve"}}}),
    ]
    for query, variables in asked:
        answer = await ops.run(query, **variables)
        [payload] = answer.values()
        for part in payload.get("outcomes", [payload]):
            assert part["userErrors"] == [], query

    balance = await ops.run(BALANCE_OF, by=ada, unit="points")
    assert balance["member"]["balance"]["available"] == str(12 - 2 - 2 + 7 + 3 - 3)
    due = await everything.fetchval("select loyalty.tenants_due($1)", brand.clock.now())
    assert brand.tenant_id not in due
    await done(operator(), "resumeTenant", slug=brand.slug)
    due = await everything.fetchval("select loyalty.tenants_due($1)", brand.clock.now())
    assert brand.tenant_id in due


async def test_suspending_closes_the_sockets_of_the_tenant(brand: Any, operator: Any) -> None:
    await brand.enroll("ada")
    url = brand.server.url.replace("http", "ws") + "/graphql"
    async with connect(url, subprotocols=["graphql-transport-ws"]) as socket:  # type: ignore[list-item]
        payload = {"authorization": f"Bearer {brand.member('ada').credential}"}
        await socket.send(orjson.dumps({"type": "connection_init", "payload": payload}).decode())
        assert orjson.loads(await socket.recv())["type"] == "connection_ack"
        await done(operator(), "suspendTenant", slug=brand.slug)
        async with asyncio.timeout(8):
            await socket.wait_closed()


@pytest.mark.parametrize("name", ["suspendTenant", "resumeTenant"])
async def test_an_unknown_tenant_is_not_there(operator: Any, name: str) -> None:
    for slug in ("no-such", "", "a b", "NO"):
        assert await refusals(operator(), name, slug=slug) == [("NOT_FOUND", "slug")]


async def test_tenants_are_paged_both_ways(operator: Any) -> None:
    ops = operator()
    slugs = [(await done(ops, "createTenant", slug=a_slug(), **NEW))["tenant"] for _ in range(3)]
    query = f"""query($first: Int, $after: String, $last: Int, $before: String) {{
      tenants(first: $first, after: $after, last: $last, before: $before) {{
        edges {{ cursor node {{ {TENANT} }} }} {PAGE} }} }}"""

    async def page(**given: Any) -> tuple[list[Any], Any]:
        found = (await ops.run(query, **given))["tenants"]
        return [edge["node"] for edge in found["edges"]], found["pageInfo"]

    newest, info = await page(last=2)
    assert newest == slugs[-2:]
    assert info["hasPreviousPage"] is True
    before, _ = await page(last=1, before=info["startCursor"])
    assert before == slugs[:1]
    seen, after = [], None
    while True:
        nodes, info = await page(first=100, after=after)
        seen += [node["slug"] for node in nodes]
        if not info["hasNextPage"]:
            break
        after = info["endCursor"]
    assert len(set(seen)) == len(seen)
    assert seen[-3:] == [one["slug"] for one in slugs]
    for cursor in ("nonsense", ""):
        assert await ops.refused(query, after=cursor) == [("BAD_USER_INPUT", ["tenants"])]
