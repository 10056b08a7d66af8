"""A stamp for each coffee, and the tenth is free: as the page on points says."""

from typing import Any

CARD = {
    "unit": "stamps",
    "rules": [
        {
            "id": "cup", "label": "A stamp for each coffee", "accounting_class": "MATERIAL_RIGHT",
            "count": "quantity", "points": "1", "include": {"categories": ["coffee"]},
            "exclude": {"attributes": {"reward": ["free"]}},
        }
    ],
    "rewards": [
        {"id": "tenth", "label": "Your tenth coffee", "cost": "9", "kind": "item",
         "item": "COFFEE"},
    ],
}  # fmt: skip


def coffees(count: int, **more: Any) -> dict[str, Any]:
    return {
        "id": "coffee", "category": "coffee/latte", "quantity": str(count), "sku": "COFFEE",
        "amount": f"{3 * count}.00", **more,
    }  # fmt: skip


async def test_the_tenth_coffee_is_free_and_earns_no_stamp(tell: Any) -> None:
    story = await tell("2026-01-05T08:00", CARD)
    await story.buys("13.00", lines=[coffees(3), {"id": "cake", "amount": "4.00"}])
    third = await story.buys("18.00", lines=[coffees(6)])
    assert await story.available() == "9"

    await story.brings_back(third, {"id": "coffee", "quantity": "1"})
    [short] = (await story.asks_for(reward="tenth"))["userErrors"]
    await story.buys("3.00", lines=[coffees(1)])
    await story.redeems(reward="tenth", capture=True)
    free = coffees(1, id="free", discount="3.00", attributes={"reward": "free"})
    last = await story.buys("3.00", lines=[free, coffees(1)])

    assert short["code"] == "INSUFFICIENT_BALANCE"
    assert story.given(last) == {"A stamp for each coffee": "1"}
    assert await story.available() == "1"


async def test_pieces_count_whatever_they_cost(tell: Any) -> None:
    story = await tell("2026-01-05T08:00", CARD)
    unmarked = await story.buys("0.00", lines=[coffees(1, discount="3.00")])
    assert story.given(unmarked) == {"A stamp for each coffee": "1"}
