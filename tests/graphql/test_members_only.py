"""A member sees and acts on themselves only; a partner sees nobody."""

from typing import Any

import pytest

from loyalty_tenants.principal import Role
from tests.graphql.documents import (
    BALANCE_OF,
    MEMBER,
    NODE,
    PREVIEW,
    PURCHASE_OF,
    RECORD,
    REDEEM,
    REDEMPTION_OF,
    RELEASE,
)
from tests.graphql.watcher import watching

WATCH = "subscription($m: MemberRef!) { balanceChanged(member: $m) { cause } }"


@pytest.fixture
async def two(brand: Any) -> dict[str, Any]:
    """Ada and Bob, each with a card, a purchase and an open redemption."""
    ids: dict[str, Any] = {}
    for name in ("ada", "bob"):
        ids[name] = await brand.enroll(name, [f"{name}-card"])
        given = brand.purchase(name, "50.00")
        data = await brand.service.run(RECORD, input=given)
        ids[f"{name}-key"] = given["externalId"]
        ids[f"{name}-purchase"] = data["recordPurchase"]["purchase"]["id"]
        held = await brand.service.run(REDEEM, input=_redeem(brand, {"externalId": name}))
        ids[f"{name}-redemption"] = held["redeemPoints"]["redemption"]["id"]
    return ids


async def test_members_find_themselves_by_every_name_and_nobody_else(brand: Any, two: Any) -> None:
    ada = brand.member("ada")
    for own in ({"externalId": "ada"}, {"identifier": "ada-card"}, {"id": two["ada"]}):
        assert (await ada.run(MEMBER, by=own))["member"]["externalId"] == "ada"
        assert (await ada.run(BALANCE_OF, by=own, unit="points"))["member"]["balance"]

    for other in (*_names(two), {"externalId": "ghost"}, {"id": "garbage"}):
        assert await ada.run(MEMBER, by=other) == {"member": None}
    for kind in ("", "-purchase", "-redemption"):
        assert (await ada.run(NODE, id=two[f"ada{kind}"]))["node"]["id"] == two[f"ada{kind}"]
        assert await ada.run(NODE, id=two[f"bob{kind}"]) == {"node": None}
    for who, found in (("ada", True), ("bob", False)):
        data = await ada.run(PURCHASE_OF, source="shop", externalId=two[f"{who}-key"])
        assert (data["purchase"] is not None) is found
        data = await ada.run(REDEMPTION_OF, id=two[f"{who}-redemption"])
        assert (data["redemption"] is not None) is found


async def test_members_spend_and_release_what_is_theirs(brand: Any, two: Any, rows: Any) -> None:
    ada, before = brand.member("ada"), await rows.of(brand.tenant_id)
    for other in (*_names(two), {"externalId": "ghost"}):
        data = await ada.run(REDEEM, input=_redeem(brand, other))
        assert _told(data["redeemPoints"]) == ("MEMBER_NOT_FOUND", "member")
        data = await ada.run(PREVIEW, input={**brand.purchase("x", "5.00"), "member": other})
        assert _told(data["previewPurchase"]) == ("MEMBER_NOT_FOUND", "member")
    for redemption in (two["bob-redemption"], "garbage"):
        data = await ada.run(RELEASE, input=_release(brand, redemption))
        assert _told(data["releaseRedemption"]) == ("NOT_FOUND", "redemption")
    assert await rows.of(brand.tenant_id) == before

    data = await ada.run(RELEASE, input=_release(brand, two["ada-redemption"]))
    assert data["releaseRedemption"]["redemption"]["state"] == "RELEASED"
    data = await ada.run(REDEEM, input=_redeem(brand, {"identifier": "ada-card"}))
    assert data["redeemPoints"]["redemption"]["member"]["externalId"] == "ada"


async def test_members_watch_themselves_only(brand: Any, two: Any) -> None:
    async with watching(brand.member("ada")) as watcher:
        for name in (*_names(two), {"externalId": "ghost"}):
            await watcher.ask("1", WATCH, {"m": name})
            heard = await watcher.hear()
            assert heard["type"] == "error"
            [error] = heard["payload"]
            assert error["extensions"] == {"code": "MEMBER_NOT_FOUND", "field": "member"}


async def test_a_token_of_somebody_who_is_no_member_finds_nothing(brand: Any, two: Any) -> None:
    ghost = brand.member("ghost")

    assert await ghost.run(MEMBER, by={"externalId": "ghost"}) == {"member": None}
    assert await ghost.run(NODE, id=two["bob"]) == {"node": None}
    data = await ghost.run(REDEEM, input=_redeem(brand, {"externalId": "ghost"}))
    assert _told(data["redeemPoints"]) == ("MEMBER_NOT_FOUND", "member")
    data = await ghost.run(RELEASE, input=_release(brand, two["bob-redemption"]))
    assert _told(data["releaseRedemption"]) == ("NOT_FOUND", "redemption")


async def test_members_do_not_see_why_nor_what_needs_another_scope(brand: Any, two: Any) -> None:
    ada, key = brand.member("ada"), {"source": "shop", "externalId": two["ada-key"]}
    for field, part in (("decisions", "rule"), ("decisionInputs", "program")):
        why = f"""query($k: String!) {{
          purchase(source: "shop", externalId: $k) {{ {field} {{ {part} }} }} }}"""
        assert await ada.refused(why, k=key["externalId"]) == [("FORBIDDEN", ["purchase", field])]

    spends_only = brand.token(Role.MEMBER, "ada", ["self:redeem"])
    assert await spends_only.run(NODE, id=two["ada"]) == {"node": None}
    refused = await spends_only.post(REDEEM, {"input": _redeem(brand, {"externalId": "ada"})})
    answer = refused.json()
    assert answer["data"]["redeemPoints"]["redemption"]["member"] is None
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]


async def test_a_partner_does_not_see_the_member_behind_a_purchase(brand: Any, two: Any) -> None:
    partner = brand.token(Role.PARTNER, "grocer")

    answer = (await partner.post(RECORD, {"input": brand.purchase("ada", "3.00")})).json()

    payload = answer["data"]["recordPurchase"]
    assert payload["purchase"]["earned"][0]["amount"] == "3"
    assert payload["purchase"]["member"] is None
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert error["path"] == ["recordPurchase", "purchase", "member"]


def _names(two: Any) -> list[dict[str, str]]:
    return [{"externalId": "bob"}, {"identifier": "bob-card"}, {"id": two["bob"]}]


def _redeem(brand: Any, member: Any) -> dict[str, Any]:
    return {
        "member": member, "amount": "10", "unit": "points", "program": "points",
        "idempotencyKey": brand.key(),
    }  # fmt: skip


def _release(brand: Any, redemption: str) -> dict[str, Any]:
    return {"redemption": redemption, "idempotencyKey": brand.key()}


def _told(payload: Any) -> tuple[str, str]:
    [error] = payload["userErrors"]
    return error["code"], error["field"]
