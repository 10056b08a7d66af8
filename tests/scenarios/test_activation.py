"""Points that wait: shown as pending, activated over the API, by whoever may."""

from typing import Any, cast

import pytest

from tests.graphql.brand import POINTS

ACTIVATE = """
mutation($input: ActivatePointsInput!) { activatePoints(input: $input) { replayed
    activated { unit amount } balances { unit available pending }
    userErrors { code field } } }
"""
WAITING = """
query($by: MemberRef!) { member(by: $by) { awaitingActivation {
    lot program rule unit amount earnedAt expiresAt }
  balance(unit: "points") { activations { at amount } } } }
"""
BASE: dict[str, Any] = cast(list[Any], POINTS["rules"])[0]
CARD = {
    **BASE,
    "id": "card",
    "terms": {"pending_until": "activation", "lifetime": {"span": "P2M", "counted_from": "usable"}},
}


@pytest.fixture
async def story(tell: Any) -> Any:
    story = await tell("2026-02-01T12:00", {**POINTS, "rules": [BASE, CARD]})
    await story.buys("30.00")
    return story


def given(story: Any, **more: Any) -> dict[str, Any]:
    return {
        "member": {"externalId": "ada"}, "program": "points", "idempotencyKey": story.brand.key(),
        **more,
    }  # fmt: skip


async def waiting(story: Any) -> Any:
    return (await story.brand.service.run(WAITING, by={"externalId": "ada"}))["member"]


async def test_a_member_activates_what_waits(story: Any) -> None:
    before = await waiting(story)
    (one,) = before["awaitingActivation"]
    assert (one["program"], one["rule"], one["amount"]) == ("points", "card", "30")
    assert (one["earnedAt"], one["expiresAt"]) == ("2026-02-01T17:00:00Z", None)
    assert before["balance"]["activations"] == [{"at": None, "amount": "30"}]

    await story.comes("2026-02-10T12:00")
    asked, ada = given(story), story.brand.member("ada")
    first = (await ada.run(ACTIVATE, input=asked))["activatePoints"]
    again = (await ada.run(ACTIVATE, input=asked))["activatePoints"]
    other = (await ada.run(ACTIVATE, input=given(story)))["activatePoints"]

    assert first["activated"] == [{"unit": "points", "amount": "30"}]
    assert first["balances"] == [{"unit": "points", "available": "60", "pending": "0"}]
    assert again == {**first, "replayed": True}
    assert (other["activated"], other["replayed"], other["userErrors"]) == ([], False, [])
    assert (await waiting(story))["awaitingActivation"] == []
    assert await story.lots() == [("2026-04-10", "30"), ("2027-02-01", "30")]


async def test_one_lot_is_activated_by_its_id(story: Any) -> None:
    await story.comes("2026-02-02T12:00")
    await story.buys("12.00")
    (_, second) = (await waiting(story))["awaitingActivation"]

    payload = (await story.brand.service.run(ACTIVATE, input=given(story, lot=second["lot"])))[
        "activatePoints"
    ]

    assert payload["activated"] == [{"unit": "points", "amount": "12"}]
    assert [one["amount"] for one in (await waiting(story))["awaitingActivation"]] == ["30"]


@pytest.mark.parametrize(
    ("changed", "code", "field"),
    [
        ({"program": "nobody"}, "PROGRAM_NOT_ACTIVE", "program"),
        ({"lot": "TG90Og=="}, "NOT_FOUND", "lot"),
        ({"rule": "crd"}, "NOT_FOUND", "rule"),
        ({"member": {"externalId": "eve"}}, "MEMBER_NOT_FOUND", "member"),
        ({"idempotencyKey": "x"}, "BAD_USER_INPUT", "idempotencyKey"),
    ],
)
async def test_what_cannot_be_is_refused(story: Any, changed: Any, code: str, field: str) -> None:
    asked = given(story) | changed

    payload = (await story.brand.service.run(ACTIVATE, input=asked))["activatePoints"]

    assert [(e["code"], e["field"]) for e in payload["userErrors"]] == [(code, field)]
    assert len((await waiting(story))["awaitingActivation"]) == 1


async def test_nobody_activates_for_another_member(story: Any) -> None:
    await story.brand.enroll("eve")

    payload = (await story.brand.member("eve").run(ACTIVATE, input=given(story)))["activatePoints"]

    assert [e["code"] for e in payload["userErrors"]] == ["MEMBER_NOT_FOUND"]
    assert len((await waiting(story))["awaitingActivation"]) == 1
