"""How an order was paid: rules may count only what was paid in some way, or leave that out."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from loyalty.purchase import Tender, TenderKind
from loyalty_earning.section import Names, Section


class Tenders(Section):
    """Tenders of any of these kinds or names."""

    kinds: Annotated[tuple[TenderKind, ...], Field(max_length=len(TenderKind))] = ()
    """Kinds of tenders: CARD, CASH, STORED_VALUE, GIFT_CARD, POINTS or OTHER."""
    names: Names = ()
    """Names of tenders, exactly as the purchases write them, such as a co-branded card."""

    @model_validator(mode="after")
    def _names_something(self) -> "Tenders":
        if not self.kinds and not self.names:
            raise PydanticCustomError("tenders", "name kinds or names of tenders")
        return self

    def covers(self, tender: Tender) -> bool:
        return tender.kind in self.kinds or tender.name in self.names


def paid_part(
    tenders: Sequence[Tender], paid_with: Tenders | None, not_paid_with: Tenders | None
) -> tuple[int, int]:
    """Which part of an order counts, as (numerator, denominator) of what was paid in all.

    Every tender pays every line in proportion. Of an order that cost nothing everything counts
    that is asked for without naming a tender.
    """
    counted = sum(
        tender.amount
        for tender in tenders
        if (paid_with is None or paid_with.covers(tender))
        and (not_paid_with is None or not not_paid_with.covers(tender))
    )
    paid = sum(tender.amount for tender in tenders)
    if paid <= 0:
        return (1 if paid_with is None else 0), 1
    return counted, paid
