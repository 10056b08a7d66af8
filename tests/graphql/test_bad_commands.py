"""Commands and members that are wrong: a code, the field, what to do; nothing written."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from loyalty_graphql.ids import node_id
from tests.graphql.documents import (
    ACTIVITY,
    ADJUST,
    CAPTURE,
    CLOSE,
    ENROLL,
    RECORD,
    REDEEM,
    RELEASE,
    REVERSE,
    UPDATE,
)

Case = tuple[str, Mapping[str, Any], str, str]
ADA, GHOST = {"externalId": "ada"}, {"externalId": "ghost"}
LONG = "x" * 201
MANY = [f"card-{n}" for n in range(21)]

BAD: Mapping[str, Case] = {
    # redeeming
    "more than there is": (REDEEM, {"amount": "101"}, "INSUFFICIENT_BALANCE", "amount"),
    "nothing": (REDEEM, {"amount": "0"}, "BAD_AMOUNT", "amount"),
    "a negative amount": (REDEEM, {"amount": "-5"}, "BAD_AMOUNT", "amount"),
    "half a point": (REDEEM, {"amount": "0.5"}, "BAD_AMOUNT", "amount"),
    "no number": (REDEEM, {"amount": "ten"}, "BAD_AMOUNT", "amount"),
    "more than there can be": (REDEEM, {"amount": "9" * 19}, "BAD_AMOUNT", "amount"),
    "an unknown unit": (REDEEM, {"unit": "miles"}, "UNIT_NOT_FOUND", "unit"),
    "an unknown program": (REDEEM, {"program": "stars"}, "PROGRAM_NOT_ACTIVE", "program"),
    "an unknown redeemer": (REDEEM, {"member": GHOST}, "MEMBER_NOT_FOUND", "member"),
    "no time to hold": (REDEEM, {"holdForSeconds": 0}, "BAD_USER_INPUT", "holdForSeconds"),
    "held too long": (REDEEM, {"holdForSeconds": 2592001}, "BAD_USER_INPUT", "holdForSeconds"),
    "a long order": (REDEEM, {"order": LONG}, "BAD_USER_INPUT", "order"),
    "a short key": (REDEEM, {"idempotencyKey": "1234567"}, "BAD_USER_INPUT", "idempotencyKey"),
    "a long key": (REDEEM, {"idempotencyKey": "k" * 129}, "BAD_USER_INPUT", "idempotencyKey"),
    # adjusting
    "adjusting by nothing": (ADJUST, {"amount": "0"}, "BAD_AMOUNT", "amount"),
    "adjusting by no number": (ADJUST, {"amount": "+5"}, "BAD_AMOUNT", "amount"),
    "taking too much": (ADJUST, {"amount": "-101"}, "INSUFFICIENT_BALANCE", "amount"),
    "an unknown unit adjusted": (ADJUST, {"unit": ""}, "UNIT_NOT_FOUND", "unit"),
    "no reason": (ADJUST, {"reasonCode": ""}, "BAD_USER_INPUT", "reasonCode"),
    "a small reason": (ADJUST, {"reasonCode": "goodwill"}, "BAD_USER_INPUT", "reasonCode"),
    "a long note": (ADJUST, {"note": "x" * 1001}, "BAD_USER_INPUT", "note"),
    "already expired": (
        ADJUST, {"expiresAt": "2026-01-01T17:00:00Z"}, "BAD_USER_INPUT", "expiresAt",
    ),
    "a ghost adjusted": (ADJUST, {"member": GHOST}, "MEMBER_NOT_FOUND", "member"),
    "a short key to adjust": (ADJUST, {"idempotencyKey": ""}, "BAD_USER_INPUT", "idempotencyKey"),
    # redemptions that are none, or not in that state
    "nothing to capture": (CAPTURE, {"redemption": "x"}, "NOT_FOUND", "redemption"),
    "nothing to release": (RELEASE, {"redemption": "{ghost}"}, "NOT_FOUND", "redemption"),
    "nothing to reverse": (REVERSE, {"redemption": "{ghost}"}, "NOT_FOUND", "redemption"),
    "a member as a redemption": (RELEASE, {"redemption": "{member}"}, "NOT_FOUND", "redemption"),
    "capturing more than is held": (CAPTURE, {"amount": "11"}, "BAD_AMOUNT", "amount"),
    "capturing nothing": (CAPTURE, {"amount": "0"}, "BAD_AMOUNT", "amount"),
    "capturing half a point": (CAPTURE, {"amount": "1.5"}, "BAD_AMOUNT", "amount"),
    "reversing what is held": (REVERSE, {}, "REDEMPTION_STATE", "redemption"),
    "releasing what is captured": (
        RELEASE, {"redemption": "{captured}"}, "REDEMPTION_STATE", "redemption",
    ),
    "capturing it twice": (CAPTURE, {"redemption": "{captured}"}, "REDEMPTION_STATE", "redemption"),
    "a long reason": (RELEASE, {"reason": "x" * 1001}, "BAD_USER_INPUT", "reason"),
    "a short key, too": (RELEASE, {"idempotencyKey": "k"}, "BAD_USER_INPUT", "idempotencyKey"),
    # members
    "nobody's name": (ENROLL, {"externalId": ""}, "BAD_USER_INPUT", "externalId"),
    "a name with a blank": (ENROLL, {"externalId": "ada "}, "BAD_USER_INPUT", "externalId"),
    "a long name": (ENROLL, {"externalId": LONG}, "BAD_USER_INPUT", "externalId"),
    "who is here, otherwise": (
        ENROLL, {"externalId": "ada", "attributes": {"a_b": 1}}, "MEMBER_EXISTS", "attributes.a_b",
    ),
    "another's card": (ENROLL, {"identifiers": ["ada-card"]}, "ALREADY_EXISTS", "identifiers.0"),
    "an empty card": (ENROLL, {"identifiers": ["ok", ""]}, "BAD_USER_INPUT", "identifiers.1"),
    "a card twice": (ENROLL, {"identifiers": ["a", "a"]}, "BAD_USER_INPUT", "identifiers"),
    "too many cards": (ENROLL, {"identifiers": MANY}, "LIMIT_EXCEEDED", "identifiers"),
    "attributes that are none": (ENROLL, {"attributes": [1]}, "BAD_USER_INPUT", "attributes"),
    "enrolled tomorrow": (
        ENROLL, {"enrolledAt": "2026-01-02T17:00:00Z"}, "TOO_EARLY", "enrolledAt",
    ),
    "a ghost changed": (UPDATE, {"member": GHOST}, "MEMBER_NOT_FOUND", "member"),
    "named as another": (UPDATE, {"externalId": "bob"}, "MEMBER_EXISTS", "externalId"),
    "with another's card": (
        UPDATE, {"addIdentifiers": ["bob-card"]}, "ALREADY_EXISTS", "addIdentifiers",
    ),
    "a renaming that fails in its second half": (
        UPDATE, {"externalId": "ada-2", "addIdentifiers": ["new", "bob-card"]},
        "ALREADY_EXISTS", "addIdentifiers",
    ),
    "who left": (UPDATE, {"member": {"externalId": "eve"}}, "MEMBER_CLOSED", "member"),
    "a ghost closed": (CLOSE, {"member": GHOST}, "MEMBER_NOT_FOUND", "member"),
    "closed twice": (CLOSE, {"member": {"externalId": "eve"}}, "ALREADY_CLOSED", "member"),
    # activities
    "a ghost's activity": (ACTIVITY, {"member": GHOST}, "MEMBER_NOT_FOUND", "member"),
    "an activity of who left": (
        ACTIVITY, {"member": {"externalId": "eve"}}, "MEMBER_CLOSED", "member",
    ),
    "an activity of no type": (ACTIVITY, {"type": ""}, "BAD_USER_INPUT", "type"),
    "an activity of tomorrow": (
        ACTIVITY, {"occurredAt": "2026-01-02T17:00:00Z"}, "TOO_EARLY", "occurredAt",
    ),
    "a long activity": (ACTIVITY, {"externalId": LONG}, "BAD_USER_INPUT", "externalId"),
}  # fmt: skip


async def test_what_is_wrong_is_refused_and_nothing_is_written(brand: Any, rows: Any) -> None:
    ids = await _settled(brand)
    before = await rows.of(brand.tenant_id)

    told = {}
    for name, (document, bad, _, _) in BAD.items():
        given = {**_good(brand, document, ids), **bad}
        if str(given.get("redemption", "")).startswith("{"):
            given["redemption"] = ids[given["redemption"].strip("{}")]
        told[name] = await _told(brand, document, given)

    assert told == {name: (code, field) for name, (_, _, code, field) in BAD.items()}
    assert await rows.of(brand.tenant_id) == before


async def test_a_key_that_is_used_again_with_other_input_is_refused(brand: Any, rows: Any) -> None:
    ids = await _settled(brand)
    inputs = {document: _good(brand, document, ids) for document in (REDEEM, ADJUST, RELEASE)}
    inputs[RELEASE]["redemption"] = ids["held"]
    for document, given in inputs.items():
        assert await _told(brand, document, given) is None
    before = await rows.of(brand.tenant_id)

    changed: list[tuple[str, dict[str, Any], str]] = [
        (REDEEM, {"amount": "6"}, "amount"),
        (REDEEM, {"holdForSeconds": 60}, "holdForSeconds"),
        (REDEEM, {"order": "o-2"}, "order"),
        (REDEEM, {"member": {"externalId": "bob"}}, "member"),
        (ADJUST, {"amount": "8"}, "amount"),
        (ADJUST, {"reasonCode": "ERROR"}, "reasonCode"),
        (RELEASE, {"redemption": ids["captured"]}, "redemption"),
    ]  # fmt: skip
    for document, other, differs in changed:
        given = {**inputs[document], **other}
        assert await _told(brand, document, given) == ("IDEMPOTENCY_MISMATCH", differs), other
    adjusting = {**inputs[ADJUST], "idempotencyKey": inputs[REDEEM]["idempotencyKey"]}
    assert (await _told(brand, ADJUST, adjusting) or ("",))[0] == "IDEMPOTENCY_MISMATCH"
    assert await rows.of(brand.tenant_id) == before


async def test_the_same_key_and_input_answers_the_first_answer(brand: Any, rows: Any) -> None:
    ids = await _settled(brand)
    given = _good(brand, REDEEM, ids)
    first = await _payload(brand, REDEEM, given)
    before = await rows.of(brand.tenant_id)

    again = await _payload(brand, REDEEM, {**given, "amount": "5.0"})

    assert (first.pop("replayed"), again.pop("replayed")) == (False, True)
    assert first == again
    assert await rows.of(brand.tenant_id) == before


async def _settled(brand: Any) -> dict[str, str]:
    """Ada with 100 points, 10 of them held, 10 captured, and others; what there is by name."""
    member = await brand.enroll("ada", ["ada-card"])
    await brand.enroll("bob", ["bob-card"])
    await brand.enroll("eve")
    await brand.service.run(CLOSE, input={"member": {"externalId": "eve"}})
    await brand.service.run(RECORD, input=brand.purchase("ada", "120.00"))
    ids = {"member": member, "ghost": node_id("Redemption", uuid4())}
    for name in ("held", "captured"):
        given = {**_good(brand, REDEEM, {}), "amount": "10", "capture": name == "captured"}
        ids[name] = (await _payload(brand, REDEEM, given))["redemption"]["id"]
    return ids


def _good(brand: Any, document: str, ids: Mapping[str, str]) -> dict[str, Any]:
    """Input that would be taken."""
    key: dict[str, Any] = {"idempotencyKey": brand.key()}
    member: dict[str, Any] = {"member": ADA}
    match document:
        case _ if document is REDEEM:
            return {**key, **member, "amount": "5", "unit": "points", "program": "points"}
        case _ if document is ADJUST:
            return {**key, **member, "amount": "7", "unit": "points", "reasonCode": "GOODWILL"}
        case _ if document in (CAPTURE, RELEASE, REVERSE):
            return {**key, "redemption": ids["held"]}
        case _ if document is ENROLL:
            return {"externalId": brand.key()}
        case _ if document is ACTIVITY:
            return {
                **member, "source": "app", "externalId": brand.key(), "type": "check_in",
                "occurredAt": brand.now(),
            }  # fmt: skip
    return member


async def _told(brand: Any, document: str, given: Mapping[str, Any]) -> tuple[str, str] | None:
    payload = await _payload(brand, document, given)
    if not payload["userErrors"]:
        return None
    [error] = payload["userErrors"]
    assert len(error["message"]) > 5
    return error["code"], error["field"]


async def _payload(brand: Any, document: str, given: Mapping[str, Any]) -> Any:
    [payload] = (await brand.admin.run(document, input=given)).values()
    return payload
