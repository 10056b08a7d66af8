"""Previews over the API: for members and guests, with the reasons, at any instant for admins."""

from datetime import timedelta
from typing import Any

from tests.graphql.brand import POINTS
from tests.graphql.documents import PREVIEW_ACTIVITY, PREVIEW_WHY, RECORD

BASE = POINTS["rules"][0]  # type: ignore[index]
TWO = {
    "unit": "points",
    "rules": [BASE, {**BASE, "id": "big", "minimum_purchase": {"USD": "50.00"}}],
}
BASKET = {"currency": "USD", "total": "20.00"}


async def previewed(client: Any, **given: Any) -> Any:
    return (await client.run(PREVIEW_WHY, input={**BASKET, **given}))["previewPurchase"]


async def test_a_guest_sees_what_they_would_earn_and_why_not_more(
    make_brand: Any, rows: Any
) -> None:
    brand = await make_brand(config=TWO)
    await brand.enroll("ada")
    before = await rows.of(brand.tenant_id)

    guest = await previewed(brand.admin)
    member = await previewed(brand.admin, member={"externalId": "ada"})

    assert guest == member
    assert guest["earned"] == [{"unit": "points", "amount": "20", "label": "1 point per dollar"}]
    told = [
        (one["rule"], one["fired"], one["granted"], one["reason"]) for one in guest["decisions"]
    ]
    assert told == [("base", True, "20", None), ("big", False, "0", "MINIMUM_PURCHASE")]
    assert (guest["byChance"], guest["userErrors"]) == ([], [])
    assert await rows.of(brand.tenant_id) == before


async def test_only_admins_ask_about_any_instant(make_brand: Any) -> None:
    brand = await make_brand(config=TWO)
    soon = (brand.clock.now() + timedelta(days=40)).isoformat()
    long_ago = (brand.clock.now() - timedelta(days=300)).isoformat()

    future = await previewed(brand.admin, occurredAt=soon)
    past = await previewed(brand.admin, occurredAt=long_ago)
    refused = [
        (await brand.service.run(
            PREVIEW_WHY.replace(DECISIONS, ""), input={**BASKET, "occurredAt": at}
        ))["previewPurchase"]["userErrors"]
        for at in (soon, long_ago)
    ]  # fmt: skip

    assert [one["amount"] for one in future["earned"]] == ["20"]
    assert past["earned"] == past["decisions"] == []  # no program was in force
    assert [one[0]["code"] for one in refused] == ["TOO_EARLY", "TOO_LATE"]


DECISIONS = "decisions { program rule fired wanted granted cutBy reason explanation part values }"


async def test_a_preview_of_a_correction_and_of_what_is_recorded(make_brand: Any) -> None:
    brand = await make_brand(config=TWO)
    await brand.enroll("ada")
    given = brand.purchase("ada", "60.00", externalId="o-1")
    await brand.service.run(RECORD, input=given)
    name = {"member": {"externalId": "ada"}, "source": "shop", "externalId": "o-1"}

    same = await previewed(brand.admin, **{**name, "total": "60.00", "occurredAt": brand.now()})
    corrected = await previewed(brand.admin, **name, revision=2)

    assert [one["amount"] for one in same["earned"]] == ["60", "60"]
    assert [one["fired"] for one in same["decisions"]] == [True, True]
    assert [one["amount"] for one in corrected["takenBack"]] == ["60", "60"]
    assert [one["amount"] for one in corrected["earned"]] == ["20"]


async def test_a_member_previews_for_themselves_and_for_a_guest_only(make_brand: Any) -> None:
    brand = await make_brand(config=TWO)
    for who in ("ada", "bob"):
        await brand.enroll(who)
    ada = brand.member("ada")
    document = PREVIEW_WHY.replace(DECISIONS, "")

    told = [
        (await ada.run(document, input={**BASKET, **given}))["previewPurchase"]
        for given in ({}, {"member": {"externalId": "ada"}}, {"member": {"externalId": "bob"}})
    ]

    assert [[one["amount"] for one in each["earned"]] for each in told] == [["20"], ["20"], []]
    assert told[2]["userErrors"][0]["code"] == "MEMBER_NOT_FOUND"
    assert await ada.refused(PREVIEW_WHY, input=BASKET) == [
        ("FORBIDDEN", ["previewPurchase", "decisions"])
    ]


async def test_an_activity_is_previewed_too(make_brand: Any, rows: Any) -> None:
    brand = await make_brand(config=TWO)
    before = await rows.of(brand.tenant_id)

    data = await brand.admin.run(PREVIEW_ACTIVITY, input={"type": "check_in"})
    bad = await brand.admin.run(
        PREVIEW_ACTIVITY, input={"type": "check_in", "member": {"externalId": "nobody"}}
    )

    assert data["previewActivity"] == {
        "earned": [], "byChance": [], "decisions": [], "userErrors": []
    }  # fmt: skip
    assert bad["previewActivity"]["userErrors"][0]["code"] == "MEMBER_NOT_FOUND"
    assert await rows.of(brand.tenant_id) == before


async def test_what_luck_decides_is_said_and_not_drawn(make_brand: Any) -> None:
    rule = {"id": "check-in", "label": "Hello", "accounting_class": "MARKETING", "points": "5",
            "activities": ["check_in"], "count": "visit"}  # fmt: skip
    lucky = {
        **rule, "id": "luck", "points": "0",
        "chance": {"odds": "2026", "probability": "1", "prizes": [{"points": "9", "weight": "1"}]},
    }  # fmt: skip
    other = {**rule, "id": "review", "activities": ["review"]}
    config = {"unit": "points", "rules": [rule, lucky, other]}
    brand = await make_brand(config=config)

    data = await brand.admin.run(PREVIEW_ACTIVITY, input={"type": "check_in"})

    seen = data["previewActivity"]
    assert [one["amount"] for one in seen["earned"]] == ["5"]
    assert seen["byChance"] == [{"program": "points", "label": "luck/2026"}]
    assert [(one["rule"], one["fired"], one["reason"]) for one in seen["decisions"]] == [
        ("check-in", True, None), ("luck", False, "BY_CHANCE"),
    ]  # fmt: skip
    assert seen["decisions"][1]["explanation"] == (
        "luck decides, at odds of 1: a preview draws nothing"
    )
