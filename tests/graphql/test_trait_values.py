"""Conditions that name tiers: a word that no ladder knows is refused when it is saved."""

from typing import Any

import pytest

from tests.graphql.admin.documents import asked, done
from tests.graphql.brand import POINTS, Brand

LADDER = {
    "metrics": [{"id": "spend", "label": "Spend", "count": "spend", "currency": "USD"}],
    "tiers": [
        {"id": "basic", "label": "Basic"},
        {"id": "gold", "label": "Gold", "qualify": [{"needs": {"spend": "100"}}]},
    ],
}


def points(when: str) -> dict[str, Any]:
    config: dict[str, Any] = dict(POINTS)
    (rule,) = config["rules"]
    return config | {"rules": [rule, rule | {"id": "more", "when": when}]}


@pytest.mark.parametrize(
    "when",
    [
        'member.tier == "glod"', '"glod" == member.tier', '"glod" in member.tiers',
        'member.tier in ["gold", "glod"]', 'purchase.total > 1 && !(member.tier != "glod")',
    ],
)  # fmt: skip
async def test_a_tier_that_no_ladder_has_is_no_tier(brand: Brand, when: str) -> None:
    await brand.run_program("status", LADDER, kind="tiers")
    given = {"slug": "more", "kind": "points", "name": "More", "config": points(when)}
    payload = await asked(brand.admin, "createProgram", **given)
    (error,) = payload["userErrors"]
    assert (error["code"], error["field"]) == ("BAD_CONFIG", "config.rules.1.when")
    assert error["message"].endswith("'glod': did you mean 'gold'?")


@pytest.mark.parametrize(
    "when",
    ['member.tier == "gold"', '"basic" in member.tiers', 'member.tier == ""',
     'member.external_id == "glod"', 'member.traits["other.tier"] == "glod"'],
)  # fmt: skip
async def test_what_there_is_may_be_named(brand: Brand, when: str) -> None:
    await brand.run_program("status", LADDER, kind="tiers")
    given = {"slug": "more", "kind": "points", "name": "More", "config": points(when)}
    await done(brand.admin, "createProgram", **given)


async def test_where_no_ladder_is_yet_any_word_will_do(brand: Brand) -> None:
    given = {
        "slug": "more", "kind": "points", "name": "More", "config": points('member.tier == "x"')
    }  # fmt: skip
    await done(brand.admin, "createProgram", **given)
