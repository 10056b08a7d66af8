"""Returns that come before their purchase, and a purchase that never comes."""

from typing import Any

from tests.graphql.documents import RECORD, RETURN, RETURNS


async def test_a_return_waits_for_its_purchase_and_no_longer_than_the_tenant_says(
    tell: Any,
) -> None:
    story = await tell("2026-01-05T10:00")
    await _brings_back(story, "soon", "r-1")
    await _brings_back(story, "never", "r-2")

    await story.comes("2026-01-12T09:59")
    assert await _listed(story, "PARKED") == ["r-1", "r-2"]
    await story.buys("10.00", externalId="soon")
    assert await story.available() == "0"
    await story.comes("2026-01-12T10:00")

    assert await _listed(story, "PARKED") == []
    assert await _listed(story, "APPLIED") == ["r-1"]
    assert await _listed(story, "ENDED") == ["r-2"]


async def test_a_purchase_that_comes_after_the_end_keeps_its_points(tell: Any) -> None:
    story = await tell("2026-01-05T10:00")
    await _brings_back(story, "late", "r-1")
    await story.comes("2026-01-13T10:00")

    await story.buys("10.00", externalId="late")

    assert await story.available() == "10"
    assert await _listed(story, "ENDED") == ["r-1"]


async def test_a_corrected_purchase_stands_in_place_of_the_one_before(tell: Any) -> None:
    story = await tell("2026-01-05T10:00")
    first = await story.buys("30.00", externalId="o-1")
    await story.comes("2026-01-06T10:00")

    corrected = await story.buys("20.00", externalId="o-1", revision=2)

    assert (first["revision"], corrected["revision"]) == (1, 2)
    assert await story.available() == "20"
    again = story.brand.purchase("ada", "30.00", externalId="o-1", occurredAt=first["occurredAt"])
    data = await story.brand.service.run(RECORD, input=again)
    assert data["recordPurchase"]["replayed"] is True
    assert await story.available() == "20"


async def _brings_back(story: Any, purchase: str, return_id: str) -> None:
    given = {
        "source": "shop", "returnId": return_id, "purchaseExternalId": purchase,
        "occurredAt": story.brand.now(),
    }  # fmt: skip
    payload = (await story.brand.service.run(RETURN, input=given))["reversePurchase"]
    assert payload["purchaseReturn"]["state"] == "PARKED"


async def _listed(story: Any, state: str) -> list[str]:
    data = await story.brand.service.run(RETURNS, state=state)
    return [edge["node"]["returnId"] for edge in data["returns"]["edges"]]
