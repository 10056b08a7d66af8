"""What every change does besides: one entry in the audit trail, and a word to all processes."""

import asyncio
from typing import Any

import pytest

from loyalty_graphql.ids import read_node_id

from .documents import PAYLOADS, done, refusals

COUNT = "select count(*) from loyalty.audit_entry where tenant_id = $1"


async def told(hints: Any, tenant_id: Any) -> None:
    async for payload in hints:
        if payload.decode() == str(tenant_id):
            return


# They begin something, and change nothing that a process would remember.
SENDING = {"pingWebhookEndpoint", "replayWebhookDeliveries", "startBacktest", "cancelBacktest"}


@pytest.mark.parametrize("name", sorted(SENDING))
async def test_sending_leaves_one_entry(
    name: str, brand: Any, inputs: Any, everything: Any
) -> None:
    before = await everything.fetchval(COUNT, brand.tenant_id)
    await done(brand.admin, name, **inputs[name])
    assert await everything.fetchval(COUNT, brand.tenant_id) == before + 1


@pytest.mark.parametrize("name", sorted(PAYLOADS.keys() - {"createTenant"} - SENDING))
async def test_a_change_leaves_one_entry_and_is_told(
    name: str, brand: Any, operator: Any, inputs: Any, everything: Any
) -> None:
    ops = operator(brand.slug)
    if name == "removeTokenIssuer":
        await done(ops, "setTokenIssuer", **inputs["setTokenIssuer"])
    before = await everything.fetchval(COUNT, brand.tenant_id)
    async with brand.server.services.api.hints.subscribe_config() as hints:
        await done(ops, name, **inputs[name])
        async with asyncio.timeout(5):
            await told(hints, brand.tenant_id)
    assert await everything.fetchval(COUNT, brand.tenant_id) == before + 1


async def test_a_new_tenant_is_told(brand: Any, operator: Any, inputs: Any) -> None:
    async with brand.server.services.api.hints.subscribe_config() as hints:
        made = await done(operator(), "createTenant", **inputs["createTenant"])
        node = read_node_id(made["tenant"]["id"])
        assert node is not None
        async with asyncio.timeout(5):
            await told(hints, node[1])


async def test_the_process_that_made_a_change_forgets_without_being_told(
    brand: Any, operator: Any, inputs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(tenant_id: Any) -> bool:
        return False

    monkeypatch.setattr(brand.server.services.api.hints, "publish_config", lost)
    await brand.service.run("{ viewer { role } }")
    await done(operator(), "suspendTenant", slug=brand.slug)
    assert await brand.service.refused("{ viewer { role } }") == [("TENANT_SUSPENDED", None)]
    await done(operator(), "resumeTenant", slug=brand.slug)
    await brand.service.run("{ viewer { role } }")


async def test_changes_of_one_document_see_each_other(brand: Any) -> None:
    data = await brand.admin.run(
        """mutation($card: Config!) {
          createUnit(input: { code: "stars", name: "Stars" }) { userErrors { code } }
          createProgram(input: { slug: "card", kind: "punch", name: "Card", config: $card }) {
            program { config } userErrors { code field }
          }
        }""",
        card={"unit": "stars"},
    )
    assert data["createProgram"] == {"program": {"config": {"unit": "stars"}}, "userErrors": []}
    again = {"slug": "other", "kind": "punch", "name": "Other", "config": {"unit": "star"}}
    assert await refusals(brand.admin, "createProgram", **again) == [("BAD_CONFIG", "config.unit")]
