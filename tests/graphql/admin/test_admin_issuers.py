"""Token issuers over the API."""

from typing import Any

import pytest

from .documents import ISSUER, done, refusals, trail

LOGIN = {
    "issuer": "https://login.example.com",
    "jwksUrl": "https://login.example.com/keys",
    "algorithms": ["RS256", "EdDSA"],
    "audience": "brand-app",
}
LIST = f"{{ tokenIssuers {{ {ISSUER} }} }}"


async def test_an_issuer_is_set_replaced_and_removed(brand: Any) -> None:
    assert (await done(brand.admin, "setTokenIssuer", **LOGIN))["issuer"] == LOGIN
    other = {**LOGIN, "algorithms": ["ES256"]}
    await done(brand.admin, "setTokenIssuer", **other)
    assert (await brand.admin.run(LIST))["tokenIssuers"] == [other]
    assert (await done(brand.admin, "removeTokenIssuer", issuer=LOGIN["issuer"]))["issuer"] is None
    assert (await brand.admin.run(LIST))["tokenIssuers"] == []
    assert [action for action, _ in await trail(brand.admin, first=3)] == [
        "issuer.remove",
        "issuer.set",
        "issuer.set",
    ]


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"issuer": "http://login.example.com"}, "BAD_USER_INPUT", "issuer"),
        ({"issuer": "https://login.example.com/é"}, "BAD_USER_INPUT", "issuer"),
        ({"jwksUrl": "https://user:pass@login.example.com"}, "BAD_USER_INPUT", "jwksUrl"),
        ({"jwksUrl": "https://login.example.com:22/"}, "BAD_USER_INPUT", "jwksUrl"),
        ({"algorithms": ["HS256"]}, "BAD_USER_INPUT", "algorithms"),
        ({"algorithms": []}, "BAD_USER_INPUT", "algorithms"),
        ({"audience": ""}, "BAD_USER_INPUT", "audience"),
        ({"audience": "x" * 501}, "BAD_USER_INPUT", "audience"),
    ],
)
async def test_a_bad_issuer_is_refused(
    brand: Any, rows_of: Any, given: Any, code: str, field: str
) -> None:
    before = await rows_of(brand)
    assert await refusals(brand.admin, "setTokenIssuer", **{**LOGIN, **given}) == [(code, field)]
    assert await rows_of(brand) == before


async def test_a_sixth_issuer_is_one_too_many(brand: Any) -> None:
    for number in range(5):
        await done(brand.admin, "setTokenIssuer", **{**LOGIN, "issuer": f"https://{number}.test"})
    sixth = await refusals(brand.admin, "setTokenIssuer", **LOGIN)
    assert sixth == [("LIMIT_EXCEEDED", "issuer")]


async def test_an_unknown_issuer_is_not_there(brand: Any, rows_of: Any) -> None:
    before = await rows_of(brand)
    for issuer in ("https://nobody.test", ""):
        refusal = [("NOT_FOUND", "issuer")]
        assert await refusals(brand.admin, "removeTokenIssuer", issuer=issuer) == refusal
    assert await rows_of(brand) == before
