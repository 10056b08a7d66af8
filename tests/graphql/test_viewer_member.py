"""A member's app asks who its user is, in one query."""

from typing import Any

QUERY = "{ viewer { role subject member { externalId balances { unit available } } } }"


async def test_a_member_finds_themselves(brand: Any) -> None:
    await brand.enroll("ada")

    data = await brand.member("ada").run(QUERY)

    assert data["viewer"] == {
        "role": "MEMBER",
        "subject": "ada",
        "member": {"externalId": "ada", "balances": [{"unit": "points", "available": "0"}]},
    }


async def test_whoever_is_no_member_or_not_enrolled_has_none(brand: Any) -> None:
    assert (await brand.service.run(QUERY))["viewer"]["member"] is None
    assert (await brand.member("nobody").run(QUERY))["viewer"]["member"] is None
