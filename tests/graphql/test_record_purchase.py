"""One purchase over HTTP, from the input to the points."""

from typing import Any

RECORD = """
mutation($input: RecordPurchaseInput!) {
  recordPurchase(input: $input) {
    replayed
    purchase {
      id total currency earned { unit amount label availableAt expiresAt }
      member { externalId balances { unit available } }
      versions { unit version }
    }
    userErrors { code field message details retryable }
  }
}"""


async def test_a_purchase_gives_points_and_a_balance(brand: Any) -> None:
    await brand.enroll("ada")

    data = await brand.service.run(RECORD, input=brand.purchase("ada", "12.99"))

    payload = data["recordPurchase"]
    assert payload["userErrors"] == []
    assert payload["replayed"] is False
    purchase = payload["purchase"]
    assert purchase["earned"] == [
        {
            "unit": "points",
            "amount": "12",
            "label": "1 point per dollar",
            "availableAt": "2026-01-01T17:00:00Z",
            "expiresAt": "2027-01-01T17:00:00Z",
        }
    ]
    assert purchase["member"] == {
        "externalId": "ada",
        "balances": [{"unit": "points", "available": "12"}],
    }


async def test_the_same_purchase_again_is_a_replay_with_the_same_answer(brand: Any) -> None:
    await brand.enroll("ada")
    purchase = brand.purchase("ada", "5.00")

    first = (await brand.service.run(RECORD, input=purchase))["recordPurchase"]
    again = (await brand.service.run(RECORD, input=purchase))["recordPurchase"]

    assert again.pop("replayed") is True
    assert first.pop("replayed") is False
    assert again == first
