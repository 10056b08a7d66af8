"""An earning rule as a tenant writes it."""

from enum import StrEnum
from functools import cached_property
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from loyalty.effects import AccountingClass
from loyalty.purchase import LineKind
from loyalty.units import Rounding, ratio
from loyalty_points.notation import CurrencyAmounts, DecimalText, minor_of
from loyalty_points.scale import Scale
from loyalty_points.section import LIST_MAX, MIN_ONE, Name, Names, Section, has_some
from loyalty_points.terms import Terms

CategoryPath = Annotated[str, Field(max_length=200, pattern=r"^[^/]+(/[^/]+)*$")]


class AmountBase(StrEnum):
    """Which amount of a line counts: before (gross) or after (net) discount, with tax or not."""

    NET = "net"
    NET_WITH_TAX = "net_with_tax"
    GROSS = "gross"
    GROSS_WITH_TAX = "gross_with_tax"

    @property
    def discounted(self) -> bool:
        return self in (AmountBase.NET, AmountBase.NET_WITH_TAX)

    @property
    def taxed(self) -> bool:
        return self in (AmountBase.NET_WITH_TAX, AmountBase.GROSS_WITH_TAX)


class Rounded(StrEnum):
    """Over what a rule rounds: once for each line, or once for the whole order."""

    LINE = "line"
    ORDER = "order"


class CategoryRate(Section):
    """Another rate for the lines of one category."""

    category: CategoryPath
    """Category path; it covers everything under it, and the longest path that fits a line wins."""
    points: DecimalText
    """Points for each `per` amount in this category, instead of the rule's own; "0" for none."""


class Exclusions(Section):
    """Lines that a rule does not count. A line that any list names is out."""

    categories: Annotated[tuple[CategoryPath, ...], Field(max_length=LIST_MAX)] = ()
    """Category paths, each with everything under it."""
    skus: Names = ()
    """Stock keeping units, exactly as the lines write them."""
    brands: Names = ()
    """Brands, exactly as the lines write them."""


class EarningRule(Section):
    """Points for what a member pays. Every rule grants on its own, under its own name."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
    """Unique in the program and kept for ever: history names the rule by it."""
    label: Name
    """What members read beside the points."""
    accounting_class: AccountingClass
    """What the points are to the books: MATERIAL_RIGHT for points on ordinary purchases."""
    points: DecimalText
    """Points for each `per` amount that counts; "0" where only `categories` earn."""
    per: CurrencyAmounts
    """The amount that earns `points`, by currency; any other currency earns nothing."""
    whole_steps: Annotated[bool, Field(strict=True)] = False
    """Whether only full `per` amounts count: 10 points per full 2.00 give 30 for 7.00."""
    base: AmountBase = AmountBase.NET
    """Which amount of a line counts: net, net_with_tax, gross or gross_with_tax."""
    kinds: Annotated[
        tuple[LineKind, ...],
        Field(max_length=len(LineKind), json_schema_extra=MIN_ONE),
        AfterValidator(has_some),
    ] = (LineKind.PRODUCT,)
    """Kinds of lines that count."""
    categories: Annotated[
        tuple[CategoryRate, ...], Field(max_length=LIST_MAX, validate_default=True)
    ] = ()
    """Other rates by category."""
    exclude: Exclusions = Exclusions()
    """Lines that do not count."""
    minimum_purchase: CurrencyAmounts | None = None
    """What the counted lines must come to, by the same currencies as `per`; null: anything."""
    rounding: Rounding = Rounding.FLOOR
    """How a fraction of the unit's smallest part is rounded."""
    rounded: Rounded = Rounded.ORDER
    """Whether rounding (and `whole_steps`) looks at each line or at the whole order."""
    terms: Terms | None = None
    """Terms of this rule's points alone; null: those of the program."""

    @field_validator("categories")
    @classmethod
    def _some_rate_gives(
        cls, categories: tuple[CategoryRate, ...], info: ValidationInfo
    ) -> tuple[CategoryRate, ...]:
        if len({rate.category for rate in categories}) < len(categories):
            raise PydanticCustomError("category", "names the same category twice")
        rates = [info.data.get("points", "1"), *(rate.points for rate in categories)]
        if not any(ratio(rate) for rate in rates):
            raise PydanticCustomError("rate", "points is 0 and no category gives any either")
        return categories

    @field_validator("minimum_purchase")
    @classmethod
    def _in_the_same_currencies(
        cls, minimum: dict[str, str] | None, info: ValidationInfo
    ) -> dict[str, str] | None:
        per = info.data.get("per")
        if minimum is not None and per is not None and minimum.keys() != per.keys():
            raise PydanticCustomError("currency", "must name the same currencies as per")
        return minimum

    @cached_property
    def scale(self) -> Scale:
        return Scale.of(self.points, {rate.category: rate.points for rate in self.categories})

    @cached_property
    def per_minor(self) -> dict[str, int]:
        return minor_of(self.per)

    @cached_property
    def minimum_minor(self) -> dict[str, int]:
        return minor_of(self.minimum_purchase or {})

    @cached_property
    def excluded(self) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
        """Categories, skus and brands as sets."""
        out = self.exclude
        return frozenset(out.categories), frozenset(out.skus), frozenset(out.brands)
