"""A purchase that is wrong is refused with a code, the field and what to do; nothing is written."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.graphql.documents import PREVIEW, RECORD, RECORD_MANY

Case = tuple[Mapping[str, Any], str, str]
LONG = "x" * 201


def _lines(*lines: Mapping[str, Any], total: str = "10.00") -> dict[str, Any]:
    return {"lines": list(lines), "total": total}


def _line(**given: Any) -> dict[str, Any]:
    return _lines({"amount": "10.00", **given})


def _tenders(*amounts: str) -> dict[str, Any]:
    return {"tenders": [{"kind": "CARD", "amount": amount} for amount in amounts]}


BAD: Mapping[str, Case] = {
    **{
        f"the total {text!r}": ({"total": text}, "BAD_AMOUNT", "total")
        for text in (
            "ten", "", "-1.00", "1.234", "1e3", "1,00", " 1", "1.", ".5", "+1", "NaN", "Infinity",
            "0x10", "٣", "1_000", "--1", "9999999999999999999", "90000000000000.01", "1" * 40,
        )
    },
    "a currency that is none": ({"currency": "ZZZ"}, "CURRENCY_NOT_LISTED", "currency"),
    "a currency in small letters": ({"currency": "usd"}, "CURRENCY_NOT_LISTED", "currency"),
    "a currency that is not taken": ({"currency": "GBP"}, "CURRENCY_NOT_LISTED", "currency"),
    "lines that do not add up": (_lines({"amount": "9.99"}), "TOTAL_MISMATCH", "total"),
    "tax that is missing in the total": (
        {**_line(tax="0.80"), "taxIncluded": False}, "TOTAL_MISMATCH", "total",
    ),
    "tenders that do not add up": (_tenders("6.00", "3.99"), "TOTAL_MISMATCH", "tenders"),
    "a line twice": (
        _lines({"id": "a", "amount": "4.00"}, {"id": "a", "amount": "6.00"}),
        "DUPLICATE_LINE", "lines.1.id",
    ),
    "a line with the position of another": (
        _lines({"id": "2", "amount": "4.00"}, {"amount": "6.00"}), "DUPLICATE_LINE", "lines.1.id",
    ),
    "a negative line": (
        _lines({"amount": "11.00"}, {"amount": "-1.00"}), "BAD_AMOUNT", "lines.1.amount",
    ),
    "a line too precise": (_line(amount="10.001"), "BAD_AMOUNT", "lines.0.amount"),
    "a discount above its line": (_line(discount="10.01"), "BAD_AMOUNT", "lines.0.discount"),
    "a negative discount": (_line(discount="-1"), "BAD_AMOUNT", "lines.0.discount"),
    "a malformed tax": (_line(tax="?"), "BAD_AMOUNT", "lines.0.tax"),
    "no quantity": (_line(quantity="0"), "BAD_AMOUNT", "lines.0.quantity"),
    "a negative quantity": (_line(quantity="-1"), "BAD_AMOUNT", "lines.0.quantity"),
    "a quantity too precise": (_line(quantity="0.0001"), "BAD_AMOUNT", "lines.0.quantity"),
    "an empty line id": (_line(id=""), "BAD_USER_INPUT", "lines.0.id"),
    "a long sku": (_line(sku=LONG), "BAD_USER_INPUT", "lines.0.sku"),
    "a blank before a category": (_line(category=" tea"), "BAD_USER_INPUT", "lines.0.category"),
    "attributes of a line that are no object": (
        _line(attributes=[1]), "BAD_USER_INPUT", "lines.0.attributes",
    ),
    "attributes that are no object": ({"attributes": "x"}, "BAD_USER_INPUT", "attributes"),
    "too many tenders": (_tenders(*["0.50"] * 21), "LIMIT_EXCEEDED", "tenders"),
    "a malformed tender": (_tenders("10.00 USD"), "BAD_AMOUNT", "tenders.0.amount"),
    "points without a redemption": (
        {"tenders": [{"kind": "POINTS", "amount": "10.00"}]},
        "BAD_USER_INPUT", "tenders.0.redemption",
    ),
    "points of a redemption that is none": (
        {"tenders": [{"kind": "POINTS", "amount": "10.00", "redemption": "TWVtYmVyOjE"}]},
        "NOT_FOUND", "tenders.0.redemption",
    ),
    "revision 0": ({"revision": 0}, "BAD_USER_INPUT", "revision"),
    "a revision too high": ({"revision": 1001}, "BAD_USER_INPUT", "revision"),
    "no source": ({"source": ""}, "BAD_USER_INPUT", "source"),
    "a long source": ({"source": "s" * 65}, "BAD_USER_INPUT", "source"),
    "no external id": ({"externalId": ""}, "BAD_USER_INPUT", "externalId"),
    "a long external id": ({"externalId": LONG}, "BAD_USER_INPUT", "externalId"),
    "a time in the future": (
        {"occurredAt": "2026-01-01T17:05:01Z"}, "TOO_EARLY", "occurredAt",
    ),
    "a time before the window": (
        {"occurredAt": "2025-12-02T16:59:59Z"}, "TOO_LATE", "occurredAt",
    ),
    "the first instant there is": (
        {"occurredAt": "0001-01-01T00:00:00Z"}, "TOO_LATE", "occurredAt",
    ),
    "the last instant there is": (
        {"occurredAt": "9999-12-31T23:59:59Z"}, "TOO_EARLY", "occurredAt",
    ),
    "an unknown member": ({"member": {"externalId": "nobody"}}, "MEMBER_NOT_FOUND", "member"),
    "an unknown card": ({"member": {"identifier": "4711"}}, "MEMBER_NOT_FOUND", "member"),
    "an id that is none": ({"member": {"id": "%%%"}}, "MEMBER_NOT_FOUND", "member.id"),
    "an empty name": ({"member": {"externalId": ""}}, "BAD_USER_INPUT", "member.externalId"),
}  # fmt: skip


async def test_a_bad_purchase_is_refused_and_nothing_is_written(brand: Any, rows: Any) -> None:
    await brand.enroll("ada")
    before = await rows.of(brand.tenant_id)

    answers = {name: await _single(brand, bad) for name, (bad, _, _) in BAD.items()}

    assert answers == {name: (code, field) for name, (_, code, field) in BAD.items()}
    assert await rows.of(brand.tenant_id) == before


async def test_a_batch_refuses_each_bad_item_as_the_single_mutation_does(
    brand: Any, rows: Any
) -> None:
    await brand.enroll("ada")
    before = await rows.of(brand.tenant_id)

    names = list(BAD)
    items = [{**brand.purchase("ada", "10.00"), **BAD[name][0]} for name in names]
    outcomes = (await brand.service.run(RECORD_MANY, items=items))["recordPurchases"]["outcomes"]

    told = {name: _told(one["userErrors"]) for name, one in zip(names, outcomes, strict=True)}
    assert told == {name: (code, field) for name, (_, code, field) in BAD.items()}
    assert [one["purchase"] for one in outcomes] == [None] * len(BAD)
    assert await rows.of(brand.tenant_id) == before


async def test_a_preview_refuses_what_recording_refuses(brand: Any, rows: Any) -> None:
    await brand.enroll("ada")
    before = await rows.of(brand.tenant_id)

    told = {}
    for name, (bad, _, _) in BAD.items():
        given = {**brand.purchase("ada", "10.00"), **bad}
        data = await brand.service.run(PREVIEW, input=given)
        assert data["previewPurchase"]["earned"] == [], name
        told[name] = _told(data["previewPurchase"]["userErrors"])

    assert told == {name: (code, field) for name, (_, code, field) in BAD.items()}
    assert await rows.of(brand.tenant_id) == before


async def test_a_basket_has_500_lines_and_no_more(brand: Any) -> None:
    await brand.enroll("ada")
    most, more = ([{"amount": "0.02"}] * count for count in (500, 501))

    data = await brand.service.run(RECORD, input=brand.purchase("ada", "10.00", lines=most))
    assert data["recordPurchase"]["userErrors"] == []

    too_long = brand.purchase("ada", "10.02", lines=more)
    assert await brand.service.refused(RECORD, input=too_long) == [("LIMIT_EXCEEDED", None)]
    data = await brand.service.run(RECORD_MANY, items=[too_long])
    [outcome] = data["recordPurchases"]["outcomes"]
    assert _told(outcome["userErrors"]) == ("LIMIT_EXCEEDED", "lines")


async def test_a_closed_member_buys_nothing(brand: Any, rows: Any) -> None:
    await brand.enroll("ada")
    close = "mutation($i: CloseMemberInput!) { closeMember(input: $i) { userErrors { code } } }"
    await brand.service.run(close, i={"member": {"externalId": "ada"}})
    before = await rows.of(brand.tenant_id)

    assert await _single(brand, {}) == ("MEMBER_CLOSED", "member")
    assert await rows.of(brand.tenant_id) == before


async def test_an_unknown_member_is_enrolled_where_the_tenant_says_so(
    make_brand: Callable[..., Any],
) -> None:
    brand = await make_brand(enroll_on_purchase=True)

    data = await brand.service.run(RECORD, input=brand.purchase("new", "12.00"))

    assert data["recordPurchase"]["userErrors"] == []
    assert data["recordPurchase"]["purchase"]["member"]["externalId"] == "new"
    assert data["recordPurchase"]["purchase"]["earned"][0]["amount"] == "12"
    unknown_card = {**brand.purchase("x", "1.00"), "member": {"identifier": "4711"}}
    data = await brand.service.run(RECORD, input=unknown_card)
    assert _told(data["recordPurchase"]["userErrors"]) == ("MEMBER_NOT_FOUND", "member")


async def test_a_refusal_says_what_to_do_and_leaves_the_key_free(brand: Any) -> None:
    await brand.enroll("ada")
    purchase = brand.purchase("ada", "10.00", lines=[{"amount": "9.00"}])

    refused = (await brand.service.run(RECORD, input=purchase))["recordPurchase"]
    mended = (await brand.service.run(RECORD, input={**purchase, "lines": []}))["recordPurchase"]

    [error] = refused["userErrors"]
    assert "total = sum of (amount - discount)" in error["message"]
    assert error["details"] == {"computedMinor": 900, "givenMinor": 1000}
    assert error["retryable"] is False
    assert mended["replayed"] is False
    assert mended["purchase"]["earned"][0]["amount"] == "10"


async def test_a_number_is_no_amount_and_an_amount_has_at_most_40_characters(
    brand: Any, rows: Any
) -> None:
    await brand.enroll("ada")
    before = await rows.of(brand.tenant_id)

    for total, said in ((10, "strings"), (10.5, "strings"), (True, "strings"), ("1" * 41, "40")):
        answer = (
            await brand.service.post(
                RECORD, {"input": {**brand.purchase("ada", "1"), "total": total}}
            )
        ).json()
        [error] = answer["errors"]
        assert error["extensions"]["code"] == "BAD_USER_INPUT"
        assert "total" in error["message"]
        assert said in error["message"]
        assert "data" not in answer
    assert await rows.of(brand.tenant_id) == before


async def _single(brand: Any, bad: Mapping[str, Any]) -> tuple[str, str] | Any:
    data = await brand.service.run(RECORD, input={**brand.purchase("ada", "10.00"), **bad})
    payload = data["recordPurchase"]
    assert payload["purchase"] is None
    assert payload["replayed"] is False
    return _told(payload["userErrors"])


def _told(errors: list[dict[str, Any]]) -> tuple[str, str] | Any:
    if len(errors) != 1 or len(errors[0]["message"]) < 5:
        return errors
    return errors[0]["code"], errors[0]["field"]
