"""Configs over the API: what they may hold, and the schema that says so."""

from typing import Any

import pytest

from .documents import asked, done, refusals

RULE = {
    "id": "base",
    "label": "1 point per dollar",
    "accounting_class": "MATERIAL_RIGHT",
    "points": "1",
    "per": {"USD": "1.00"},
}
CONFIG: dict[str, Any] = {"unit": "points", "rules": [RULE]}
NEW = {"slug": "extra", "kind": "points", "name": "Extra", "config": CONFIG}


async def test_kinds_tell_the_schema_of_their_config(brand: Any) -> None:
    data = await brand.service.run("{ programKinds { name description configSchema } }")
    kinds = {one["name"]: one for one in data["programKinds"]}
    assert list(kinds) == ["points", "punch"]
    assert kinds["punch"]["description"] == "A card to punch."
    properties = kinds["punch"]["configSchema"]["properties"]
    assert properties["webhook_secret"]["writeOnly"] is True
    assert "rules" in kinds["points"]["configSchema"]["properties"]


async def test_a_large_config_is_kept_and_a_larger_one_refused(brand: Any, rows_of: Any) -> None:
    many = {**CONFIG, "rules": [{**RULE, "id": f"rule-{i}"} for i in range(100)]}
    program = (await done(brand.admin, "createProgram", **{**NEW, "config": many}))["program"]
    assert program["config"] == many
    before = await rows_of(brand)
    huge = {"unit": "points", "nested": {f"k{i}": "x" * 4000 for i in range(40)}}
    given = {**NEW, "slug": "huge", "kind": "punch", "config": huge}
    assert await refusals(brand.admin, "createProgram", **given) == [("LIMIT_EXCEEDED", "config")]
    assert await rows_of(brand) == before


@pytest.mark.parametrize(
    "config",
    [
        {"unit": "points", "nested": {"list": list(range(1001))}},
        {"unit": "points", "nested": {"text": "x" * 4097}},
        {"unit": "points", "nested": {"x" * 4000 + str(i): 1 for i in range(17)}},
        {"unit": "points", "nested": {"a": [[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]}},
    ],
)
async def test_a_config_beyond_all_bounds_is_not_read(brand: Any, config: Any) -> None:
    answer = await brand.admin.post(
        "mutation($input: CreateProgramInput!) { createProgram(input: $input) "
        "{ userErrors { code } } }",
        {"input": {**NEW, "kind": "punch", "config": config}},
    )
    codes = [error["extensions"]["code"] for error in answer.json()["errors"]]
    assert codes == ["BAD_USER_INPUT"]


@pytest.mark.parametrize(
    ("amount", "field"),
    [
        ("about ten", None), ("NaN", None), ("Infinity", None), ("", None), ("1e2", None),
        ("10 %", None), ("١.٥", None), (["1.5"], None), (1.5, None), ("1" * 60, None),
        ("1.0", None), ("-3", None), ("1.5", "config.nested.amount"),
        ("-0.5", "config.nested.amount"), ("0." + "0" * 60 + "1", "config.nested.amount"),
    ],
)  # fmt: skip
async def test_an_amount_beside_a_unit_is_one_only_where_it_is_a_number(
    brand: Any, amount: Any, field: str | None
) -> None:
    """What another kind of program calls by that name is its own affair."""
    config = {"unit": "points", "nested": {"unit": "points", "amount": amount}}
    given = {**NEW, "kind": "punch", "config": config}
    wanted = [] if field is None else [("BAD_CONFIG", field)]
    payload = await asked(brand.admin, "createProgram", **given)
    assert [(one["code"], one["field"]) for one in payload["userErrors"]] == wanted
