"""Names that are about a purchase."""

from collections.abc import Iterable
from typing import Any

from loyalty.conditions.name import Entries, Name, NameType
from loyalty.conditions.scene import Scene
from loyalty.purchase import Line, Tender, TenderKind

THOUSANDTHS = 1_000
LINE = Entries(
    "a line",
    ("id", "kind", "sku", "category", "brand", "quantity", "amount", "net", "discount", "tax",
     "attributes"),
)  # fmt: skip


def categories(scene: Scene) -> list[str]:
    """Every category of a line and what it lies under: `grocery/tea` is in `grocery` too."""
    found: dict[str, None] = {}
    for line in scene.fact.lines:
        path = line.category
        while path and path not in found:
            found[path] = None
            path = path.rpartition("/")[0]
    return list(found)


def paid_by(scene: Scene) -> dict[str, int]:
    paid = dict.fromkeys((kind.value for kind in TenderKind), 0)
    for tender in scene.fact.tenders:
        paid[tender.kind.value] += tender.amount
    return paid


def paid_by_name(scene: Scene) -> dict[str, int]:
    paid: dict[str, int] = {}
    for tender in _named(scene):
        paid[tender.name or ""] = paid.get(tender.name or "", 0) + tender.amount
    return paid


def lines(scene: Scene) -> list[dict[str, Any]]:
    """Each with the keys of `LINE`."""
    return [
        {
            "id": line.id, "kind": line.kind.value, "sku": line.sku or "",
            "category": line.category or "", "brand": line.brand or "",
            "quantity": line.quantity / THOUSANDTHS, "amount": line.amount, "net": line.net,
            "discount": line.discount, "tax": line.tax, "attributes": line.attributes,
        }
        for line in scene.fact.lines
    ]  # fmt: skip


def _named(scene: Scene) -> list[Tender]:
    return [tender for tender in scene.fact.tenders if tender.name]


def _lines(scene: Scene) -> Iterable[Line]:
    found: tuple[Line, ...] = scene.fact.lines
    return found


def _each(values: Iterable[str | None]) -> list[str]:
    return list(dict.fromkeys(value for value in values if value))


NAMES = (
    Name("purchase.total", NameType.AMOUNT, "What was paid, tax and all.", lambda s: s.fact.total),
    Name(
        "purchase.net",
        NameType.AMOUNT,
        "The lines after their discounts, as their amounts are "
        "written: with the tax where it is included.",
        lambda s: sum(x.net for x in _lines(s)),
    ),
    Name(
        "purchase.gross",
        NameType.AMOUNT,
        "The lines before their discounts.",
        lambda s: sum(line.amount for line in _lines(s)),
    ),
    Name(
        "purchase.tax",
        NameType.AMOUNT,
        "The tax of all lines.",
        lambda s: sum(line.tax for line in _lines(s)),
    ),
    Name(
        "purchase.discount",
        NameType.AMOUNT,
        "The discounts of all lines.",
        lambda s: sum(line.discount for line in _lines(s)),
    ),
    Name(
        "purchase.currency",
        NameType.STRING,
        "ISO 4217 code of the currency.",
        lambda s: s.fact.currency,
    ),
    Name(
        "purchase.source", NameType.STRING, "The system that recorded it.", lambda s: s.fact.source
    ),
    Name(
        "purchase.external_id",
        NameType.STRING,
        "Its id there.",
        lambda s: s.fact.external_id,
        of_one=True,
    ),
    Name(
        "purchase.quantity",
        NameType.DOUBLE,
        "Pieces (or kilograms, …) of all lines; compare it with a number that has a point: 3.0.",
        lambda s: sum(line.quantity for line in _lines(s)) / THOUSANDTHS,
    ),
    Name(
        "purchase.skus",
        NameType.STRINGS,
        "Stock keeping units of the lines, each once.",
        lambda s: _each(line.sku for line in _lines(s)),
    ),
    Name(
        "purchase.categories",
        NameType.STRINGS,
        "Categories of the lines and those they lie under, "
        'each once: a line in "grocery/tea" gives "grocery" too.',
        categories,
    ),
    Name(
        "purchase.brands",
        NameType.STRINGS,
        "Brands of the lines, each once.",
        lambda s: _each(line.brand for line in _lines(s)),
    ),
    Name(
        "purchase.kinds",
        NameType.STRINGS,
        "Kinds of the lines, each once: PRODUCT, SHIPPING, FEE, TIP, GIFT_CARD.",
        lambda s: _each(line.kind.value for line in _lines(s)),
    ),
    Name(
        "purchase.lines",
        NameType.OBJECTS,
        f'The lines: {", ".join(LINE.keys)}; what a line does not say is "".',
        lines,
        entries=LINE,
    ),
    Name(
        "purchase.tender_kinds",
        NameType.STRINGS,
        "Kinds of the tenders, each once: CARD, CASH, STORED_VALUE, GIFT_CARD, POINTS, OTHER.",
        lambda s: _each(tender.kind.value for tender in s.fact.tenders),
    ),
    Name(
        "purchase.tender_names",
        NameType.STRINGS,
        "Names of the tenders that have one, each once.",
        lambda s: _each(tender.name for tender in _named(s)),
    ),
    Name(
        "purchase.paid_by",
        NameType.AMOUNTS,
        "What was paid by each kind of tender, 0 where it "
        'paid nothing: purchase.paid_by["POINTS"].',
        paid_by,
    ),
    Name(
        "purchase.paid_by_name",
        NameType.AMOUNTS,
        "What was paid by each name of a tender; a name "
        'that is not there is a fault, so ask first: "visa" in purchase.tender_names.',
        paid_by_name,
    ),
    Name(
        "purchase.attributes",
        NameType.MAP,
        "Attributes of the purchase.",
        lambda s: s.fact.attributes,
    ),
)
