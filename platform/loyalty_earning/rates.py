"""Rates that differ from a rule's own: by category, product, brand or attribute."""

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import TypeVar

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from loyalty.purchase import Line
from loyalty_earning.categories import nearest
from loyalty_earning.notation import DecimalText
from loyalty_earning.scale import RateKey, Scale
from loyalty_earning.section import Section
from loyalty_earning.selection import CategoryPath, Selection


class CategoryRate(Section):
    """Another rate for the lines of one category."""

    category: CategoryPath
    """Category path; it covers everything under it, and the longest path that fits a line wins."""
    points: DecimalText | None = None
    """Points in this category, instead of the rule's own; "0" for none."""
    percent: DecimalText | None = None
    """Of a rule with `percent`: the percentage in this category; "0" for none."""

    @property
    def rate(self) -> str:
        return self.percent or self.points or "0"

    @model_validator(mode="after")
    def _has_one_rate(self) -> "CategoryRate":
        return _with_one_rate(self)


class Rate(Selection):
    """Another rate for what its lists name."""

    points: DecimalText | None = None
    """Points for these, instead of the rule's own; "0" for none."""
    percent: DecimalText | None = None
    """Of a rule with `percent`: the percentage for these; "0" for none."""

    @property
    def rate(self) -> str:
        return self.percent or self.points or "0"

    @model_validator(mode="after")
    def _names_something(self) -> "Rate":
        if self.is_empty:
            raise PydanticCustomError("rate", "name categories, skus, brands or attributes")
        return _with_one_rate(self)


R = TypeVar("R", CategoryRate, Rate)


def _with_one_rate(rate: R) -> R:
    if (rate.points is None) == (rate.percent is None):
        raise PydanticCustomError("rate", "give points; in a rule with percent give percent")
    return rate


CATEGORIES_KEPT = 1_000  # of those that baskets name: their rate is looked up once


class Tariff:
    """All rates of one rule: the first of `rates` that names a line, else the longest category."""

    def __init__(
        self, points: str, rates: tuple[Rate, ...], categories: tuple[CategoryRate, ...]
    ) -> None:
        by_key: dict[RateKey, str] = {rate.category: rate.rate for rate in categories}
        by_key |= {at: rate.rate for at, rate in enumerate(rates)}
        self.points = {None: points, **by_key}
        self.scale = Scale.of(points, by_key)
        self.is_flat = not by_key
        self._rates = tuple(enumerate(rates))
        known = frozenset(rate.category for rate in categories)
        self._of_category = lru_cache(CATEGORIES_KEPT)(partial(nearest, known=known))
        self._rate_of = lru_cache(CATEGORIES_KEPT)(self._by_category)

    def keys(self, lines: Sequence[Line]) -> list[RateKey]:
        """Which rate each line has."""
        of_category = self._of_category
        if not self._rates:
            return [of_category(line.category) for line in lines]
        return [self._key(line) for line in lines]

    def rates_of(self, lines: Sequence[Line]) -> list[int]:
        """The same as numerators of the scale."""
        if not self._rates:
            rate_of = self._rate_of
            return [rate_of(line.category) for line in lines]
        numerators = self.scale.numerators
        return [numerators[key] for key in self.keys(lines)]

    def _by_category(self, category: str | None) -> int:
        return self.scale.numerators[self._of_category(category)]

    def _key(self, line: Line) -> RateKey:
        for at, rate in self._rates:
            if rate.names(line):
                return at
        return self._of_category(line.category)

    @property
    def gives(self) -> bool:
        return any(self.scale.numerators.values())
