"""What one fact came to under one setup: what its rules granted, what it took back."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from loyalty.backtest.sales import Sales
from loyalty.facts import Fact, PurchaseRecorded
from loyalty.settlement.sale import Sale

Grant = Mapping[str, Any]
"""A grant as a decision's body has it under `grants`."""

Row = tuple[Any, ...]
AT, BODY = 5, -1  # of a row of facts, as the settlement writes it


class Taken(NamedTuple):
    """What a return takes back of one line of a grant, whether or not the member still has it."""

    grant: Grant
    line: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """`fact` is the purchase (for a return: the one that came back), whose lines were granted."""

    at: datetime
    member_id: UUID | None
    fact: Fact
    grants: Sequence[Grant] = ()
    taken: Sequence[Taken] = ()


def told(rows: Sequence[Row], fact: Fact, member_id: UUID | None, sales: Sales) -> Iterator[Told]:
    """What settling `fact` says, and what it undid on the way (a corrected purchase does)."""
    for row in rows:
        if not (body := row[BODY]):
            continue
        sale = sales.named(body["sale"]) if "sale" in body else None
        grants, taken = body.get("grants", ()), _taken(body, sale)
        if grants or taken:
            yield Told(
                at=row[AT], member_id=member_id, fact=fact if sale is None else sale.fact,
                grants=grants, taken=taken,
            )  # fmt: skip


def categories(fact: Fact) -> Mapping[str, str | None]:
    """The categories of a purchase's lines, by line."""
    if not isinstance(fact, PurchaseRecorded):
        return {}
    return {line.id: line.category for line in fact.lines}


def _taken(body: Mapping[str, Any], sale: Sale | None) -> list[Taken]:
    if sale is None:
        return []
    return [Taken(sale.grants[index], line, amount) for index, line, amount in body["taken"]]
