"""Purchases told anew, and why: with time passing in between."""

from datetime import timedelta
from typing import Any

from tests.graphql.brand import POINTS
from tests.graphql.documents import CORRECT, RECORD

BASE = POINTS["rules"][0]  # type: ignore[index]


async def test_the_version_of_that_day_explains(tell: Any) -> None:
    story = await tell("2026-01-05T10:00")
    purchase = await story.buys("34.00", currency="EUR")
    before = await story.why(purchase)
    await story.comes("2026-01-06T10:00")

    await story.brand.run_program("later", {"unit": "points", "rules": [BASE]})

    assert await story.why(purchase) == before
    assert [one["cutBy"] for one in before] == ["CURRENCY_NOT_RATED"]


async def test_a_purchase_is_corrected(make_brand: Any) -> None:
    brand = await make_brand(config=POINTS)
    await brand.enroll("ada")
    await brand.enroll("bob")
    first = brand.purchase("ada", "60.00", externalId="o-1")
    await brand.service.run(RECORD, input=first)
    brand.clock.at += timedelta(days=2)
    basket = {"source": "shop", "externalId": "o-1", "currency": "USD", "total": "20.00"}

    async def corrected(**given: Any) -> Any:
        data = await brand.service.run(CORRECT, input={**basket, **given})
        return data["correctPurchase"]

    done = await corrected(revision=3)
    again = await corrected(revision=3)
    older = await corrected(revision=2)
    late = await corrected(revision=2, total="21.00")
    refused = [
        await corrected(**given)
        for given in (
            {"revision": 3, "total": "21.00"},
            {"revision": 1, "total": "60.01"},
            {"revision": 4, "externalId": "o-2"},
            {"revision": 4, "member": {"externalId": "bob"}},
            {"revision": 0},
        )
    ]
    original = await corrected(revision=1, total="60.00")

    assert done["purchase"]["occurredAt"] == "2026-01-01T17:00:00Z"
    assert (done["purchase"]["revision"], done["replayed"]) == (3, False)
    assert [one["amount"] for one in done["purchase"]["takenBack"]] == ["60"]
    assert [one["amount"] for one in done["purchase"]["earned"]] == ["20"]
    for one in (again, older, late):
        assert (one["replayed"], one["purchase"]["id"]) == (True, done["purchase"]["id"])
    assert (original["replayed"], original["purchase"]["revision"]) == (True, 1)
    assert [(one["userErrors"][0]["code"], one["userErrors"][0]["field"]) for one in refused] == [
        ("PURCHASE_CHANGED", "lines.0.amount"), ("PURCHASE_CHANGED", "lines.0.amount"),
        ("NOT_FOUND", "externalId"), ("NOT_FOUND", "revision"), ("BAD_USER_INPUT", "revision"),
    ]  # fmt: skip
    assert refused[0]["userErrors"][0]["details"] == {
        "differs": ["lines.0.amount", "tenders.0.amount", "total"]
    }
