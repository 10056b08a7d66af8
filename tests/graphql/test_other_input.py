"""One key or order number again: with another input it is refused and the field is named; with the
same one, however it is written, the first answer comes back."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from tests.graphql.brand import POINTS
from tests.graphql.documents import ACTIVITY, ADJUST, CAPTURE, RECORD, REDEEM, RELEASE, RETURN

Given = dict[str, Any]
ADA, BOB = {"externalId": "ada"}, {"externalId": "bob"}
LINE = {
    "id": "1", "amount": "20.00", "quantity": "2", "sku": "S", "category": "C", "brand": "B",
    "attributes": {"size": 1, "tags": ["a", "b"]},
}  # fmt: skip
LATER = "2026-01-01T16:59:59Z"
LEFT_OUT = object()

# By document: what is sent again, each with one thing changed.
OTHERWISE: Mapping[str, list[tuple[str, Any]]] = {
    RECORD: [
        ("member", BOB), ("occurredAt", LATER), ("currency", "EUR"), ("taxIncluded", False),
        ("lines", LEFT_OUT), ("attributes", {"till": 2}), ("attributes", {"till": "1"}),
        ("attributes", {"till": True}), ("attributes", {"till": 1, "more": 1}), ("attributes", {}),
        ("lines.0.id", "2"), ("lines.0.quantity", "3"), ("lines.0.sku", "s"),
        ("lines.0.sku", "Ś"), ("lines.0.category", "D"), ("lines.0.brand", LEFT_OUT),
        ("lines.0.kind", "SHIPPING"), ("lines.0.tax", "1.00"),
        ("lines.0.attributes", {"size": 1, "tags": ["b", "a"]}),
        ("lines.0.attributes", {"size": "1", "tags": ["a", "b"]}), ("lines.0.attributes", LEFT_OUT),
        ("tenders", [{"kind": "CASH", "amount": "20.00"}]),
        ("tenders", [{"kind": "CARD", "amount": "20.00", "name": "visa"}]),
        ("tenders", [{"kind": "CARD", "amount": "15.00"}, {"kind": "CASH", "amount": "5.00"}]),
    ],
    RETURN: [
        ("occurredAt", LATER), ("purchaseExternalId", "o-other"), ("lines.0.quantity", "0.5"),
        ("lines.0.id", "2"), ("lines", LEFT_OUT), ("attributes", {"why": "late"}),
    ],
    ACTIVITY: [
        ("member", BOB), ("type", "visit"), ("occurredAt", LATER), ("attributes", {"stars": 4}),
        ("attributes", LEFT_OUT),
    ],
    REDEEM: [
        ("member", BOB), ("amount", "6"), ("unit", "stars"), ("program", "stars"),
        ("order", "o-2"), ("order", LEFT_OUT), ("capture", True), ("holdForSeconds", 60),
    ],
    ADJUST: [
        ("member", BOB), ("amount", "-7"), ("amount", "8"), ("unit", "stars"),
        ("reasonCode", "ERROR"), ("note", "other"), ("expiresAt", "2027-01-01T00:00:00Z"),
        ("allowDeficit", True),
    ],
    CAPTURE: [("amount", "1"), ("redemption", "{other}")],
    RELEASE: [("reason", "another"), ("redemption", "{held}")],
}  # fmt: skip
# The same, written otherwise.
LIKEWISE: Mapping[str, list[tuple[str, Any]]] = {
    RECORD: [
        ("total", "20"), ("total", "20.0"), ("occurredAt", "2026-01-01T12:00:00-05:00"),
        ("occurredAt", "2026-01-01 17:00:00.000Z"), ("revision", 1), ("taxIncluded", True),
        ("lines.0.quantity", "2.000"), ("lines.0.discount", None), ("lines.0.tax", "0.00"),
        ("lines.0.kind", "PRODUCT"), ("lines.0.attributes", {"tags": ["a", "b"], "size": 1}),
        ("member", {"identifier": "ada-card"}),
    ],
    ACTIVITY: [("attributes", {"stars": 5, "text": None}), ("occurredAt", "2026-01-01T17:00:00z")],
    REDEEM: [("amount", "5.0"), ("capture", False), ("holdForSeconds", None), ("reward", None)],
    ADJUST: [("amount", "7.00"), ("expiresAt", None)],
}  # fmt: skip
REFUSED = {RECORD: "PURCHASE_CHANGED", RETURN: "RETURN_CHANGED", ACTIVITY: "ACTIVITY_CHANGED"}


async def test_another_input_is_refused_and_named_and_nothing_is_written(
    brand: Any, rows: Any
) -> None:
    first = await _sent_first(brand)
    before = await rows.of(brand.tenant_id)
    for document, changes in OTHERWISE.items():
        for path, value in changes:
            changed = _with(first[document], path, _named(first, value))
            [error] = (await _payload(brand, document, changed))["userErrors"]
            assert error["code"] == REFUSED.get(document, "IDEMPOTENCY_MISMATCH"), (path, value)
            assert error["field"].startswith(path), (path, value)
    assert await rows.of(brand.tenant_id) == before
    assert sum(map(len, OTHERWISE.values())) >= 45


async def test_the_same_written_otherwise_is_the_same(brand: Any, rows: Any) -> None:
    first = await _sent_first(brand)
    said = {document: await _payload(brand, document, first[document]) for document in LIKEWISE}
    before = await rows.of(brand.tenant_id)
    for document, changes in LIKEWISE.items():
        for path, value in changes:
            again = await _payload(brand, document, _with(first[document], path, value))
            assert again == said[document], (path, value)
            assert again["replayed"] is True
    assert await rows.of(brand.tenant_id) == before
    assert sum(map(len, LIKEWISE.values())) >= 15


async def _sent_first(brand: Any) -> dict[str, Given]:
    """Each document's input that was taken."""
    await brand.make_unit("stars")
    await brand.run_program("stars", {**POINTS, "unit": "stars"})
    await brand.enroll("ada", ["ada-card"])
    await brand.enroll("bob")
    await brand.service.run(RECORD, input=brand.purchase("bob", "500.00"))
    purchase = brand.purchase(
        "ada", "20.00", externalId="sale-1", lines=[LINE], attributes={"till": 1},
        tenders=[{"kind": "CARD", "amount": "20.00"}],
    )  # fmt: skip
    await brand.service.run(RECORD, input=brand.purchase("ada", "500.00", externalId="o-other"))
    at, command = brand.now(), {"member": ADA, "unit": "points"}
    first: dict[str, Given] = {
        RECORD: purchase,
        RETURN: {
            "source": "shop", "returnId": "r-1", "purchaseExternalId": "sale-1", "occurredAt": at,
            "lines": [{"id": "1", "quantity": "1"}],
        },
        ACTIVITY: {
            "member": ADA, "source": "app", "externalId": "a-1", "type": "review",
            "occurredAt": at, "attributes": {"stars": 5, "text": None},
        },
        REDEEM: {
            **command, "amount": "5", "program": "points", "idempotencyKey": "key-redeem",
            "order": "o-1",
        },
        ADJUST: {
            **command, "amount": "7", "reasonCode": "GOODWILL", "note": "n",
            "idempotencyKey": "key-adjust",
        },
    }  # fmt: skip
    for document, given in first.items():
        payload = await _payload(brand, document, given)
        assert (payload["replayed"], payload["userErrors"]) == (False, []), given
    for document, name in ((CAPTURE, "held"), (RELEASE, "other")):
        held = {**first[REDEEM], "idempotencyKey": f"key-hold-{name}"}
        ident = (await _payload(brand, REDEEM, held))["redemption"]["id"]
        first[document] = {"redemption": ident, "idempotencyKey": f"key-end-{name}"}
        assert (await _payload(brand, document, first[document]))["userErrors"] == []
    return first


def _named(first: Mapping[str, Given], value: Any) -> Any:
    named = {"{held}": first[CAPTURE]["redemption"], "{other}": first[RELEASE]["redemption"]}
    return named.get(value, value) if isinstance(value, str) else value


def _with(given: Given, path: str, value: Any) -> Given:
    """The same input with another value at a path (`lines.0.sku`)."""
    changed = deepcopy(given)
    *steps, last = path.split(".")
    at: Any = changed
    for step in steps:
        at = at[int(step)] if step.isdigit() else at[step]
    if value is LEFT_OUT:
        at.pop(last, None)
    else:
        at[last] = value
    return changed


async def _payload(brand: Any, document: str, given: Given) -> Any:
    [payload] = (await brand.admin.run(document, input=given)).values()
    return payload
