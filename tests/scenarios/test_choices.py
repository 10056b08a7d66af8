"""Members choose: the track by which a flight earns, the categories of a quarter's bonus."""

from typing import Any

from tests.graphql.brand import POINTS
from tests.graphql.documents import CHOICES, CHOOSE

TRACK = {
    "id": "track",
    "label": "How you earn",
    "options": [{"id": "distance", "label": "By mile"}, {"id": "price", "label": "By fare"}],
    "default": ["distance"],
    "changes": {"times": 1, "period": "year"},
}  # fmt: skip
BONUS = {
    "id": "bonus",
    "label": "Your double category",
    "options": [{"id": "dining", "label": "Dining", "categories": ["dining"]},
                {"id": "fuel", "label": "Fuel", "categories": ["fuel"]}],
    "changes": {"times": 1, "period": "quarter"},
}  # fmt: skip
DOUBLE = {
    "id": "double", "label": "Your double category", "accounting_class": "MARKETING",
    "bonus": {"factor": "2"}, "include": {"choice": "bonus"},
}  # fmt: skip
CARD = {**POINTS, "choices": [TRACK, BONUS], "rules": [*POINTS["rules"], DOUBLE]}


async def picks(story: Any, choice: str, *options: str, key: str | None = None) -> Any:
    given = {
        "member": {"externalId": "ada"}, "program": "points", "choice": choice,
        "options": list(options), "idempotencyKey": key or story.brand.key(),
    }  # fmt: skip
    return (await story.brand.member("ada").run(CHOOSE, input=given))["choose"]


async def earned(story: Any, **more: Any) -> int:
    lines = [{"id": "1", "amount": "30.00", "category": "dining/sushi"},
             {"id": "2", "amount": "50.00", "category": "fuel"}]  # fmt: skip
    bought = await story.buys("80.00", lines=lines, **more)
    return sum(int(one["amount"]) for one in bought["earned"])


async def test_a_category_is_picked_for_the_quarter(tell: Any) -> None:
    """BC-1: twice the points; one change a quarter; what was bought before keeps its factor."""
    story = await tell("2026-01-05T12:00", CARD)
    assert await earned(story) == 80
    first = await picks(story, "bonus", "dining")
    assert first["userErrors"] == []
    assert (first["choice"]["current"], first["choice"]["mayChange"]) == (["dining"], True)
    await story.comes("2026-02-10T12:00")
    assert await earned(story) == 110

    changed = await picks(story, "bonus", "fuel")
    assert (changed["choice"]["current"], changed["choice"]["mayChange"]) == (["fuel"], False)
    assert changed["choice"]["nextChangeAt"] == "2026-04-01T04:00:00Z"
    await story.comes("2026-02-11T12:00")
    assert await earned(story) == 130
    assert await earned(story, occurredAt="2026-02-09T12:00:00-05:00") == 110

    again = await picks(story, "bonus", "dining")
    [error] = again["userErrors"]
    assert (again["choice"], error["code"], error["field"]) == (None, "LIMIT_REACHED", "choice")
    assert error["message"] == "can be changed once a quarter: next allowed 2026-04-01"
    await story.comes("2026-04-01T00:00")
    assert (await picks(story, "bonus", "dining"))["choice"]["current"] == ["dining"]


async def test_a_track_is_changed_once_a_year(tell: Any) -> None:
    """AS-6: changed on 1 March; a second change in August is refused until the next year."""
    story = await tell("2026-01-05T12:00", CARD)
    await picks(story, "track", "distance")
    await story.comes("2026-03-01T12:00")
    key = story.brand.key()
    assert (await picks(story, "track", "price", key=key))["replayed"] is False
    assert (await picks(story, "track", "price", key=key))["replayed"] is True
    await story.comes("2026-08-01T12:00")
    [error] = (await picks(story, "track", "distance"))["userErrors"]
    assert error["message"] == "can be changed once a year: next allowed 2027-01-01"
    assert error["details"]["nextAllowedAt"] == "2027-01-01T05:00:00Z"


async def test_what_can_be_chosen_is_shown_with_what_stands(tell: Any) -> None:
    story = await tell("2026-01-05T12:00", CARD)
    by = {"externalId": "ada"}
    track, bonus = (await story.brand.service.run(CHOICES, by=by))["member"]["choices"]
    assert (track["id"], track["current"], track["since"]) == ("track", ["distance"], None)
    assert (bonus["current"], bonus["mayChange"], bonus["nextChangeAt"]) == ([], True, None)
    assert bonus["options"][0] == {"id": "dining", "label": "Dining", "categories": ["dining"]}

    await story.comes("2026-01-06T12:00")
    await picks(story, "track", "price")
    await story.comes("2026-01-07T12:00")
    await picks(story, "bonus", "fuel")
    track, bonus = (await story.brand.admin.run(CHOICES, by=by))["member"]["choices"]
    assert (track["current"], track["since"]) == (["price"], "2026-01-06T17:00:00Z")
    assert (bonus["current"], bonus["since"]) == (["fuel"], "2026-01-07T17:00:00Z")
    assert (await story.brand.service.run(CHOICES, by=by, program="none"))["member"] == {
        "choices": []
    }


async def test_nobody_chooses_for_another_member(tell: Any) -> None:
    story = await tell("2026-01-05T12:00", CARD)
    await story.brand.enroll("bob")
    given = {
        "member": {"externalId": "ada"}, "program": "points", "choice": "track",
        "options": ["price"], "idempotencyKey": story.brand.key(),
    }  # fmt: skip
    payload = (await story.brand.member("bob").run(CHOOSE, input=given))["choose"]
    assert payload["userErrors"][0]["code"] == "MEMBER_NOT_FOUND"
    other = (await story.brand.service.run(CHOOSE, input=given | {"program": "x"}))["choose"]
    assert other["userErrors"][0]["code"] == "PROGRAM_NOT_ACTIVE"
