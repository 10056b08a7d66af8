"""Baskets and redemptions as facts, for the driver that calls the recorder itself."""

from typing import Any

from loyalty.commands import Redeem
from loyalty.facts import MemberEnrolled, MemberRef, PurchaseRecorded
from loyalty.purchase import Line, Tender, TenderKind
from loyalty.settlement.request import ClientKey, Request
from loyalty_app.demo.baskets import Basket
from loyalty_app.demo.redemptions import POINTS, Redemption
from loyalty_app.demo.timeline import YEAR_START

ACTOR = "demo"


def enrolment(household: str) -> Request:
    return Request(fact=MemberEnrolled(occurred_at=YEAR_START, external_id=household), actor=ACTOR)


def purchase(basket: Basket) -> Request:
    item = basket.item
    total = _minor(item["total"], 2)
    return Request(
        fact=PurchaseRecorded(
            member=MemberRef(external_id=basket.household),
            occurred_at=basket.at,
            source=item["source"],
            external_id=item["externalId"],
            currency=item["currency"],
            total=total,
            tax_included=item["taxIncluded"],
            lines=tuple(_line(line) for line in item["lines"]),
            tenders=(Tender(kind=TenderKind.OTHER, amount=total),),
        ),
        actor=ACTOR,
    )


def redeem(redemption: Redemption, program: str, unit: str) -> Request:
    return Request(
        fact=Redeem(
            member=MemberRef(external_id=redemption.household),
            occurred_at=redemption.at,
            program=program,
            unit=unit,
            amount=POINTS,
            capture=True,
        ),
        actor=ACTOR,
        client_key=ClientKey(ACTOR, redemption.key),
    )


def _line(line: dict[str, Any]) -> Line:
    return Line(
        id=line["id"],
        amount=_minor(line["amount"], 2),
        discount=_minor(line["discount"], 2),
        quantity=_minor(line["quantity"], 3),
        sku=line["sku"],
        category=line.get("category"),
        brand=line.get("brand"),
    )


def _minor(text: str, places: int) -> int:
    """Of a number that this package wrote: with exactly so many places, or with none."""
    whole, _, part = text.partition(".")
    return int(whole + part.ljust(places, "0"))
