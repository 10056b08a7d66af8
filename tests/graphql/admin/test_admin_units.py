"""Units over the API."""

from typing import Any

import pytest

from .documents import done, refusals, trail


async def test_units_are_created_and_listed(make_brand: Any) -> None:
    brand = await make_brand(config=None)
    given = {"code": "stars", "name": "Stars", "places": 2}
    made = await done(brand.admin, "createUnit", **given)
    assert made["unit"] == {**given, "kind": "POINTS"}
    money = await done(brand.admin, "createUnit", code="EUR", name="Euro", kind="MONEY")
    assert money["unit"]["places"] == 2
    for reader in (brand.admin, brand.service, brand.member("ada")):
        data = await reader.run("{ units { code name places kind } }")
        assert [unit["code"] for unit in data["units"]] == ["EUR", "points", "stars"]
    assert await trail(brand.admin, first=2) == [
        ("unit.create", "unit:EUR"),
        ("unit.create", "unit:stars"),
    ]


async def test_a_new_unit_shows_in_the_balances_at_once(make_brand: Any) -> None:
    brand = await make_brand(config=None)
    await brand.enroll("ada")
    balances = '{ member(by: { externalId: "ada" }) { balances { unit } } }'
    assert await brand.service.run(balances) == {"member": {"balances": [{"unit": "points"}]}}
    await done(brand.admin, "createUnit", code="stars", name="Stars")
    data = await brand.service.run(balances)
    assert [one["unit"] for one in data["member"]["balances"]] == ["points", "stars"]


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"code": "points"}, "ALREADY_EXISTS", "code"),
        ({"code": "1st"}, "BAD_USER_INPUT", "code"),
        ({"code": "x" * 33}, "BAD_USER_INPUT", "code"),
        ({"code": "USD"}, "BAD_USER_INPUT", "code"),
        ({"code": "XXX0", "kind": "MONEY"}, "CURRENCY_NOT_LISTED", "code"),
        ({"code": "EUR", "kind": "MONEY", "places": 3}, "BAD_USER_INPUT", "places"),
        ({"places": 10}, "BAD_USER_INPUT", "places"),
        ({"places": -1}, "BAD_USER_INPUT", "places"),
        ({"name": ""}, "BAD_USER_INPUT", "name"),
    ],
)
async def test_a_bad_unit_is_refused(
    brand: Any, rows_of: Any, given: Any, code: str, field: str
) -> None:
    before = await rows_of(brand)
    asked = {"code": "stars", "name": "Stars", **given}
    assert await refusals(brand.admin, "createUnit", **asked) == [(code, field)]
    assert await rows_of(brand) == before
