"""Conditions that name tiers: a word that no ladder knows is refused when it is saved."""

from typing import Any

import pytest

from tests.graphql.admin.documents import asked, done
from tests.graphql.brand import POINTS, Brand

LADDER: dict[str, Any] = {
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


async def _published(brand: Brand, slug: str, kind: str, config: Any) -> Any:
    given = {"slug": slug, "kind": kind, "name": slug, "config": config}
    draft = (await done(brand.admin, "createProgram", **given))["program"]
    of = {"id": draft["id"], "expectedVersion": draft["version"]}
    return (await done(brand.admin, "publishProgram", **of))["program"]


async def _changed(brand: Brand, program: Any, config: Any) -> Any:
    of = {"id": program["id"], "expectedVersion": program["version"]}
    return (await done(brand.admin, "updateProgram", **of, config=config))["program"]


async def test_what_was_saved_while_it_could_be_is_asked_again_when_published(brand: Brand) -> None:
    """The ladder was no more than a draft, and calls its tier something else by now."""
    given = {"slug": "status", "kind": "tiers", "name": "Status", "config": LADDER}
    ladder = (await done(brand.admin, "createProgram", **given))["program"]
    given = {"slug": "more", "kind": "points", "name": "More",
             "config": points('member.tier == "gold"')}  # fmt: skip
    draft = (await done(brand.admin, "createProgram", **given))["program"]
    other = [LADDER["tiers"][0], LADDER["tiers"][1] | {"id": "golden"}]
    await _changed(brand, ladder, LADDER | {"tiers": other})
    of = {"id": draft["id"], "expectedVersion": draft["version"]}
    (error,) = (await asked(brand.admin, "publishProgram", **of))["userErrors"]
    assert (error["code"], error["field"]) == ("BAD_CONFIG", "config.rules.1.when")


async def test_a_tier_that_others_ask_for_is_not_published_away(brand: Brand) -> None:
    ladder = await _published(brand, "status", "tiers", LADDER)
    other = await _published(brand, "more", "points", points('member.tier == "gold"'))
    fewer = LADDER | {"tiers": [*LADDER["tiers"][:1], LADDER["tiers"][1] | {"id": "golden"}]}
    ladder = await _changed(brand, ladder, fewer)
    of = {"id": ladder["id"], "expectedVersion": ladder["version"]}
    (error,) = (await asked(brand.admin, "publishProgram", **of))["userErrors"]
    assert (error["code"], error["field"]) == ("BAD_CONFIG", "config")
    assert error["details"] == {"program": "more", "path": "config.rules.1.when"}

    other = await _changed(brand, other, points('member.tier != ""'))
    await done(brand.admin, "publishProgram", id=other["id"], expectedVersion=other["version"])
    await done(brand.admin, "publishProgram", **of)
