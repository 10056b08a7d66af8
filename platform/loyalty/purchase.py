"""The arithmetic of a purchase: lines, tenders and what came back of them.

total = sum of (amount - discount) over all lines, plus the tax that is not included in the amounts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import Any

from loyalty.errors import Code, Refused
from loyalty.personal import PERSONAL


class LineKind(StrEnum):
    PRODUCT = "PRODUCT"
    SHIPPING = "SHIPPING"
    FEE = "FEE"
    TIP = "TIP"
    GIFT_CARD = "GIFT_CARD"


class TenderKind(StrEnum):
    CARD = "CARD"
    CASH = "CASH"
    STORED_VALUE = "STORED_VALUE"
    GIFT_CARD = "GIFT_CARD"
    POINTS = "POINTS"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a basket. Money in minor units of the whole line, quantity in thousandths."""

    id: str
    amount: int
    discount: int = 0
    tax: int = 0
    quantity: int = 1000
    sku: str | None = None
    category: str | None = None
    brand: str | None = None
    kind: LineKind = LineKind.PRODUCT
    attributes: Mapping[str, Any] = field(default_factory=dict, metadata=PERSONAL)

    @property
    def net(self) -> int:
        """What was charged for the line: its amount less its discount."""
        return self.amount - self.discount


@dataclass(frozen=True, slots=True, kw_only=True)
class Tender:
    """How a part of the total was paid. A POINTS tender names the redemption that paid it."""

    kind: TenderKind
    amount: int
    name: str | None = field(default=None, metadata=PERSONAL)
    redemption_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnedLine:
    """What came back of a line: a quantity (thousandths) or an amount, never both."""

    id: str
    quantity: int | None = None
    amount: int | None = None


def check_lines(lines: Sequence[Line]) -> None:
    """Refuse a line id that is there twice and a discount larger than its line."""
    seen: set[str] = set()
    for index, line in enumerate(lines):
        if line.id in seen:
            raise Refused(
                Code.DUPLICATE_LINE,
                f"the line id {line.id!r} is used twice: give each line an id of its own",
                field=f"lines.{index}.id",
            )
        seen.add(line.id)
        if line.discount > line.amount:
            raise Refused(
                Code.BAD_AMOUNT,
                "is larger than the amount of the line",
                field=f"lines.{index}.discount",
            )


def total_of(lines: Sequence[Line], *, tax_included: bool) -> int:
    """What the lines add up to, in minor units."""
    return sum(line.net + (0 if tax_included else line.tax) for line in lines)


def check_total(total: int, lines: Sequence[Line], *, tax_included: bool, tolerance: int) -> None:
    """Refuse a total that differs from what its lines add up to by more than the tolerance."""
    computed = total_of(lines, tax_included=tax_included)
    if abs(computed - total) > tolerance:
        raise Refused(
            Code.TOTAL_MISMATCH,
            "the lines do not add up to the total: total = sum of (amount - discount)"
            + ("" if tax_included else " + tax"),
            field="total",
            details={"computedMinor": computed, "givenMinor": total},
        )


def check_tenders(tenders: Sequence[Tender], total: int, *, tolerance: int) -> tuple[Tender, ...]:
    """The tenders that pay the total; without any it is one of kind OTHER."""
    if not tenders:
        return (Tender(kind=TenderKind.OTHER, amount=total),)
    paid = sum(tender.amount for tender in tenders)
    if abs(paid - total) > tolerance:
        raise Refused(
            Code.TOTAL_MISMATCH,
            "the tenders do not add up to the total",
            field="tenders",
            details={"computedMinor": paid, "givenMinor": total},
        )
    return tuple(tenders)


def returned_fraction(line: Line, returned: ReturnedLine) -> Fraction:
    """Which part of a bought line came back (may be over 1: the caller refuses that).

    :raises Refused: BAD_AMOUNT where neither quantity nor amount is given, or both are
    """
    if (returned.quantity is None) == (returned.amount is None):
        raise Refused(Code.BAD_AMOUNT, "give either quantity or amount", field="quantity")
    if returned.quantity is not None:
        return Fraction(returned.quantity, line.quantity)
    assert returned.amount is not None
    if line.net == 0:
        raise Refused(
            Code.BAD_AMOUNT, "nothing was charged for this line: return a quantity", field="amount"
        )
    return Fraction(returned.amount, line.net)
