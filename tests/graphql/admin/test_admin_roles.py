"""Who may set up what: every admin mutation and query, tried by everybody who may not."""

from dataclasses import replace
from typing import Any

import pytest

from loyalty_tenants.principal import Role
from loyalty_tenants.scopes import DEFAULT

from .documents import PAYLOADS, QUERIES, SCOPES, document, refusals

BY_OPERATORS = ("createTenant", "suspendTenant", "resumeTenant")
# Whom the queries of an admin are closed to.
CLOSED = {
    "apiKeys": {"service", "member", "partner"},
    "tokenIssuers": {"service", "member", "partner"},
    "auditTrail": {"service", "member", "partner"},
    "webhookEndpoints": {"service", "member", "partner"},
    "webhookTopics": {"service", "member", "partner"},
    "webhookDeliveries": {"service", "member", "partner"},
    "backtests": {"service", "member", "partner"},
    "programKinds": {"member", "partner"},
    "conditionNames": {"member", "partner"},
    "checkCondition": {"member", "partner"},
    "programTemplates": {"member", "partner"},
}
FULL_PROGRAM = "{ programs { slug } }"


@pytest.mark.parametrize("name", PAYLOADS)
async def test_everybody_else_is_refused_and_nothing_is_written(
    name: str, brand: Any, anonymous: Any, operator: Any, inputs: Any, as_token: Any, rows_of: Any
) -> None:
    before = await rows_of(brand)
    every = sorted(DEFAULT[Role.ADMIN] | DEFAULT[Role.OPERATOR])
    outsiders = [as_token(role) for role in (Role.SERVICE, Role.MEMBER, Role.PARTNER)]
    # A token may ask for any scope; it gets those of its role.
    outsiders += [as_token(role, every) for role in (Role.SERVICE, Role.MEMBER, Role.PARTNER)]
    outsiders += [brand.service, brand.member("ada"), as_token(Role.ADMIN, [])]
    if name in BY_OPERATORS:
        outsiders += [brand.admin, as_token(Role.ADMIN, every)]
    else:
        outsiders += [as_token(Role.ADMIN, sorted(DEFAULT[Role.ADMIN] - {SCOPES[name]}))]
        outsiders += [operator()]
    for outsider in outsiders:
        refused = await outsider.refused(document(name), input=inputs[name])
        assert refused == [("FORBIDDEN", [name])]
    refused = await anonymous.refused(document(name), input=inputs[name])
    assert refused == [("UNAUTHENTICATED", [name])]
    forger = replace(anonymous, credential=brand.member("ada").credential[:-4] + "AAAA")
    refused = await forger.refused(document(name), input=inputs[name])
    assert refused == [("UNAUTHENTICATED", None)]
    assert await rows_of(brand) == before


@pytest.mark.parametrize("name", sorted(PAYLOADS.keys() - set(BY_OPERATORS)))
async def test_whoever_may_is_let_in_by_that_scope_alone(
    name: str, brand: Any, operator: Any, inputs: Any, as_token: Any, rows_of: Any
) -> None:
    if name == "removeTokenIssuer":
        await brand.admin.run(document("setTokenIssuer"), input=inputs["setTokenIssuer"])
    before = await rows_of(brand)
    # Reading the answer's config needs a scope of its own.
    client = as_token(Role.ADMIN, [SCOPES[name], "programs:read"])
    data = await client.run(document(name), input=inputs[name])
    assert data[name]["userErrors"] == []
    assert await rows_of(brand) != before


@pytest.mark.parametrize(
    "name",
    [
        "revokeApiKey", "updateProgram", "publishProgram", "rollBackProgram", "archiveProgram",
        "cancelBacktest",
        "updateWebhookEndpoint", "rotateWebhookSecret", "disableWebhookEndpoint",
        "enableWebhookEndpoint", "deleteWebhookEndpoint", "pingWebhookEndpoint",
        "replayWebhookDeliveries",
    ],
)  # fmt: skip
async def test_the_other_tenants_admin_finds_nothing_by_our_ids(
    name: str, brand: Any, make_brand: Any, operator: Any, inputs: Any, rows_of: Any
) -> None:
    other = await make_brand()
    ours, theirs = await rows_of(brand), await rows_of(other)
    for stranger in (other.admin, operator(other.slug)):
        field = "ids.0" if name == "replayWebhookDeliveries" else "id"
        assert await refusals(stranger, name, **inputs[name]) == [("NOT_FOUND", field)]
    assert (await rows_of(brand), await rows_of(other)) == (ours, theirs)


@pytest.mark.parametrize("query", QUERIES)
async def test_queries_answer_whom_they_may(
    query: str, brand: Any, anonymous: Any, as_token: Any
) -> None:
    name = query.split()[1].partition("(")[0]
    callers = {
        "service": as_token(Role.SERVICE),
        "member": as_token(Role.MEMBER),
        "partner": as_token(Role.PARTNER),
    }
    for role, client in callers.items():
        if role in CLOSED.get(name, set()):
            assert await client.refused(query) == [("FORBIDDEN", [name])]
        elif name == "programs" and role != "service":
            assert (await client.refused(query))[0][0] == "FORBIDDEN"
            await client.run(FULL_PROGRAM)
        else:
            await client.run(query)
    assert await anonymous.refused(query) == [("UNAUTHENTICATED", [name])]
    if name not in ("viewer", "tenant"):
        assert await as_token(Role.ADMIN, []).refused(query) == [("FORBIDDEN", [name])]


async def test_only_operators_list_tenants(brand: Any, operator: Any, as_token: Any) -> None:
    query = "{ tenants { edges { node { slug } } } }"
    for caller in (brand.admin, brand.service, brand.member("ada"), as_token(Role.PARTNER)):
        assert await caller.refused(query) == [("FORBIDDEN", ["tenants"])]
    await operator().run(query)


async def test_an_operator_without_a_tenant_is_told_to_name_one(operator: Any) -> None:
    for query in ("{ units { code } }", FULL_PROGRAM, "{ apiKeys { edges { cursor } } }"):
        answer = (await operator().post(query)).json()
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        assert "tenant" in answer["errors"][0]["message"]
