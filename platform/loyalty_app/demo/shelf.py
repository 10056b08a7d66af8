"""Products as a line of a basket names them: sku, category path, brand."""

from collections.abc import Mapping
from typing import Any, NamedTuple

LEVELS = ("department", "product_category", "product_type")
GASOLINE = "GASOLINE-REG UNLEADED"


class Product(NamedTuple):
    """What all lines of one product say. `category` is department/category/type, as far as known.

    `by_volume` products are counted in thousandths (of a gallon), all others in pieces.
    """

    sku: str
    category: str | None
    brand: str | None
    by_volume: bool


def shelf(products: Any) -> Mapping[int, Product]:
    """Every product by its number. Takes the data set's frame of products."""
    ids, brands = products["product_id"].tolist(), products["brand"].tolist()
    levels = [products[level].fillna("").tolist() for level in LEVELS]
    return {
        number: Product(str(number), category_path(*names), brand, names[-1] == GASOLINE)
        for number, brand, *names in zip(ids, brands, *levels, strict=True)
    }


def category_path(*levels: str) -> str | None:
    """`DRUG GM/GREETING CARDS-WRAP`: a slash inside a name would be a level that is none.

    A level without a name ends the path.
    """
    names: list[str] = []
    for level in levels:
        if not level:
            break
        names.append(level.strip().replace("/", "-"))
    return "/".join(names) or None
