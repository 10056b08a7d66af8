"""The tenant's own settings over the API, and who the caller is."""

from dataclasses import replace
from typing import Any

import pytest

from .documents import QUERIES, TENANT, done, refusals, trail

VIEWER = QUERIES[0]
OWN = f"{{ tenant {{ {TENANT} }} }}"


async def test_settings_change_one_by_one(make_brand: Any) -> None:
    brand = await make_brand(config=None)
    before = (await brand.admin.run(OWN))["tenant"]
    change = {
        "name": "Brand & Co",
        "zone": "Europe/Madrid",
        "currencies": ["EUR"],
        "totalTolerance": 2,
        "backdatingSeconds": 3600,
        "aheadSeconds": 0,
        "parkingSeconds": 86400,
        "enrollOnPurchase": True,
    }
    for name, value in change.items():
        after = (await done(brand.admin, "updateTenant", **{name: value}))["tenant"]
        assert after == {**before, name: value}
        before = after
    assert (await brand.service.run(OWN))["tenant"] == before
    assert await trail(brand.admin, first=8) == [("tenant.update", f"tenant:{brand.slug}")] * 8


async def test_a_setting_counts_from_the_next_request_on(brand: Any) -> None:
    record = """mutation($input: RecordPurchaseInput!) { recordPurchase(input: $input) {
      userErrors { code } } }"""
    purchase = brand.purchase("stranger", "10.00")
    data = await brand.service.run(record, input=purchase)
    assert data["recordPurchase"]["userErrors"] == [{"code": "MEMBER_NOT_FOUND"}]
    await done(brand.admin, "updateTenant", enrollOnPurchase=True)
    data = await brand.service.run(record, input=purchase)
    assert data["recordPurchase"]["userErrors"] == []


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"name": ""}, "BAD_USER_INPUT", "name"),
        ({"zone": "Europe/Nowhere"}, "BAD_USER_INPUT", "zone"),
        ({"currencies": ["EUR", "XYZ"]}, "CURRENCY_NOT_LISTED", "currencies.1"),
        ({"totalTolerance": -1}, "BAD_AMOUNT", "totalTolerance"),
        ({"backdatingSeconds": -1}, "BAD_USER_INPUT", "backdatingSeconds"),
        ({"aheadSeconds": 86401}, "BAD_USER_INPUT", "aheadSeconds"),
        ({"parkingSeconds": 2**31 - 1}, "BAD_USER_INPUT", "parkingSeconds"),
        ({"name": "Fine", "zone": "../etc/passwd"}, "BAD_USER_INPUT", "zone"),
    ],
)
async def test_a_bad_setting_is_refused(
    brand: Any, rows_of: Any, given: Any, code: str, field: str
) -> None:
    before = await rows_of(brand)
    assert await refusals(brand.admin, "updateTenant", **given) == [(code, field)]
    assert await rows_of(brand) == before


async def test_everybody_learns_who_they_are(brand: Any, operator: Any) -> None:
    member = (await brand.member("ada").run(VIEWER))["viewer"]
    assert (member["role"], member["subject"]) == ("MEMBER", "ada")
    assert member["scopes"] == ["programs:read", "self:read", "self:redeem", "self:write"]
    assert member["expiresAt"] == "2026-01-01T18:00:00Z"
    assert member["tenant"]["slug"] == brand.slug
    admin = (await brand.admin.run(VIEWER))["viewer"]
    assert (admin["role"], admin["subject"], admin["expiresAt"]) == ("ADMIN", "admin", None)
    service = (await brand.service.run(VIEWER))["viewer"]
    assert (service["role"], service["subject"]) == ("SERVICE", "shop")
    key = await done(brand.admin, "createApiKey", role="PARTNER", client="airline")
    partner = await replace(brand.admin, credential=key["secret"]).run(VIEWER)
    assert partner["viewer"]["role"] == "PARTNER"
    assert (await operator().run(VIEWER))["viewer"]["tenant"] is None
    bound = (await operator(brand.slug).run(VIEWER))["viewer"]
    assert (bound["role"], bound["tenant"]["slug"]) == ("OPERATOR", brand.slug)


async def test_nobody_is_nobody(anonymous: Any) -> None:
    assert await anonymous.refused("{ viewer { role } }") == [("UNAUTHENTICATED", ["viewer"])]


async def test_only_operators_see_other_tenants(make_brand: Any, operator: Any) -> None:
    ours, theirs = await make_brand(config=None), await make_brand(config=None)
    by_slug = "query($slug: String!) { tenant(slug: $slug) { slug } }"
    for caller in (ours.admin, ours.service, ours.member("ada")):
        assert (await caller.run(by_slug, slug=ours.slug))["tenant"] == {"slug": ours.slug}
        for other in (theirs.slug, "no-such", "a b"):
            assert (await caller.run(by_slug, slug=other))["tenant"] is None
    for caller in (operator(), operator(ours.slug)):
        assert (await caller.run(by_slug, slug=theirs.slug))["tenant"] == {"slug": theirs.slug}
        for other in ("no-such", "a b", "x" * 4000):
            assert (await caller.run(by_slug, slug=other))["tenant"] is None
    assert (await operator().run(OWN))["tenant"] is None
