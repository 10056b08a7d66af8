"""What clients send of a purchase or a return, and how it becomes a fact.

The typed inputs of the single mutations and the items of the batch ones have the same shape, so one
translation serves both: it reads attributes by name and checks every value, with its path.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from loyalty.errors import Code, Refused
from loyalty.facts import MemberRef as Ref
from loyalty.facts import PurchaseRecorded, PurchaseReversed
from loyalty.purchase import (
    Line,
    LineKind,
    ReturnedLine,
    Tender,
    TenderKind,
    check_lines,
    check_tenders,
    check_total,
)
from loyalty.setup import Setup
from loyalty.units import currency_places, parse_minor
from loyalty_graphql import texts
from loyalty_graphql.ids import uuid_of

LINES_MAX = 500
TENDERS_MAX = 20
REVISION_MAX = 1_000
QUANTITY_PLACES = 3


class LineGiven(Protocol):
    @property
    def id(self) -> str | None: ...
    @property
    def sku(self) -> str | None: ...
    @property
    def category(self) -> str | None: ...
    @property
    def brand(self) -> str | None: ...
    @property
    def kind(self) -> LineKind: ...
    @property
    def quantity(self) -> Any: ...
    @property
    def amount(self) -> Any: ...
    @property
    def discount(self) -> Any: ...
    @property
    def tax(self) -> Any: ...
    @property
    def attributes(self) -> Any: ...


class TenderGiven(Protocol):
    @property
    def kind(self) -> TenderKind: ...
    @property
    def amount(self) -> Any: ...
    @property
    def name(self) -> str | None: ...
    @property
    def redemption(self) -> Any: ...


class PurchaseGiven(Protocol):
    @property
    def source(self) -> str: ...
    @property
    def external_id(self) -> str: ...
    @property
    def revision(self) -> int: ...
    @property
    def occurred_at(self) -> datetime: ...
    @property
    def currency(self) -> str: ...
    @property
    def total(self) -> Any: ...
    @property
    def tax_included(self) -> bool: ...

    @property
    def lines(self) -> Sequence[Any]: ...
    @property
    def tenders(self) -> Sequence[Any]: ...

    @property
    def attributes(self) -> Any: ...


class ReturnGiven(Protocol):
    @property
    def source(self) -> str: ...
    @property
    def return_id(self) -> str: ...
    @property
    def purchase_external_id(self) -> str: ...
    @property
    def purchase_revision(self) -> int | None: ...
    @property
    def occurred_at(self) -> datetime: ...

    @property
    def lines(self) -> Sequence[Any]: ...

    @property
    def attributes(self) -> Any: ...


def purchase_fact(given: PurchaseGiven, member: Ref, setup: Setup) -> PurchaseRecorded:
    """The fact of a purchase whose arithmetic holds.

    :raises Refused: with the path of the value at fault
    """
    places = _places(given.currency, setup)
    if not 1 <= given.revision <= REVISION_MAX:
        raise texts.bad("revision", f"must be 1 to {REVISION_MAX}")
    total = parse_minor(given.total, places, field="total")
    lines = _lines(given.lines, places) or (Line(id="1", amount=total),)
    check_lines(lines)
    check_total(total, lines, tax_included=given.tax_included, tolerance=setup.total_tolerance)
    return PurchaseRecorded(
        member=member,
        occurred_at=given.occurred_at,
        source=texts.name(given.source, field="source", longest=64),
        external_id=texts.name(given.external_id, field="externalId"),
        revision=given.revision,
        currency=given.currency,
        total=total,
        tax_included=given.tax_included,
        lines=lines,
        tenders=_tenders(given.tenders, total, places, setup.total_tolerance),
        attributes=attributes(given.attributes),
    )


def return_fact(given: ReturnGiven, places: int) -> PurchaseReversed:
    """The fact of a return; `places` are those of the purchase's currency.

    :raises Refused: with the path of the value at fault
    """
    if len(given.lines) > LINES_MAX:
        raise Refused(Code.LIMIT_EXCEEDED, f"at most {LINES_MAX} lines", field="lines")
    revision = given.purchase_revision
    if revision is not None and not 1 <= revision <= REVISION_MAX:
        raise texts.bad("purchaseRevision", f"must be 1 to {REVISION_MAX}")
    return PurchaseReversed(
        occurred_at=given.occurred_at,
        source=texts.name(given.source, field="source", longest=64),
        return_id=texts.name(given.return_id, field="returnId"),
        purchase_external_id=texts.name(given.purchase_external_id, field="purchaseExternalId"),
        purchase_revision=revision,
        lines=tuple(
            _returned(line, f"lines.{index}", places) for index, line in enumerate(given.lines)
        ),
        attributes=attributes(given.attributes),
    )


def _places(currency: str, setup: Setup) -> int:
    """Decimal places of a currency that the tenant takes."""
    places = currency_places(currency)
    if places is None or currency not in setup.currencies:
        known = "" if places is not None else ": it is no ISO 4217 currency"
        raise Refused(
            Code.CURRENCY_NOT_LISTED,
            f"the tenant does not take this currency{known}",
            field="currency",
            details={"listed": list(setup.currencies)},
        )
    return places


def _lines(given: Sequence[LineGiven], places: int) -> tuple[Line, ...]:
    if len(given) > LINES_MAX:
        raise Refused(Code.LIMIT_EXCEEDED, f"at most {LINES_MAX} lines", field="lines")
    return tuple(_line(line, index, places) for index, line in enumerate(given))


def _line(given: LineGiven, index: int, places: int) -> Line:
    path = f"lines.{index}"
    quantity = 1000
    if given.quantity is not None:
        quantity = parse_minor(given.quantity, QUANTITY_PLACES, field=f"{path}.quantity")
        if quantity == 0:
            raise texts.bad_amount(f"{path}.quantity", "must be more than nothing")
    return Line(
        id=str(index + 1) if given.id is None else _name(given.id, f"{path}.id"),
        sku=_name(given.sku, f"{path}.sku"),
        category=_words(given.category, f"{path}.category"),
        brand=_words(given.brand, f"{path}.brand"),
        kind=given.kind,
        quantity=quantity,
        amount=parse_minor(given.amount, places, field=f"{path}.amount"),
        discount=_money(given.discount, places, f"{path}.discount"),
        tax=_money(given.tax, places, f"{path}.tax"),
        attributes=attributes(given.attributes, f"{path}.attributes"),
    )


def _tenders(
    given: Sequence[TenderGiven], total: int, places: int, tolerance: int
) -> tuple[Tender, ...]:
    if len(given) > TENDERS_MAX:
        raise Refused(Code.LIMIT_EXCEEDED, f"at most {TENDERS_MAX} tenders", field="tenders")
    tenders = [_tender(tender, f"tenders.{index}", places) for index, tender in enumerate(given)]
    return check_tenders(tenders, total, tolerance=tolerance)


def _tender(given: TenderGiven, path: str, places: int) -> Tender:
    redemption = None
    if given.redemption is not None:
        redemption = str(uuid_of(given.redemption, "Redemption", field=f"{path}.redemption"))
    if given.kind is TenderKind.POINTS and redemption is None:
        raise texts.bad(f"{path}.redemption", "name the redemption that pays this tender")
    return Tender(
        kind=given.kind,
        amount=parse_minor(given.amount, places, field=f"{path}.amount"),
        name=_words(given.name, f"{path}.name"),
        redemption_id=redemption,
    )


def _returned(given: Any, path: str, places: int) -> ReturnedLine:
    if (given.quantity is None) == (given.amount is None):
        raise texts.bad_amount(f"{path}.quantity", "give either quantity or amount")
    quantity = amount = None
    if given.quantity is not None:
        field = f"{path}.quantity"
        quantity = parse_minor(given.quantity, QUANTITY_PLACES, field=field)
    else:
        field = f"{path}.amount"
        amount = parse_minor(given.amount, places, field=field)
    if not (quantity or amount):
        raise texts.bad_amount(field, "must be more than nothing")
    return ReturnedLine(id=_name(given.id, f"{path}.id"), quantity=quantity, amount=amount)


def _money(text: str | None, places: int, path: str) -> int:
    return 0 if text is None else parse_minor(text, places, field=path)


def _name(text: str | None, path: str) -> Any:
    return None if text is None else texts.name(text, field=path)


def _words(text: str | None, path: str) -> Any:
    return None if text is None else texts.words(text, field=path)


def attributes(given: Any, path: str = "attributes") -> Mapping[str, Any]:
    """What a client keeps with something: a JSON object.

    :raises Refused: BAD_USER_INPUT with the path
    """
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise texts.bad(path, "must be a JSON object")
    return given
