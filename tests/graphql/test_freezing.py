"""A frozen member earns as before and spends nothing, until somebody unfreezes them."""

from datetime import timedelta
from typing import Any

import pytest

from loyalty_tenants.principal import Role
from tests.graphql.desk_documents import available, done, refusal
from tests.graphql.documents import ACTIVITY, CAPTURE, RECORD, REDEEM

MEMBER = (
    """query($who: String!) { member(by: {externalId: $who}) { status frozen { reason by } } }"""
)
TRAIL = "{ auditTrail(first: 2) { edges { node { action subject actor details } } } }"
ADA = {"externalId": "ada"}


async def redeemed(brand: Any, client: Any, amount: str = "10", **more: Any) -> Any:
    given = {
        "member": ADA, "amount": amount, "unit": "points", "program": "points",
        "idempotencyKey": brand.key(), **more,
    }  # fmt: skip
    return (await client.run(REDEEM, input=given))["redeemPoints"]


async def test_a_frozen_member_earns_and_spends_nothing(brand: Any) -> None:
    await brand.enroll("ada")
    await brand.service.run(RECORD, input=brand.purchase("ada", "50.00"))
    held = (await redeemed(brand, brand.service))["redemption"]

    frozen = await done(brand.admin, "freezeMember", member=ADA, reason="Card reported stolen")

    assert frozen["member"]["status"] == "FROZEN"
    assert frozen["member"]["frozen"]["reason"] == "Card reported stolen"
    recorded = await brand.service.run(RECORD, input=brand.purchase("ada", "7.00"))
    assert [one["amount"] for one in recorded["recordPurchase"]["purchase"]["earned"]] == ["7"]
    assert await available(brand, "ada") == "47"
    for client in (brand.service, brand.member("ada"), brand.admin):
        error = (await redeemed(brand, client))["userErrors"][0]
        assert (error["code"], error["field"]) == ("MEMBER_FROZEN", "member")
    given = {"redemption": held["id"], "idempotencyKey": brand.key()}
    captured = (await brand.service.run(CAPTURE, input=given))["captureRedemption"]
    assert captured["userErrors"] == [], "what was reserved before comes to its end"
    adjusted = await done(
        brand.admin, "adjustBalance", member=ADA, unit="points", amount="-7",
        reasonCode="FRAUD", idempotencyKey=brand.key(),
    )  # fmt: skip
    assert adjusted["balance"]["available"] == "40", "staff may correct"

    thawed = await done(brand.admin, "unfreezeMember", member=ADA, reason="Card replaced")
    assert thawed["member"] == {"status": "ACTIVE", "frozen": None}
    assert (await redeemed(brand, brand.member("ada"), "40", capture=True))["userErrors"] == []
    assert await available(brand, "ada") == "0"


async def test_what_is_done_twice_or_without_need_is_told(brand: Any) -> None:
    await brand.enroll("ada")
    unfreeze, freeze = "unfreezeMember", "freezeMember"
    assert await refusal(brand.admin, unfreeze, member=ADA) == ("NOT_FROZEN", "member")
    await done(brand.admin, freeze, member=ADA, reason="x")
    assert await refusal(brand.admin, freeze, member=ADA, reason="x") == ("MEMBER_FROZEN", "member")
    assert await refusal(brand.admin, freeze, member={"externalId": "eve"}, reason="x") == (
        "MEMBER_NOT_FOUND", "member",
    )  # fmt: skip
    assert (await refusal(brand.admin, freeze, member=ADA, reason=""))[1] == "reason"


async def test_why_is_for_staff_to_read_and_who_did_it_is_kept(brand: Any) -> None:
    await brand.enroll("ada")
    clerk = brand.token(Role.ADMIN, "clerk")
    await done(clerk, "freezeMember", member=ADA, reason="Suspicion")

    shown = (await brand.admin.run(MEMBER, who="ada"))["member"]
    assert shown == {"status": "FROZEN", "frozen": {"reason": "Suspicion", "by": "admin:clerk"}}
    assert await brand.member("ada").refused(MEMBER, who="ada") == [
        ("FORBIDDEN", ["member", "frozen"])
    ]
    entry = (await brand.admin.run(TRAIL))["auditTrail"]["edges"][0]["node"]
    assert (entry["action"], entry["actor"]) == ("member.freeze", "clerk")
    assert entry["details"] == {"reason": "Suspicion"}


@pytest.mark.parametrize("role", [Role.SERVICE, Role.MEMBER])
async def test_who_may_not_does_not_freeze(brand: Any, role: Role) -> None:
    await brand.enroll("ada")
    with pytest.raises(AssertionError, match="FORBIDDEN"):
        await done(brand.token(role, "ada"), "freezeMember", member=ADA, reason="x")
    till = brand.token(Role.SERVICE, "till", ["members:freeze", "members:read"])
    await done(till, "freezeMember", member=ADA, reason="x")


async def test_an_activity_of_a_frozen_member_is_recorded_and_points_still_end(brand: Any) -> None:
    await brand.enroll("ada")
    await brand.service.run(RECORD, input=brand.purchase("ada", "50.00"))
    await done(brand.admin, "freezeMember", member=ADA, reason="x")
    given = {
        "member": ADA, "source": "app", "externalId": "a-1", "type": "checkin",
        "occurredAt": brand.now(),
    }  # fmt: skip
    assert (await brand.service.run(ACTIVITY, input=given))["recordActivity"]["userErrors"] == []
    before = brand.clock.now()
    try:
        brand.clock.at = before + timedelta(days=366)
        admin = brand.token(Role.ADMIN, "clerk")
        data = await admin.run(
            '{ member(by: {externalId: "ada"}) { balance(unit: "points") { available } } }'
        )
        assert data["member"]["balance"]["available"] == "0"
    finally:
        brand.clock.at = before
