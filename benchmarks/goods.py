"""The baskets that are bought: the same ones as facts, as items of a batch, and as plain rows."""

from datetime import UTC, datetime
from typing import Any

from loyalty.errors import Refused
from loyalty.facts import MemberRef, PurchaseRecorded
from loyalty.purchase import Line, Tender, TenderKind
from loyalty.recorder.each import Outcome
from loyalty.settlement.request import Recorded, Request

MEMBERS = 2_000
LINES = 5
ITEMS, NUMBER, MEMBER = "@items@", "@number@", "@member@"  # what a load client fills in


def member(number: int) -> str:
    return f"m{number:06d}"


def lines(count: int = LINES) -> list[dict[str, Any]]:
    return [
        {
            "id": str(index + 1),
            "sku": f"sku-{100_000 + index * 37}",
            "category": f"grocery/aisle-{index % 7}",
            "brand": "house",
            "quantity": "1",
            "amount": f"{2 + index}.49",
            "discount": "0.50",
        }
        for index in range(count)
    ]


def total(count: int = LINES) -> int:
    """Cents."""
    return sum(100 * (2 + index) - 1 for index in range(count))


def item(number: str, name: str, at: datetime, count: int = LINES) -> dict[str, Any]:
    """A purchase as `recordPurchase` and `recordPurchases` take it."""
    cents = total(count)
    return {
        "member": {"externalId": name},
        "source": "till",
        "externalId": number,
        "occurredAt": at.isoformat(),
        "currency": "USD",
        "total": f"{cents // 100}.{cents % 100:02d}",
        "lines": lines(count),
    }


def fact(
    number: int, at: datetime, count: int = LINES, *, members: int = MEMBERS, stride: int = 1
) -> PurchaseRecorded:
    """The purchase of that number; members take their turns, every `stride`-th of them."""
    cents = total(count)
    return PurchaseRecorded(
        member=MemberRef(external_id=member(number * stride % members)),
        occurred_at=at,
        source="till",
        external_id=f"b{number:08d}",
        currency="USD",
        total=cents,
        lines=tuple(line_of(given) for given in lines(count)),
        tenders=(Tender(kind=TenderKind.OTHER, amount=cents),),
    )


def requests(
    first: int, count: int, size: int = LINES, *, members: int = MEMBERS, stride: int = 1
) -> list[Request]:
    now = datetime.now(UTC)
    facts = (fact(first + n, now, size, members=members, stride=stride) for n in range(count))
    return [Request(fact=one, actor="bench") for one in facts]


def stood(outcome: Outcome) -> Recorded:
    if isinstance(outcome, Refused):
        raise outcome
    if outcome.replayed:
        raise RuntimeError("a basket was measured twice")
    return outcome


def line_of(given: dict[str, Any]) -> Line:
    return Line(
        id=given["id"],
        sku=given["sku"],
        category=given["category"],
        brand=given["brand"],
        amount=minor(given["amount"]),
        discount=minor(given["discount"]),
    )


def minor(text: str) -> int:
    return int(text.replace(".", ""))
