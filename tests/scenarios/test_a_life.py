"""A membership from the first day: bought, spent, brought back; the statement explains it all."""

from typing import Any

from tests.graphql.brand import POINTS
from tests.graphql.documents import CLOSE

LINES = [
    {"id": "coat", "amount": "80.00", "discount": "10.00"},
    {"id": "socks", "amount": "30.00", "quantity": "3"},
]
PENDING = {**POINTS, "terms": {"pending_days": 14, "lifetime": {"span": "P12M"}}}


async def test_every_point_of_a_membership_is_in_its_statement(tell: Any) -> None:
    story = await tell("2026-01-05T10:00", PENDING)
    purchase = await story.buys("100.00", lines=LINES)
    balance = await story.has()
    assert (balance["available"], balance["pending"]) == ("0", "100")
    assert (await story.asks_for("1"))["userErrors"][0]["code"] == "INSUFFICIENT_BALANCE"

    await story.comes("2026-01-19T10:00")
    balance = await story.has()
    assert (balance["available"], balance["pending"]) == ("100", "0")
    await story.redeems("40", capture=True, order="o-77")
    returned = await story.brings_back(purchase, {"id": "socks", "quantity": "1"})
    assert returned["takenBack"] == [{"unit": "points", "amount": "10", "rule": "points/base"}]
    await story.comes("2026-02-01T10:00")
    returned = await story.brings_back(purchase)
    assert returned["takenBack"] == [{"unit": "points", "amount": "90", "rule": "points/base"}]

    balance = await story.has()
    assert (balance["available"], balance["deficit"]) == ("0", "40")
    await story.buys("25.00")
    assert ((await story.has())["pending"], (await story.has())["deficit"]) == ("0", "15")
    await story.buys("20.00")
    balance = await story.has()
    assert (balance["pending"], balance["deficit"]) == ("5", "0")

    entries = await story.statement()
    assert [(one["kind"], one["amount"], one["balanceAfter"]) for one in entries] == [
        ("GRANT", "100", "100"),
        ("BURN", "-40", "60"),
        ("TAKE_BACK", "-10", "50"),
        ("TAKE_BACK", "-90", "-40"),
        ("GRANT", "25", "-15"),
        ("GRANT", "20", "5"),
    ]
    assert [one["cause"] for one in entries] == [
        "PurchaseRecorded", "Redeem", "PurchaseReversed", "PurchaseReversed", "PurchaseRecorded",
        "PurchaseRecorded",
    ]  # fmt: skip
    assert sum(int(one["amount"]) for one in entries) == 5
    assert not any(one["late"] for one in entries)


async def test_any_order_of_returns_comes_to_nothing(tell: Any) -> None:
    story = await tell("2026-01-05T10:00")
    lines = [{"id": str(n), "amount": "3.33", "quantity": "3"} for n in range(3)]
    purchase = await story.buys("9.99", lines=lines)
    assert await story.available() == "9"

    for line in ("2", "0", "1", "1", "0", "2", "2", "1", "0"):
        await story.brings_back(purchase, {"id": line, "quantity": "1"})

    balance = await story.has()
    assert (balance["available"], balance["deficit"]) == ("0", "0")


async def test_who_leaves_takes_nothing_and_the_history_stays(tell: Any) -> None:
    story = await tell("2026-01-05T10:00")
    await story.buys("60.00")
    await story.comes("2026-02-05T10:00")

    closed = await story.brand.service.run(CLOSE, input={"member": {"externalId": "ada"}})

    assert closed["closeMember"]["member"]["status"] == "CLOSED"
    assert await story.available() == "0"
    assert (await story.has(asOf="2026-02-01T00:00:00Z"))["available"] == "60"
    assert [one["amount"] for one in await story.statement()] == ["60", "-60"]


async def test_a_late_purchase_is_judged_by_the_terms_of_its_day_and_says_that_it_is_late(
    tell: Any,
) -> None:
    story = await tell("2026-01-05T10:00")
    await story.comes("2026-03-05T10:00")
    await story.buys("10.00")
    late = await story.buys("7.00", occurredAt=story.instant("2026-02-01T09:00").isoformat())

    assert late["earned"][0]["expiresAt"] == "2027-02-01T14:00:00Z"
    assert [one["late"] for one in await story.statement()] == [False, True]
    assert (await story.has(asOf="2026-02-02T00:00:00Z"))["available"] == "7"
    assert (await story.has(asOf="2026-02-02T00:00:00Z", knownAt="2026-03-01T00:00:00Z"))[
        "available"
    ] == "0"
