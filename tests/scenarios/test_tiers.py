"""Tiers over the API, by templates that go together: a tier that is reached, kept and lost."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.graphql.admin.documents import done
from tests.graphql.documents import PREVIEW_WHY
from tests.graphql.standings import SET_TIER, STANDINGS, START_CHALLENGE
from tests.scenarios.teller import Teller

Begin = Callable[..., Any]


async def ladder(story: Teller, template: str, at: str, slug: str = "status") -> None:
    """Start and publish a ladder beside the points program; a worker fills its counters."""
    asked = {"template": template, "slug": slug, "createUnits": True}
    draft = (await done(story.brand.admin, "startProgram", **asked))["program"]
    of = {"id": draft["id"], "expectedVersion": draft["version"]}
    await done(story.brand.admin, "publishProgram", **of)
    await story.comes(at)


async def standing(story: Teller) -> Any:
    data = await story.brand.service.run(STANDINGS, by={"externalId": "ada"})
    (found,) = data["member"]["standings"]
    return found


def needed(paths: Any) -> list[list[tuple[str, str, str, str]]]:
    return [
        [(one["metric"], one["needed"], one["have"], one["missing"]) for one in path["parts"]]
        for path in paths
    ]


async def starbucks(starts: Begin, at: str) -> Teller:
    story: Teller = await starts("starbucks-2026", at)
    await ladder(story, "starbucks-2026-tiers", at)
    return story


async def test_gold_is_reached_earns_more_and_is_told(starts: Begin) -> None:
    """SB-5: Green with 490 qualifying pays $10: +10, Gold at once; the next $10 give 12."""
    story = await starbucks(starts, "2026-05-12T08:30")
    await story.buys("490.00")
    found = await standing(story)
    assert (found["tier"]["label"], found["reason"], found["until"]) == ("Green", "START", None)
    assert found["nextTier"]["id"] == "gold"
    assert needed(found["toNext"]) == [[("stars", "500.00", "490.00", "10.00")]]
    assert found["toKeep"] == []

    await story.comes("2026-05-20T09:00")
    assert story.given(await story.buys("10.00")) == {"1 Star a dollar": "10.00"}
    found = await standing(story)
    assert (found["tier"]["id"], found["reason"]) == ("gold", "REACHED")
    assert found["since"] == "2026-05-20T13:00:00Z"
    assert found["until"] == "2027-05-20T04:00:00Z"
    assert needed(found["toKeep"]) == [[("stars", "500.00", "0.00", "500.00")]]
    assert needed(found["toNext"]) == [[("stars", "2500.00", "500.00", "2000.00")]]
    assert [perk["id"] for perk in found["tier"]["perks"]] == ["birthday", "lasting-stars"]

    earned = await story.buys("10.00")
    assert story.given(earned) == {"1 Star a dollar": "10.00", "Your Gold bonus": "2.00"}
    assert needed((await standing(story))["toKeep"]) == [[("stars", "500.00", "10.00", "490.00")]]


@pytest.mark.parametrize(
    ("total", "tier", "lots"),
    [("499.00", "green", "2027-12-01"), ("500.00", "gold", "")],
    ids=["499", "500"],
)
async def test_what_the_year_keeps(starts: Begin, total: str, tier: str, lots: str) -> None:
    """SB-6: 499 in that year: Green on 2027-05-20; 500: renewed. The balance stays as it is; when
    Gold ends the Stars have six months."""
    story = await starbucks(starts, "2026-05-20T08:30")
    await story.buys("500.00")
    await story.comes("2026-12-01T08:30")
    await story.buys(total)
    stars = await story.available()
    await story.comes("2027-05-19T23:59:59")
    assert (await standing(story))["tier"]["id"] == "gold"
    await story.comes("2027-05-20T00:00", swept=False)
    assert (await standing(story))["tier"]["id"] == tier
    await story.comes("2027-05-20T00:10")
    found = await standing(story)
    assert (found["tier"]["id"], found["reason"]) == (
        (tier, "NOT_KEPT") if tier == "green" else (tier, "KEPT")
    )
    assert await story.available() == stars
    assert {end for end, _ in await story.lots()} == {lots}


async def test_a_preview_is_judged_by_the_tier_and_says_so(starts: Begin) -> None:
    story = await starbucks(starts, "2026-05-20T08:30")
    await story.buys("500.00")
    given = story.brand.purchase("ada", "10.00")
    keys = ("member", "currency", "total", "lines", "tenders", "occurredAt")
    asked = {key: value for key, value in given.items() if key in keys}
    data = (await story.brand.admin.run(PREVIEW_WHY, input=asked))["previewPurchase"]
    assert data["userErrors"] == []
    assert {one["label"]: one["amount"] for one in data["earned"] if one["unit"] == "stars"} == {
        "1 Star a dollar": "10.00", "Your Gold bonus": "2.00",
    }  # fmt: skip
    why = {one["rule"]: one["explanation"] for one in data["decisions"] if not one["fired"]}
    assert why["reserve"] == '`member.tier == "reserve"` is false because member.tier is "gold"'


async def test_staff_give_a_tier_and_the_trail_says_who_and_why(starts: Begin) -> None:
    story = await starbucks(starts, "2026-05-20T08:30")
    given = {
        "member": {"externalId": "ada"}, "program": "status", "tier": "reserve",
        "reason": "A guest of the house", "until": "2026-06-20T04:00:00Z",
        "idempotencyKey": "command-1",
    }  # fmt: skip
    for replayed in (False, True):
        payload = (await story.brand.admin.run(SET_TIER, input=given))["setTier"]
        assert (payload["userErrors"], payload["replayed"]) == ([], replayed)
        assert (payload["standing"]["tier"]["id"], payload["standing"]["reason"]) == (
            "reserve", "SET",
        )  # fmt: skip
        assert payload["standing"]["note"] == "A guest of the house"
    trail = await story.brand.admin.run(
        "{ auditTrail(first: 1) { edges { node { action details } } } }"
    )
    (entry,) = [edge["node"] for edge in trail["auditTrail"]["edges"]]
    assert (entry["action"], entry["details"]["reason"]) == ("tier.set", "A guest of the house")

    for change, code, field in (
        ({"tier": "resrve", "idempotencyKey": "command-2"}, "NOT_FOUND", "tier"),
        (
            {"until": "2026-05-01T00:00:00Z", "idempotencyKey": "command-3"},
            "BAD_USER_INPUT",
            "until",
        ),
        ({"program": "points", "idempotencyKey": "command-4"}, "PROGRAM_NOT_ACTIVE", "program"),
        (
            {"member": {"externalId": "eve"}, "idempotencyKey": "command-5"},
            "MEMBER_NOT_FOUND",
            "member",
        ),
        ({"reason": "", "idempotencyKey": "command-6"}, "BAD_USER_INPUT", "reason"),
    ):
        payload = (await story.brand.admin.run(SET_TIER, input={**given, **change}))["setTier"]
        assert [(one["code"], one["field"]) for one in payload["userErrors"]] == [(code, field)]

    await story.comes("2026-06-20T00:10")
    assert (await standing(story))["tier"]["id"] == "green"


async def test_a_status_match_is_earned_by_flying(starts: Begin) -> None:
    story: Teller = await starts("airline-miles", "2026-03-01T12:00")
    await ladder(story, "airline-status", "2026-03-01T12:00")
    given = {
        "member": {"externalId": "ada"}, "program": "status", "challenge": "match-gold",
        "reason": "Gold elsewhere", "idempotencyKey": "command-1",
    }  # fmt: skip
    payload = (await story.brand.service.run(START_CHALLENGE, input=given))["startChallenge"]
    assert payload["userErrors"] == [], payload
    found = payload["standing"]
    assert (found["tier"]["id"], found["challenge"]["until"]) == ("gold", "2026-05-30T04:00:00Z")
    assert needed(found["challenge"]["paths"]) == [[("miles", "5000", "0", "5000")]]

    await story.does("flight", miles=4999, fare=0, segments=1)
    assert needed((await standing(story))["challenge"]["paths"])[0][0][3] == "1"
    await story.does("flight", miles=1, fare=0, segments=1)
    found = await standing(story)
    assert (found["reason"], found["until"]) == ("CHALLENGE", "2028-01-01T05:00:00Z")
    assert found["challenge"] is None


async def test_ladders_are_listed_and_perks_are_asked_for(starts: Begin) -> None:
    story = await starbucks(starts, "2026-05-20T08:30")
    data = await story.brand.service.run(
        """{ tierLadders { program name challenges { id } tiers { id label rank byInvitation
             bonuses { id } perks { id label description } } } }"""
    )
    (one,) = data["tierLadders"]
    assert [(tier["id"], tier["rank"]) for tier in one["tiers"]] == [
        ("green", 0), ("gold", 1), ("reserve", 2),
    ]  # fmt: skip
