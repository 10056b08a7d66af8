"""API keys over the API: shown once, no wider than who makes them, gone at once when revoked."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from loyalty_tenants.principal import Role
from loyalty_tenants.tokens import issue_token

from .documents import KEY, PAGE, document, done, refusals, trail

VIEWER = "{ viewer { role subject scopes } }"


def with_key(client: Any, secret: str) -> Any:
    return replace(client, credential=secret)


@pytest.fixture
def narrowed(brand: Any) -> Callable[..., Any]:
    """Makes an admin of the brand whose token names some scopes only."""

    def make(*scopes: str) -> Any:
        token = issue_token(
            secret=brand.secret.text, kid=str(brand.secret.kid), issuer=brand.slug,
            tenant=brand.slug, role=Role.ADMIN, subject="narrow", now=brand.clock.now(),
            lifetime=timedelta(hours=1), scopes=scopes,
        )  # fmt: skip
        return replace(brand.admin, credential=token)

    return make


async def test_a_key_does_what_it_was_made_for(brand: Any) -> None:
    made = await done(
        brand.admin, "createApiKey", role="SERVICE", client="till", label="Till 4",
        scopes=["members:read", "programs:read"], expiresAt="2027-01-01T00:00:00Z",
    )  # fmt: skip
    key = made["apiKey"]
    assert made["secret"].startswith(f"loy_live_{key['prefix']}_")
    assert (key["role"], key["client"], key["label"]) == ("SERVICE", "till", "Till 4")
    assert key["scopes"] == ["members:read", "programs:read"]
    assert (key["expiresAt"], key["revokedAt"]) == ("2027-01-01T00:00:00Z", None)
    till = with_key(brand.admin, made["secret"])
    assert (await till.run(VIEWER))["viewer"] == {
        "role": "SERVICE",
        "subject": "till",
        "scopes": ["members:read", "programs:read"],
    }
    assert (await trail(brand.admin, first=1))[0][0] == "key.create"


async def test_a_revoked_key_stops_working_at_once(brand: Any) -> None:
    made = await done(brand.admin, "createApiKey", role="ADMIN", client="second")
    second = with_key(brand.admin, made["secret"])
    for _ in range(3):
        await second.run(VIEWER)
    revoked = await done(brand.admin, "revokeApiKey", id=made["apiKey"]["id"])
    assert revoked["apiKey"]["revokedAt"] is not None
    answer = await second.post(VIEWER)
    assert answer.status_code == 401
    assert await second.refused(VIEWER) == [("UNAUTHENTICATED", None)]
    again = await done(brand.admin, "revokeApiKey", id=made["apiKey"]["id"])
    assert again["apiKey"]["revokedAt"] == revoked["apiKey"]["revokedAt"]
    assert [action for action, _ in await trail(brand.admin, first=3)] == [
        "key.revoke",
        "key.revoke",
        "key.create",
    ]


async def test_another_process_refuses_a_revoked_key_within_a_second(
    brand: Any, make_server: Any
) -> None:
    elsewhere = await make_server()
    made = await done(brand.admin, "createApiKey", role="ADMIN", client="second")
    there = replace(with_key(brand.admin, made["secret"]), url=elsewhere.url)
    await there.run(VIEWER)
    await done(brand.admin, "revokeApiKey", id=made["apiKey"]["id"])
    async with asyncio.timeout(1.5):
        while (await there.post(VIEWER)).status_code == 200:
            await asyncio.sleep(0.02)
    assert await there.refused(VIEWER) == [("UNAUTHENTICATED", None)]


async def test_a_key_can_revoke_itself(brand: Any) -> None:
    made = await done(brand.admin, "createApiKey", role="ADMIN", client="second")
    second = with_key(brand.admin, made["secret"])
    await done(second, "revokeApiKey", id=made["apiKey"]["id"])
    assert await second.refused(VIEWER) == [("UNAUTHENTICATED", None)]


async def test_an_operator_makes_keys_for_the_tenant_of_the_token(
    brand: Any, operator: Any
) -> None:
    made = await done(operator(brand.slug), "createApiKey", role="ADMIN", client="rescue")
    rescue = with_key(brand.admin, made["secret"])
    data = await rescue.run("{ viewer { tenant { slug } } }")
    assert data["viewer"]["tenant"]["slug"] == brand.slug
    await done(operator(brand.slug), "revokeApiKey", id=made["apiKey"]["id"])
    assert await rescue.refused(VIEWER) == [("UNAUTHENTICATED", None)]


async def test_a_key_is_never_wider_than_who_made_it(
    narrowed: Any, brand: Any, rows_of: Any
) -> None:
    keeper = narrowed("keys:write", "members:read")
    made = await done(keeper, "createApiKey", role="ADMIN", client="mine")
    assert made["apiKey"]["scopes"] == ["keys:write", "members:read"]
    before = await rows_of(brand)
    wider = {"role": "SERVICE", "client": "other", "scopes": ["members:read", "members:write"]}
    answer = (await keeper.post(document("createApiKey"), {"input": wider})).json()
    error = answer["errors"][0]["extensions"]
    assert (error["code"], error["field"]) == ("FORBIDDEN", "scopes.1")
    assert await rows_of(brand) == before


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"role": "MEMBER"}, "BAD_USER_INPUT", "role"),
        ({"role": "OPERATOR"}, "BAD_USER_INPUT", "role"),
        ({"client": ""}, "BAD_USER_INPUT", "client"),
        ({"client": "x" * 61}, "BAD_USER_INPUT", "client"),
        ({"label": "\n"}, "BAD_USER_INPUT", "label"),
        ({"scopes": ["members:raed"]}, "BAD_USER_INPUT", "scopes.0"),
        ({"expiresAt": "2025-12-31T00:00:00Z"}, "BAD_USER_INPUT", "expiresAt"),
    ],
)
async def test_a_bad_key_is_refused(
    brand: Any, rows_of: Any, given: Any, code: str, field: str
) -> None:
    before = await rows_of(brand)
    asked = {"role": "SERVICE", "client": "till", **given}
    assert await refusals(brand.admin, "createApiKey", **asked) == [(code, field)]
    assert await rows_of(brand) == before


@pytest.mark.parametrize(("role", "scope"), [("SERVICE", "keys:write"), ("ADMIN", "tenants:write")])
async def test_no_role_holds_what_it_must_not(
    brand: Any, rows_of: Any, role: str, scope: str
) -> None:
    before = await rows_of(brand)
    given = {"role": role, "client": "till", "scopes": [scope]}
    codes = await brand.admin.refused(document("createApiKey"), input=given)
    assert codes == [("FORBIDDEN", ["createApiKey"])]
    assert await rows_of(brand) == before


async def test_a_client_has_two_keys_and_no_third(brand: Any, rows_of: Any) -> None:
    given = {"role": "SERVICE", "client": "till"}
    first = await done(brand.admin, "createApiKey", **given)
    await done(brand.admin, "createApiKey", **given)
    before = await rows_of(brand)
    assert await refusals(brand.admin, "createApiKey", **given) == [("LIMIT_EXCEEDED", "client")]
    assert await rows_of(brand) == before
    await done(brand.admin, "revokeApiKey", id=first["apiKey"]["id"])
    await done(brand.admin, "createApiKey", **given)


async def test_another_tenants_key_is_not_there(make_brand: Any, rows_of: Any) -> None:
    ours, theirs = await make_brand(config=None), await make_brand(config=None)
    made = await done(ours.admin, "createApiKey", role="SERVICE", client="till")
    before = await rows_of(ours)
    for ident in (made["apiKey"]["id"], "nonsense"):
        assert await refusals(theirs.admin, "revokeApiKey", id=ident) == [("NOT_FOUND", "id")]
    assert await rows_of(ours) == before
    await with_key(ours.admin, made["secret"]).run(VIEWER)


async def test_keys_are_paged_both_ways(brand: Any) -> None:
    for number in range(3):
        await done(brand.admin, "createApiKey", role="SERVICE", client=f"till-{number}")
    query = f"""query($first: Int, $after: String, $last: Int, $before: String) {{
      apiKeys(first: $first, after: $after, last: $last, before: $before) {{
        edges {{ node {{ {KEY} }} }} {PAGE} }} }}"""

    async def page(**given: Any) -> tuple[list[str], Any]:
        found = (await brand.admin.run(query, **given))["apiKeys"]
        return [edge["node"]["client"] for edge in found["edges"]], found["pageInfo"]

    clients, info = await page(first=2)
    assert (clients, info["hasNextPage"]) == (["till-2", "till-1"], True)
    rest, end = await page(first=10, after=info["endCursor"])
    assert (rest, end["hasNextPage"]) == (["till-0", "shop", "admin"], False)
    back, info = await page(last=2, before=end["endCursor"])
    assert (back, info["hasPreviousPage"]) == (["till-0", "shop"], True)
