"""Ids that hold what nobody sees: refused wherever one is brought, and nothing is written."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from tests.graphql.documents import (
    ACTIVITY,
    ENROLL,
    RECORD,
    RECORD_MANY,
    REDEEM,
    RETURN,
    UPDATE,
)

UNSEEN = [
    "\u200b", "\u200d", "\u202e", "\u2066", "\ufeff", "\u00ad", "\u00a0", "\u3000", "\x01", "\x7f",
    "\x85", "\u2028", "\u0378", "\ue000", "\U000e0041", "\ufe0f", "\u3164", "\u115f", "\t", "\n",
]  # fmt: skip
SEEN = ["ñandú", "e\u0301", "卡-7", "№ 5 / a", "o'hara; --", "\u0661\u0662", "A\u0327", "👍", "ﬁ"]


def _enroll(bad: str) -> Any:
    return ENROLL, {"input": {"externalId": bad}}, "externalId"


def _identifier(bad: str) -> Any:
    return ENROLL, {"input": {"externalId": "n", "identifiers": [bad]}}, "identifiers.0"


def _update(bad: str) -> Any:
    given = {"member": {"externalId": "ada"}, "externalId": bad}
    return UPDATE, {"input": given}, "externalId"


def _added(bad: str) -> Any:
    given = {"member": {"externalId": "ada"}, "addIdentifiers": [bad]}
    return UPDATE, {"input": given}, "addIdentifiers.0"


def _purchase(field: str) -> Callable[[Any, str], Any]:
    def make(brand: Any, bad: str) -> Any:
        given = brand.purchase("ada", "1.00")
        if field == "lines.0.id":
            given["lines"] = [{"id": bad, "amount": "1.00"}]
        elif field.startswith("member."):
            given["member"] = {field.removeprefix("member."): bad}
        else:
            given[field] = bad
        return RECORD, {"input": given}, field

    return make


def _return(field: str) -> Callable[[Any, str], Any]:
    def make(brand: Any, bad: str) -> Any:
        given = {"source": "shop", "returnId": "r", "purchaseExternalId": "o",
                 "occurredAt": brand.now(), field: bad}  # fmt: skip
        if field == "lines.0.id":
            given.pop(field)
            given["lines"] = [{"id": bad, "quantity": "1"}]
        return RETURN, {"input": given}, field

    return make


def _activity(field: str) -> Callable[[Any, str], Any]:
    def make(brand: Any, bad: str) -> Any:
        given = {"member": {"externalId": "ada"}, "source": "app", "externalId": "v", "type": "t",
                 "occurredAt": brand.now(), field: bad}  # fmt: skip
        return ACTIVITY, {"input": given}, field

    return make


def _redeem(field: str) -> Callable[[Any, str], Any]:
    def make(brand: Any, bad: str) -> Any:
        given = {"member": {"externalId": "ada"}, "program": "points", "unit": "points",
                 "amount": "1", "idempotencyKey": brand.key(), field: bad}  # fmt: skip
        return REDEEM, {"input": given}, field

    return make


PLACES: list[Callable[[Any, str], Any]] = [
    *(lambda _, bad, make=make: make(bad) for make in (_enroll, _identifier, _update, _added)),
    *(_purchase(f) for f in ("source", "externalId", "lines.0.id", "member.externalId",
                             "member.identifier")),
    *(_return(f) for f in ("source", "returnId", "purchaseExternalId", "lines.0.id")),
    *(_activity(f) for f in ("source", "externalId", "type")),
    *(_redeem(f) for f in ("order", "idempotencyKey")),
]  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
async def test_an_id_that_holds_what_is_not_seen_is_refused_everywhere(
    brand: Any, rows: Any, seed: int
) -> None:
    await brand.enroll("ada")
    before, draw = await rows.of(brand.tenant_id), random.Random(seed)
    for place in PLACES:
        for one in draw.sample(UNSEEN, 5):
            at = draw.randrange(10)
            bad = "abcdefghi"[:at] + one + "abcdefghi"[at:]
            query, variables, field = place(brand, bad)
            [payload] = (await brand.service.run(query, **variables)).values()
            told = [(error["code"], error["field"]) for error in payload["userErrors"]]
            assert told == [("BAD_USER_INPUT", field)], (field, bad)
            assert "without them" in payload["userErrors"][0]["message"]
    items = [brand.purchase("ada", "1.00", externalId=f"o{one}1") for one in UNSEEN]
    outcomes = (await brand.service.run(RECORD_MANY, items=items))["recordPurchases"]["outcomes"]
    assert [o["userErrors"][0]["field"] for o in outcomes] == ["externalId"] * len(UNSEEN)
    assert await rows.of(brand.tenant_id) == before


async def test_an_id_that_is_seen_stays_byte_for_byte_as_it_was_sent(brand: Any) -> None:
    for number, text in enumerate(SEEN):
        given = {"externalId": text, "identifiers": [f"{text}{number}"]}
        member = (await brand.service.run(ENROLL, input=given))["enrollMember"]["member"]
        assert (member["externalId"], member["identifiers"]) == (text, [f"{text}{number}"])
        bought = brand.purchase(text, "1.00", source=text, externalId=text)
        purchase = (await brand.service.run(RECORD, input=bought))["recordPurchase"]["purchase"]
        assert (purchase["source"], purchase["externalId"]) == (text, text)
        assert purchase["member"]["externalId"] == text
