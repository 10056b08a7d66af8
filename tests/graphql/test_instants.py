"""Instants at the ends of the calendar are refused wherever one is taken."""

from typing import Any

import pytest


@pytest.mark.parametrize(
    "instant", ["9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00Z", "3000-01-01T00:00:00Z"]
)
async def test_an_instant_outside_our_years_is_no_input(brand: Any, instant: str) -> None:
    member = await brand.enroll("ada")
    given = {
        "member": {"id": member},
        "unit": "points",
        "amount": "5",
        "reasonCode": "GOODWILL",
        "idempotencyKey": brand.key(),
        "expiresAt": instant,
    }

    answer = await brand.admin.post(
        "mutation($input: AdjustBalanceInput!) "
        "{ adjustBalance(input: $input) { userErrors { code } } }",
        {"input": given},
    )

    assert [e["extensions"]["code"] for e in answer.json()["errors"]] == ["BAD_USER_INPUT"]
