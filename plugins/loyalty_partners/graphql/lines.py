"""Lines of a clearing account as each side sees its own half."""

from datetime import datetime
from typing import Any

import strawberry

from loyalty.days import iso
from loyalty.setup import Setup
from loyalty.units import currency_places, format_minor
from loyalty_graphql.access import reached
from loyalty_graphql.ids import node_id
from loyalty_graphql.scalars import Decimal
from loyalty_partners.graphql.enums import MovementKind

LINE, DISPUTE = "PartnerLine", "PartnerDispute"


@strawberry.type
@reached
class LineDispute:
    """Why a line is disputed, or was."""

    id: strawberry.ID
    """Opaque; the same on both sides."""
    open: bool
    """Whether it is neither withdrawn nor accepted."""
    accepted: bool
    """Whether the other side accepted it and the line was taken back."""
    raised_by_us: bool
    """Whether our side raised it."""
    reason: str
    """As whoever raised it wrote."""
    raised_at: datetime
    """When it was raised."""


@strawberry.type
@reached
class PartnerLine:
    """One movement on a clearing account. Money is more than nothing where the partner owes us."""

    id: strawberry.ID
    """Opaque; the same on both sides."""
    kind: MovementKind
    """What it stands for."""
    of: strawberry.ID | None
    """Of a reversal or correction: the line that it takes back."""
    at: datetime
    """When it happened; of what was told after its month was stated: when the next one began."""
    unit: str | None
    """Code of our unit, where points of ours moved."""
    points_out: Decimal
    """Points of ours that left members for the partner."""
    points_in: Decimal
    """Points of ours that members got."""
    fee: Decimal
    """Points of ours that it cost the member besides."""
    currency: str
    """ISO 4217 code."""
    amount: Decimal
    """The price of the points that moved."""
    charge: Decimal
    """What is owed for the movement besides."""
    carried: Decimal | None
    """What our points were carried at in our books; null: no cost is set in this currency."""
    ref: str | None
    """What whoever caused it calls it."""
    dispute: LineDispute | None
    """The newest dispute of it."""


def shown_line(row: Any, setup: Setup, *, brand: bool = False) -> PartnerLine:
    """`brand`: as the outside brand on the other side of our half reads it."""
    money, sign = currency_places(row["currency"]) or 0, -1 if brand else 1
    places = setup.places(row["unit"] or "") or 0
    carried = None if brand else row["carried"]

    def paid(minor: int) -> Decimal:
        return Decimal(format_minor(sign * minor, money))

    def points(minor: int) -> Decimal:
        return Decimal(format_minor(minor, places))

    return PartnerLine(
        id=node_id(LINE, row["id"]),
        kind=MovementKind(row["kind"]),
        of=_of(row),
        at=row["occurred_at"],
        unit=row["unit"],
        points_out=points(row["points_out"]),
        points_in=points(row["points_in"]),
        fee=points(row["fee"]),
        currency=row["currency"],
        amount=paid(row["amount"]),
        charge=paid(row["charge"]),
        carried=None if carried is None else Decimal(format_minor(carried, money)),
        ref=row["ref"],
        dispute=_dispute(row, brand=brand),
    )


def _of(row: Any) -> strawberry.ID | None:
    if row["of_id"] is None or row["kind"] == MovementKind.SETTLEMENT:
        return None
    return node_id(LINE, row["of_id"])


def _dispute(row: Any, *, brand: bool) -> LineDispute | None:
    if row["dispute_id"] is None:
        return None
    return LineDispute(
        id=node_id(DISPUTE, row["dispute_id"]),
        open=row["dispute_state"] == "OPEN",
        accepted=row["dispute_state"] == "ACCEPTED",
        raised_by_us=row["dispute_raised_here"] is not brand,
        reason=row["dispute_reason"],
        raised_at=row["dispute_raised_at"],
    )


def exported(line: PartnerLine) -> dict[str, str | None]:
    """A line as files have it."""
    disputed = line.dispute is not None and line.dispute.open
    return {
        "line": str(line.id), "kind": line.kind.value,
        "of": None if line.of is None else str(line.of), "at": iso(line.at), "unit": line.unit,
        "points_out": line.points_out, "points_in": line.points_in, "fee": line.fee,
        "currency": line.currency, "amount": line.amount, "charge": line.charge, "ref": line.ref,
        "disputed": "yes" if disputed else "no",
    }  # fmt: skip
