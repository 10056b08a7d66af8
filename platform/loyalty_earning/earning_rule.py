"""An earning rule as a tenant writes it."""

from functools import cached_property
from hashlib import sha256
from typing import Annotated, Any

import orjson
from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from loyalty.conditions import Condition
from loyalty.effects import AccountingClass
from loyalty.purchase import LineKind
from loyalty.units import Rounding, currency_places, ratio
from loyalty_earning.bonus import Bonus
from loyalty_earning.conditions import ConditionText, condition_of
from loyalty_earning.limits import Capped, Limits
from loyalty_earning.measures import THOUSANDTHS, AmountBase, Count, MinimumLost, Rounded
from loyalty_earning.misfits import misfits
from loyalty_earning.notation import CurrencyAmounts, DecimalText, PositiveText, minor_of
from loyalty_earning.periods import Periodic
from loyalty_earning.prizes import Chance
from loyalty_earning.rates import CategoryRate, Rate, Tariff
from loyalty_earning.scale import Scale
from loyalty_earning.section import LIST_MAX, MIN_ONE, Identifier, Name, Section, has_some
from loyalty_earning.selection import Selection
from loyalty_earning.steps import Brackets, Levels
from loyalty_earning.tenders import Tenders
from loyalty_earning.terms import Terms
from loyalty_earning.times import Effective, Times

ALSO_MAX = 5
SUMMED = (
    "count", "per", "per_units", "attribute", "base", "kinds", "include", "exclude", "paid_with",
    "not_paid_with", "rates", "categories", "activities",
)  # fmt: skip
ABOUT = {"count", "attribute", "base", "kinds", "include", "exclude"}
UnitCode = Annotated[str, Field(min_length=1, max_length=64)]


class Also(Section):
    """Another unit that a rule gives as much of, such as points that count for a tier."""

    unit: UnitCode
    """Code of the tenant's unit."""
    terms: Terms = Terms()
    """Terms of what is given in it."""


