"""Baskets as `recordPurchases` takes them: one plain item for each basket of the data set.

A line's amount is what stood on the shelf (sales_value and the three discounts), its discount the
three discounts together. No row is left out. Two kinds of odd rows are told of in `Oddities`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from loyalty_app.demo.frames import Frames
from loyalty_app.demo.money import cents, texts
from loyalty_app.demo.shelf import Product, shelf

SOURCE = "pos"
CURRENCY = "USD"
DISCOUNTS = ("retail_disc", "coupon_disc", "coupon_match_disc")
ROWS_AT_ONCE = 100_000  # so that a year of baskets never stands in memory as Python objects


class Basket(NamedTuple):
    """One basket, ready to be sent."""

    id: str
    household: str
    at: datetime
    lines: int
    item: dict[str, Any]


@dataclass(slots=True)
class Oddities:
    """Rows that a till would not print like this, and what was made of them."""

    no_quantity: int = 0  # sold, or given away, 0 times: sent as one piece
    no_amount: int = 0  # lines that cost nothing before any discount: sent as they are
    unknown_product: int = 0  # not in the list of products: no category, no brand


def oddities(frames: Frames) -> Oddities:
    lines = frames.lines
    amount = cents(lines["sales_value"])
    for name in DISCOUNTS:
        amount += cents(lines[name])
    known = lines["product_id"].isin(frames.products["product_id"])
    return Oddities(
        no_quantity=int((lines["quantity"] <= 0).sum()),
        no_amount=int((amount == 0).sum()),
        unknown_product=int((~known).sum()),
    )


def baskets(frames: Frames) -> Iterator[Basket]:
    """All baskets in order of time, then of their number."""
    products = shelf(frames.products)
    for rows in _chunks(frames.lines):
        yield from _of(rows, products)


def _chunks(lines: Any) -> Iterator[Any]:
    """Parts of the frame that no basket straddles."""
    ids, start = lines["basket_id"].to_numpy(), 0
    while start < len(ids):
        stop = min(start + ROWS_AT_ONCE, len(ids))
        while stop < len(ids) and ids[stop] == ids[stop - 1]:
            stop += 1
        yield lines.iloc[start:stop]
        start = stop


def _of(rows: Any, products: Mapping[int, Product]) -> Iterator[Basket]:
    paid, off = cents(rows["sales_value"]), sum(cents(rows[name]) for name in DISCOUNTS)
    amounts, discounts, nets = texts(paid + off, 2), texts(off, 2), paid.tolist()
    skus, quantities = rows["product_id"].tolist(), rows["quantity"].tolist()
    seconds = rows["transaction_timestamp"].to_numpy().astype("datetime64[s]").astype("int64")
    ids, households, instants = (
        rows["basket_id"].tolist(),
        rows["household_id"].tolist(),
        seconds.tolist(),
    )
    start = 0
    for stop in _ends(rows["basket_id"].to_numpy()):
        lines = [
            _line(str(at - start + 1), _product(products, skus[at]), quantities[at],
                  amounts[at], discounts[at])
            for at in range(start, stop)
        ]  # fmt: skip
        yield _basket(ids[start], households[start], instants[start], sum(nets[start:stop]), lines)
        start = stop


def _ends(ids: Any) -> list[int]:
    """One past the last row of each basket."""
    changes = (ids[1:] != ids[:-1]).nonzero()[0] + 1
    return [*changes.tolist(), len(ids)]


def _product(products: Mapping[int, Product], number: int) -> Product:
    return products.get(number) or Product(str(number), None, None, by_volume=False)


def _line(
    line_id: str, product: Product, quantity: int, amount: str, discount: str
) -> dict[str, str]:
    line = {
        "id": line_id,
        "sku": product.sku,
        "quantity": _quantity(product, quantity),
        "amount": amount,
        "discount": discount,
    }
    if product.category is not None:
        line["category"] = product.category
    if product.brand is not None:
        line["brand"] = product.brand
    return line


def _quantity(product: Product, quantity: int) -> str:
    if product.by_volume and quantity > 0:
        return f"{quantity // 1000}.{quantity % 1000:03d}"
    return str(max(quantity, 1))


def _basket(
    number: int, household: int, instant: int, total: int, lines: list[dict[str, str]]
) -> Basket:
    at = datetime.fromtimestamp(instant, UTC)
    item = {
        "member": {"externalId": str(household)},
        "source": SOURCE,
        "externalId": str(number),
        "occurredAt": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "currency": CURRENCY,
        "total": f"{total // 100}.{total % 100:02d}",
        "taxIncluded": True,
        "lines": lines,
    }
    return Basket(str(number), str(household), at, len(lines), item)
