"""The end of the calendar is no instant: the database would keep it as infinity."""

from typing import Any

import pytest


@pytest.mark.parametrize("instant", ["9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.9999999Z"])
async def test_the_last_microsecond_of_the_calendar_is_no_input(brand: Any, instant: str) -> None:
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
