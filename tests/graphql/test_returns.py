"""Returns: never more than was bought, in whatever order they come."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from tests.graphql.documents import BALANCE_OF, RECORD, RETURN, RETURNS

LINES = [
    {"id": "tea", "amount": "8.00", "quantity": "4"},
    {"id": "cup", "amount": "5.00", "discount": "1.00"},
    {"id": "gift", "amount": "0.00"},
]
Case = tuple[Mapping[str, Any], str, str | None]

BAD: Mapping[str, Case] = {
    "an unknown line": ({"lines": [{"id": "hat", "quantity": "1"}]}, "NOT_FOUND", "lines.0.id"),
    "more pieces than were bought": (
        {"lines": [{"id": "tea", "quantity": "4.001"}]}, "RETURN_TOO_LARGE", "lines.0.quantity",
    ),
    "more money than was paid": (
        {"lines": [{"id": "cup", "amount": "4.01"}]}, "RETURN_TOO_LARGE", "lines.0.amount",
    ),
    "the second line is too much": (
        {"lines": [{"id": "cup", "quantity": "1"}, {"id": "tea", "quantity": "5"}]},
        "RETURN_TOO_LARGE", "lines.1.quantity",
    ),
    "a line twice, together too much": (
        {"lines": [{"id": "tea", "quantity": "3"}, {"id": "tea", "quantity": "3"}]},
        "RETURN_TOO_LARGE", "lines.1.quantity",
    ),
    "money of what was free": (
        {"lines": [{"id": "gift", "amount": "1.00"}]}, "BAD_AMOUNT", "lines.0.amount",
    ),
    "neither quantity nor amount": ({"lines": [{"id": "tea"}]}, "BAD_AMOUNT", "lines.0.quantity"),
    "quantity and amount": (
        {"lines": [{"id": "tea", "quantity": "1", "amount": "2.00"}]},
        "BAD_AMOUNT", "lines.0.quantity",
    ),
    "nothing of a line": (
        {"lines": [{"id": "tea", "quantity": "0"}]}, "BAD_AMOUNT", "lines.0.quantity",
    ),
    "no money": ({"lines": [{"id": "tea", "amount": "0.00"}]}, "BAD_AMOUNT", "lines.0.amount"),
    "a negative quantity": (
        {"lines": [{"id": "tea", "quantity": "-1"}]}, "BAD_AMOUNT", "lines.0.quantity",
    ),
    "money too precise": (
        {"lines": [{"id": "tea", "amount": "1.001"}]}, "BAD_AMOUNT", "lines.0.amount",
    ),
    "an empty line id": (
        {"lines": [{"id": "", "quantity": "1"}]}, "BAD_USER_INPUT", "lines.0.id",
    ),
    "too early": ({"occurredAt": "2026-01-01T17:06:00Z"}, "TOO_EARLY", "occurredAt"),
    "too late": ({"occurredAt": "2025-11-01T17:00:00Z"}, "TOO_LATE", "occurredAt"),
    "no source": ({"source": ""}, "BAD_USER_INPUT", "source"),
    "no return id": ({"returnId": " "}, "BAD_USER_INPUT", "returnId"),
    "no purchase": ({"purchaseExternalId": ""}, "BAD_USER_INPUT", "purchaseExternalId"),
    "revision 0": ({"purchaseRevision": 0}, "BAD_USER_INPUT", "purchaseRevision"),
}  # fmt: skip


async def test_a_bad_return_is_refused_and_nothing_is_written(brand: Any, rows: Any) -> None:
    bought = await _bought(brand)
    before = await rows.of(brand.tenant_id)

    told = {}
    for name, (bad, _, _) in BAD.items():
        payload = await _return(brand, bought, **bad)
        assert payload["purchaseReturn"] is None, name
        told[name] = _told(payload)

    assert told == {name: (code, field) for name, (_, code, field) in BAD.items()}
    assert await rows.of(brand.tenant_id) == before


async def test_parts_come_back_until_nothing_is_left(brand: Any) -> None:
    bought = await _bought(brand)

    one = await _return(brand, bought, lines=[{"id": "tea", "quantity": "1"}])
    half = await _return(brand, bought, lines=[{"id": "cup", "amount": "2.00"}])
    too_much = await _return(brand, bought, lines=[{"id": "tea", "quantity": "3.5"}])
    rest = await _return(brand, bought)
    nothing = await _return(brand, bought)

    assert [_taken(one), _taken(half), _taken(rest)] == ["2", "2", "8"]
    assert _told(too_much) == ("RETURN_TOO_LARGE", "lines.0.quantity")
    assert _told(nothing) == ("RETURN_TOO_LARGE", "returnId")
    assert await _available(brand) == "0"


async def test_a_return_again_is_a_replay_and_changed_it_is_refused(brand: Any) -> None:
    bought = await _bought(brand)
    lines = [{"id": "tea", "quantity": "1"}]
    first = await _return(brand, bought, returnId="r-1", lines=lines)
    again = await _return(brand, bought, returnId="r-1", lines=[{"id": "tea", "quantity": "1.000"}])
    changed = await _return(brand, bought, returnId="r-1", lines=[{"id": "tea", "quantity": "2"}])

    assert (first.pop("replayed"), again.pop("replayed")) == (False, True)
    assert first == again
    assert _told(changed)[0] == "RETURN_CHANGED"
    assert "lines.0.quantity" in changed["userErrors"][0]["details"]["differs"]


async def test_of_returns_at_once_no_more_stand_than_was_bought(brand: Any) -> None:
    bought = await _bought(brand)

    payloads = await asyncio.gather(
        *(_return(brand, bought, lines=[{"id": "tea", "quantity": "0.5"}]) for _ in range(16))
    )

    told = Counter("stands" if not p["userErrors"] else _told(p)[0] for p in payloads)
    assert told == {"stands": 8, "RETURN_TOO_LARGE": 8}
    assert await _available(brand) == "4"


async def test_a_return_before_its_purchase_waits_and_is_applied_when_it_comes(brand: Any) -> None:
    await brand.enroll("ada")
    purchase = brand.purchase("ada", "12.00", lines=LINES)
    key = purchase["externalId"]

    waits = await _return(brand, key, returnId="r-1", lines=[{"id": "tea", "quantity": "2"}])
    too_much = await _return(brand, key, returnId="r-2", lines=[{"id": "cup", "quantity": "3"}])
    again = await _return(brand, key, returnId="r-1", lines=[{"id": "tea", "quantity": "2"}])

    assert [p["purchaseReturn"]["state"] for p in (waits, too_much)] == ["PARKED", "PARKED"]
    assert waits["purchaseReturn"]["takenBack"] == []
    assert again["replayed"] is True
    assert again["purchaseReturn"] == waits["purchaseReturn"]
    assert [(one["returnId"], one["endsAt"]) for one in await _listed(brand, "PARKED")] == [
        ("r-1", "2026-01-08T17:00:00Z"), ("r-2", "2026-01-08T17:00:00Z"),
    ]  # fmt: skip

    recorded = await brand.service.run(RECORD, input=purchase)

    assert recorded["recordPurchase"]["purchase"]["earned"][0]["amount"] == "12"
    assert await _available(brand) == "8"
    assert await _listed(brand, "PARKED") == []
    [applied] = await _listed(brand, "APPLIED")
    assert (applied["returnId"], applied["reason"]) == ("r-1", None)
    assert applied["settledAt"] == brand.now().replace("+00:00", "Z")
    [refused] = await _listed(brand, "REFUSED")
    assert (refused["returnId"], refused["reason"]["code"]) == ("r-2", "RETURN_TOO_LARGE")
    assert refused["reason"]["field"] == "lines.0.quantity"
    assert refused["reason"]["message"]
    assert [one["returnId"] for one in await _listed(brand, None)] == ["r-1", "r-2"]


async def test_the_list_of_waiting_returns_is_paged(brand: Any) -> None:
    for number in range(5):
        await _return(brand, f"never-{number}", returnId=f"r-{number}")

    page = (await brand.service.run(RETURNS, state="PARKED", first=3))["returns"]
    assert page["pageInfo"]["hasNextPage"] is True
    rest = (
        await brand.service.run(
            RETURNS, state="PARKED", first=3, after=page["pageInfo"]["endCursor"]
        )
    )["returns"]

    shown = [edge["node"]["returnId"] for edge in (*page["edges"], *rest["edges"])]
    assert shown == [f"r-{number}" for number in range(5)]
    assert rest["pageInfo"]["hasNextPage"] is False


async def test_money_of_a_purchase_that_is_not_here_needs_one_scale(
    make_brand: Callable[..., Any],
) -> None:
    """Without the purchase its currency is unknown, and 1.00 is not the same in yen."""
    one_scale, two_scales = await make_brand(), await make_brand(currencies=("USD", "JPY"))
    lines = [{"id": "tea", "amount": "2.00"}]

    parked = await _return(one_scale, "later", lines=lines)
    refused = await _return(two_scales, "later", lines=lines)

    assert parked["purchaseReturn"]["state"] == "PARKED"
    assert _told(refused) == ("BAD_AMOUNT", "lines.0.amount")
    assert "quantities" in refused["userErrors"][0]["message"]


async def test_a_return_is_possible_after_the_member_left(brand: Any) -> None:
    bought = await _bought(brand)
    close = "mutation($i: CloseMemberInput!) { closeMember(input: $i) { userErrors { code } } }"
    await brand.service.run(close, i={"member": {"externalId": "ada"}})

    payload = await _return(brand, bought)

    assert payload["userErrors"] == []
    assert payload["purchaseReturn"]["state"] == "APPLIED"


async def test_of_a_corrected_purchase_the_newest_revision_is_meant(brand: Any) -> None:
    await brand.enroll("ada")
    first = brand.purchase("ada", "12.00", lines=LINES)
    bought = first["externalId"]
    for purchase in (first, {**first, "revision": 2, "total": "8.00", "lines": LINES[:1]}):
        recorded = (await brand.service.run(RECORD, input=purchase))["recordPurchase"]
        assert recorded["userErrors"] == []
    which = f"""query($r: Int) {{
      purchase(source: "shop", externalId: "{bought}", revision: $r) {{ revision }} }}"""

    found = [await brand.service.run(which, r=revision) for revision in (None, 1, 2, 3)]
    replaced = await _return(brand, bought, purchaseRevision=1)
    returned = await _return(brand, bought, lines=[{"id": "tea", "amount": "4.00"}])

    assert [one["purchase"] and one["purchase"]["revision"] for one in found] == [2, 1, 2, None]
    assert _told(replaced) == ("PURCHASE_CHANGED", "purchaseRevision")
    assert _taken(returned) == "4"
    assert await _available(brand) == "4"


async def _bought(brand: Any) -> str:
    await brand.enroll("ada")
    purchase = brand.purchase("ada", "12.00", lines=LINES)
    data = await brand.service.run(RECORD, input=purchase)
    assert data["recordPurchase"]["userErrors"] == []
    return str(purchase["externalId"])


async def _return(brand: Any, bought: str, **more: Any) -> Any:
    given = {
        "source": "shop", "returnId": brand.key(), "purchaseExternalId": bought,
        "occurredAt": brand.now(), **more,
    }  # fmt: skip
    return (await brand.service.run(RETURN, input=given))["reversePurchase"]


async def _listed(brand: Any, state: str | None) -> list[Any]:
    data = await brand.service.run(RETURNS, state=state)
    return [edge["node"] for edge in data["returns"]["edges"]]


async def _available(brand: Any) -> str:
    data = await brand.service.run(BALANCE_OF, by={"externalId": "ada"}, unit="points")
    return str(data["member"]["balance"]["available"])


def _taken(payload: Any) -> str:
    assert payload["userErrors"] == []
    return str(payload["purchaseReturn"]["takenBack"][0]["amount"])


def _told(payload: Any) -> tuple[str, str | None]:
    [error] = payload["userErrors"]
    assert len(error["message"]) > 5
    return error["code"], error["field"]