class EarningRule(Capped):
    """Points for what a member pays or does. Every rule grants on its own, under its own name."""

    id: Identifier
    """Unique in the program and kept for ever: history names the rule by it."""
    label: Name
    """What members read beside the points."""
    accounting_class: AccountingClass
    """What the points are to the books: MATERIAL_RIGHT for points on ordinary purchases."""
    activities: Annotated[tuple[Name, ...], Field(max_length=LIST_MAX)] = ()
    """Types of activities that the rule is about; none: it is about purchases."""
    effective: Effective | None = None
    """The days on which the rule is in effect; null: always."""
    times: Times | None = None
    """Times that come again, outside which the rule gives nothing; null: always."""
    when: Annotated[ConditionText | None, Field(validate_default=True)] = None
    """A condition in CEL, such as `purchase.total >= amount("25.00") && member.tier == "gold"`."""
    count: Count = Count.AMOUNT
    """What is counted: amount (money), quantity (pieces), visit (once) or attribute (a number)."""
    points: DecimalText = "0"
    """Points for each `per` (or `per_units`) that counts; "0" where only other rates earn."""
    percent: DecimalText | None = None
    """Instead of `points` and `per`: so many hundredths of the amount that counts, in the unit of
    that currency; "0" where only other rates earn."""
    per: CurrencyAmounts | None = None
    """The amount that earns `points`, by currency; any other currency earns nothing. For `count:
    amount` alone."""
    per_units: PositiveText = "1"
    """How many pieces, or how much of the attribute, earn `points`."""
    attribute: Name | None = None
    """The attribute whose number counts, for `count: attribute`: of the activity, or of the
    purchase."""
    whole_steps: Annotated[bool, Field(strict=True)] = False
    """Whether only full `per` amounts count: 10 points per full 2.00 give 30 for 7.00."""
    levels: Levels = ()
    """Instead of `points`: what is given in all once so many `per` are reached; only the highest
    level that is reached counts."""
    brackets: Brackets = ()
    """Instead of `points`: the rate of each `per` from there on to the next bracket."""
    over: Periodic | None = None
    """Over which period the rule adds up before it rounds or looks at levels and brackets, so that
    nothing is lost between purchases; null: each purchase by itself."""
    base: AmountBase = AmountBase.NET
    """Which amount of a line counts: net, net_with_tax, gross or gross_with_tax."""
    kinds: Annotated[
        tuple[LineKind, ...],
        Field(max_length=len(LineKind), json_schema_extra=MIN_ONE),
        AfterValidator(has_some),
    ] = (LineKind.PRODUCT,)
    """Kinds of lines that count."""
    include: Selection = Selection()
    """Lines that count; nothing named: all."""
    exclude: Selection = Selection()
    """Lines that do not count, whatever names them."""
    paid_with: Tenders | None = None
    """Only the part that was paid in these ways counts; null: all."""
    not_paid_with: Tenders | None = None
    """The part that was paid in these ways does not count."""
    rates: Annotated[tuple[Rate, ...], Field(max_length=LIST_MAX)] = ()
    """Other rates by product, brand, category or attribute; the first that names a line wins."""
    categories: Annotated[
        tuple[CategoryRate, ...], Field(max_length=LIST_MAX, validate_default=True)
    ] = ()
    """Other rates by category."""
    minimum_purchase: CurrencyAmounts | None = None
    """What the counted lines must come to, by the same currencies as `per`; null: anything."""
    minimum_lost: MinimumLost = MinimumLost.KEEP
    """When so much comes back that the counted lines left do not come to `minimum_purchase`: the
    rest keeps its points (keep), or all of the rule's points are taken back (recompute)."""
    at_least: PositiveText | None = None
    """The rule gives no less than this, where it gives anything."""
    at_most: PositiveText | None = None
    """The rule gives no more than this for one purchase or activity."""
    rounding: Rounding = Rounding.FLOOR
    """How a fraction of the unit's smallest part is rounded."""
    rounded: Rounded = Rounded.ORDER
    """Whether rounding (and `whole_steps`) looks at each line or at the whole order."""
    promotion: Annotated[bool, Field(strict=True)] = False
    """Whether what the rule gives is extra: no base that bonuses are applied to. A rule with
    `bonus` is always one."""
    bonus: Bonus | None = None
    """A multiplier instead of a rate: the rule gives a multiple of what others gave."""
    chance: Chance | None = None
    """Odds instead of a rate: the rule gives a prize to whom it falls."""
    limits: Limits = ()
    """How often the rule may give."""
    group: Identifier | None = None
    """The group that the rule is judged in; null: it stands for itself."""
    priority: Annotated[int, Field(strict=True, ge=1, le=10_000)] | None = None
    """Its place in a group that grants the first: 1 comes before 2."""
    unit: UnitCode | None = None
    """The unit that it gives; null: the program's."""
    also: Annotated[tuple[Also, ...], Field(max_length=ALSO_MAX)] = ()
    """Other units that it gives as much of."""
    terms: Terms | None = None
    """Terms of this rule's points alone; null: those of the program."""

    @field_validator("categories")
    @classmethod
    def _categories_differ(cls, categories: tuple[CategoryRate, ...]) -> tuple[CategoryRate, ...]:
        if len({rate.category for rate in categories}) < len(categories):
            raise PydanticCustomError("category", "names the same category twice")
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

    @field_validator("at_most")
    @classmethod
    def _most_is_more_than_least(cls, most: str | None, info: ValidationInfo) -> str | None:
        least = info.data.get("at_least")
        if most is not None and least is not None and ratio(most) < ratio(least):
            raise PydanticCustomError("at_most", "is less than at_least")
        return most

    @model_validator(mode="after")
    def _keys_fit_together(self) -> "EarningRule":
        for fault in misfits(self):
            raise PydanticCustomError("rule", "{fault}", {"fault": fault})
        return self

    @field_validator("when")
    @classmethod
    def _condition_is_sound(cls, when: str | None, info: ValidationInfo) -> str | None:
        if when is not None:
            condition_of(when, activity=bool(info.data.get("activities")))
        return when

    def model_post_init(self, context: Any, /) -> None:
        # Now, for only while its config is read a condition knows the currency. Kept as the value
        # of the property below, which a basket asks of every rule.
        self.__dict__["condition"] = (
            None if self.when is None else condition_of(self.when, activity=bool(self.activities))
        )

    @cached_property
    def choices(self) -> frozenset[str]:
        """The choices that its lists name."""
        lists = (self.include, self.exclude, *self.rates)
        return frozenset(one.choice for one in lists if one.choice is not None)

    # --- worked out once ---------------------------------------------------------------------

    @cached_property
    def tariff(self) -> Tariff:
        return Tariff(self.rate, self.rates, self.categories)

    @property
    def rate(self) -> str:
        """What each step gives: hundredths where the rule has a percentage, else points."""
        return self.points if self.percent is None else self.percent

    @property
    def told(self) -> str:
        """What a decision calls the rate."""
        return "points" if self.percent is None else "percent"

    @cached_property
    def scale(self) -> Scale:
        return self.tariff.scale

    @cached_property
    def per_minor(self) -> dict[str, int]:
        return minor_of(self.per or {})

    @cached_property
    def fingerprint(self) -> str:
        """What tells sums of what is counted apart.

        Where a key changes that decides what is counted another sum begins, filled from history
        when the config is published; a new label, or another rate where there is one, goes on with
        the old sum.
        """
        keys = self.model_dump(mode="json", include=set(SUMMED))
        for rate in (*keys["rates"], *keys["categories"]):  # as sums were told apart before
            if rate["percent"] is None:
                del rate["percent"]
        if self.percent is not None:
            keys["percent"] = "flat" if self.tariff.is_flat else self.percent
        elif not self.tariff.is_flat:
            keys["points"] = self.points
        return sha256(orjson.dumps(keys, option=orjson.OPT_SORT_KEYS)).hexdigest()[:8]

    @cached_property
    def _units(self) -> tuple[int, int]:
        per = ratio(self.per_units) * THOUSANDTHS
        return per.numerator, per.denominator

    @cached_property
    def _per(self) -> dict[str, tuple[int, int]]:
        return {currency: (per, 1) for currency, per in self.per_minor.items()}

    def per_in(self, currency: str | None) -> tuple[int, int] | None:
        """How much of what is counted makes one step, as a fraction: of minor units, or of
        thousandths. None: the rule has no rate in this currency."""
        if self.count is not Count.AMOUNT:
            return self._units
        if self.percent is not None:
            return None if currency is None else (100 * 10 ** (currency_places(currency) or 0), 1)
        return self._per.get(currency or "")

    @cached_property
    def minimum_minor(self) -> dict[str, int]:
        return minor_of(self.minimum_purchase or {})

    @cached_property
    def is_promotion(self) -> bool:
        return self.promotion or self.bonus is not None

    @cached_property
    def condition(self) -> Condition | None:
        raise AssertionError("it was compiled when the rule was read")

    @cached_property
    def about(self) -> str:
        """What tells apart what rules count: those of the same text count the same of any fact."""
        return orjson.dumps(self.model_dump(mode="json", include=ABOUT)).decode()

    @cached_property
    def may_be_barred(self) -> bool:
        """Whether there are facts of its kind that it does not look at."""
        return not (self.effective is None and self.times is None and self.condition is None)

    @cached_property
    def asks_how_paid(self) -> bool:
        return not (self.paid_with is None and self.not_paid_with is None)

    @cached_property
    def is_straight(self) -> bool:
        """Whether it gives a plain multiple of what counts, rounded once, as most rules do."""
        bent = self.levels or self.brackets or self.whole_steps or self.rounded is Rounded.LINE
        return self.tariff.is_flat and not bent

    @cached_property
    def is_bounded(self) -> bool:
        return not (self.at_least is None and self.at_most is None)

    @cached_property
    def picks_lines(self) -> bool:
        """Whether some lines count and some do not, beyond their kind."""
        return not (self.include.is_empty and self.exclude.is_empty)
