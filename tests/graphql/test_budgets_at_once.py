"""Budgets of all members together are exact, however many buy and return at two servers."""

import asyncio
from typing import Any

from tests.graphql.brand import POINTS
from tests.graphql.documents import RECORD, RETURN

BASE: Any = POINTS["rules"][0]  # type: ignore[index]
MEMBERS = [f"m{n}" for n in range(12)]
CONFIG = {
    "unit": "points",
    "rules": [
        {**BASE, "caps": [{"points": "301", "period": "month", "per": "program"}]},
        {
            "id": "surprise", "label": "A surprise", "accounting_class": "MARKETING",
            "chance": {
                "odds": "v1", "probability": "1", "prizes": [{"points": "7", "weight": "1"}]
            },
            "caps": [{"points": "100", "period": "month", "per": "program"}],
        },
    ],
}  # fmt: skip


async def granted(brand: Any) -> dict[str, int]:
    """By rule what is given and was not taken back."""
    async with brand.server.services.api.database.tenant(
        brand.tenant_id, read_only=True
    ) as connection:
        found = await connection.fetch(
            """select p.rule, sum(case when a.owner_kind = 'MEMBER' then p.amount else -p.amount end
                 )::bigint as n from loyalty.posting p
                 join loyalty.account a on (a.tenant_id, a.id) = (p.tenant_id, p.to_id)
                where p.rule is not null group by 1"""
        )
    return {row["rule"].partition("/")[2]: row["n"] for row in found}


async def test_budgets_are_spent_and_given_back_to_the_point(
    make_brand: Any, make_own_server: Any
) -> None:
    brand = await make_brand(CONFIG)
    two = [brand.service, brand.service.at((await make_own_server()).url)]
    for member in MEMBERS:
        await brand.enroll(member)

    async def buys(n: int) -> Any:
        given = brand.purchase(MEMBERS[n % len(MEMBERS)], "17.00")
        return (await two[n % 2].run(RECORD, input=given))["recordPurchase"]["purchase"]

    async def brings_back(n: int, purchase: Any) -> None:
        given = {
            "source": purchase["source"], "purchaseExternalId": purchase["externalId"],
            "returnId": brand.key(), "occurredAt": brand.now(), "lines": [],
        }  # fmt: skip
        payload = (await two[n % 2].run(RETURN, input=given))["reversePurchase"]
        assert payload["userErrors"] == []

    bought = await asyncio.gather(*(buys(n) for n in range(36)))
    assert await granted(brand) == {"base": 301, "surprise": 100}

    await asyncio.gather(
        *(brings_back(n, one) for n, one in enumerate(bought[:30])), *map(buys, range(36, 48))
    )
    held = await granted(brand)
    assert held["base"] <= 301
    assert held["surprise"] <= 100

    await asyncio.gather(*(buys(n) for n in range(48, 84)))
    assert await granted(brand) == {"base": 301, "surprise": 100}
