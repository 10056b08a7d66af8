"""Lists that pick lines of a basket, or activities by their attributes."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Annotated, TypeVar

from pydantic import Field

from loyalty.purchase import Line
from loyalty_earning.categories import nearest
from loyalty_earning.section import (
    LIST_MAX,
    Identifier,
    Name,
    Names,
    Section,
    changed,
    written,
)

S = TypeVar("S", bound="Selection")
_PATH = r"^[^/]+(/[^/]+)*$"
CategoryPath = Annotated[
    str,
    Field(max_length=200, pattern=_PATH),
    written(_PATH, "write a path such as grocery/coffee, without / at its ends and two in a row"),
]
AttributeTexts = Annotated[dict[Name, Names], Field(max_length=50)]


class Selection(Section):
    """What any of these lists names. Attributes are compared as text."""

    categories: Annotated[tuple[CategoryPath, ...], Field(max_length=LIST_MAX)] = ()
    """Category paths, each with everything under it."""
    skus: Names = ()
    """Stock keeping units, exactly as the lines write them."""
    brands: Names = ()
    """Brands, exactly as the lines write them."""
    attributes: AttributeTexts = Field(default_factory=dict)
    """Values by attribute name, such as `{"season": ["winter", "autumn"]}`."""

    choice: Identifier | None = None
    """A choice: the categories of the options that the member has picked of it are named, too."""

    @cached_property
    def is_empty(self) -> bool:
        lists = self.categories or self.skus or self.brands or self.attributes
        return not lists and self.choice is None

    def picked(self: S, categories: Mapping[str, Sequence[str]]) -> S:
        """The same with the categories that were picked of the choice that it names."""
        if self.choice is None:
            return self
        return changed(self, categories=(*self.categories, *categories.get(self.choice, ())))

    @cached_property
    def _sets(self) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
        return frozenset(self.categories), frozenset(self.skus), frozenset(self.brands)

    def named(self, lines: Sequence[Line]) -> list[Line]:
        """Those that any list names."""
        categories, skus, brands = self._sets
        if categories or self.attributes:
            return [line for line in lines if self.names(line)]
        return [line for line in lines if line.sku in skus or line.brand in brands]

    def names(self, line: Line) -> bool:
        """Whether any list names the line."""
        categories, skus, brands = self._sets
        if line.sku in skus or line.brand in brands:
            return True
        if categories and nearest(line.category, categories) is not None:
            return True
        return bool(self.attributes) and named_by(self.attributes, line.attributes)


def named_by(wanted: Mapping[str, tuple[str, ...]], attributes: Mapping[str, object]) -> bool:
    """Whether one of the attributes has one of the values that are wanted of it."""
    return any(as_text(attributes.get(name)) in values for name, values in wanted.items())


def as_text(value: object) -> str | None:
    """An attribute as configs write it: `true`, `12`, `winter`; None where it is no plain value."""
    match value:
        case bool():
            return "true" if value else "false"
        case str() | int() | float():
            return str(value)
        case _:
            return None
