"""What members qualify by: sums of what they were granted, spent or did."""

import json
from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from loyalty.commands import AdjustBalance
from loyalty.facts import ActivityRecorded, Fact, PurchaseRecorded
from loyalty.purchase import Line, LineKind
from loyalty.units import currency_places, ratio
from loyalty.view import GrantView
from loyalty_earning.notation import Currency
from loyalty_earning.section import Identifier, Identifiers, Name, Names, Section
from loyalty_earning.selection import AttributeTexts, Selection, named_by
from loyalty_tiers.periods import Period

THOUSANDTHS = 1_000  # activities have three decimal places here

Measure = Callable[[Fact, Sequence[GrantView], str], int]


class Count(StrEnum):
    """What a metric adds up."""

    POINTS = "points"
    SPEND = "spend"
    VISITS = "visits"
    ACTIVITIES = "activities"


class Metric(Section):
    """A sum by which members qualify. What comes back is taken off again."""

    id: Identifier
    """Unique in the program: `needs` names it."""
    label: Name
    """What members read, such as "Qualifying miles"."""
    count: Count
    """points (granted of `unit`), spend (money, in `currency`), visits (purchases) or activities
    (of `types`, each once or by an `attribute`)."""
    over: Period | None = None
    """The period of this sum; null: the ladder's."""
    unit: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    """Of points: code of the unit that is granted."""
    programs: Identifiers = ()
    """Of points: only what these programs (slugs) grant; none named: any."""
    rules: Identifiers = ()
    """Of points: only what rules of these ids grant; none named: any."""
    adjustments: Annotated[bool, Field(strict=True)] = False
    """Of points: whether corrections by hand (`adjustBalance`) count as well, up and down."""
    currency: Currency | None = None
    """Of spend: the currency; purchases in others do not count."""
    include: Selection = Selection()
    """Of spend and visits: only lines that one of these lists names; none named: all."""
    exclude: Selection = Selection()
    """Of spend and visits: no lines that one of these lists names."""
    kinds: tuple[LineKind, ...] = (LineKind.PRODUCT,)
    """Of spend and visits: kinds of lines that count."""
    by_day: Annotated[bool, Field(strict=True)] = False
    """Of visits and activities: a local day counts once, however often."""
    types: Names = ()
    """Of activities: their types, exactly as they are recorded."""
    attribute: Name | None = None
    """Of activities: the number in this attribute is added up, to three decimal places (10.005 is
    10.005); null: each activity counts 1."""
    where: AttributeTexts = Field(default_factory=dict)
    """Only purchases or activities of which each of these attributes has one of its values, such
    as `{"carrier": ["AS"]}`."""

    @model_validator(mode="after")
    def _keys_go_with_the_count(self) -> "Metric":
        allowed = {"id", "label", "count", "over", *_KEYS[self.count]}
        fields = type(self).model_fields
        strange = [
            name
            for name, field in fields.items()
            if name not in allowed
            and getattr(self, name) != field.get_default(call_default_factory=True)
        ]
        if strange:
            raise _fault(f"{strange[0]} does not go with count: {self.count.value}")
        if self.count is Count.POINTS and self.unit is None:
            raise _fault("count: points needs a unit")
        if self.count is Count.SPEND and self.currency is None:
            raise _fault("count: spend needs a currency")
        if self.count is Count.ACTIVITIES and not self.types:
            raise _fault("count: activities needs types")
        return self

    @cached_property
    def counter_name(self) -> str:
        """One name is one measure: whatever changes what is counted changes the name."""
        plain = self.model_dump(mode="json", exclude={"id", "label", "over", "by_day"})
        digest = sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:10]
        return f"{self.id}.{digest}"

    def places(self, unit_places: Callable[[str], int]) -> int:
        """Decimal places of the sum; `unit_places` knows those of units."""
        match self.count:
            case Count.POINTS:
                return unit_places(self.unit or "")
            case Count.SPEND:
                return currency_places(self.currency or "") or 0
            case Count.ACTIVITIES if self.attribute is not None and not self.by_day:
                return 3
            case _:
                return 0

    def measure(self, fact: Fact, grants: Sequence[GrantView], program: str) -> int:
        """What a fact adds to it, in minor units."""
        match self.count:
            case Count.POINTS:
                return self._points(fact, grants)
            case Count.ACTIVITIES:
                return self._activity(fact)
            case _:
                return self._purchase(fact)

    def _points(self, fact: Fact, grants: Sequence[GrantView]) -> int:
        if isinstance(fact, AdjustBalance):
            counts = self.adjustments and fact.unit == self.unit
            return fact.amount if counts else 0
        if not self._stands(fact):
            return 0
        return sum(
            grant.granted
            for grant in grants
            if grant.unit == self.unit
            and (not self.programs or grant.program in self.programs)
            and (not self.rules or grant.rule in self.rules)
        )

    def _activity(self, fact: Fact) -> int:
        if not isinstance(fact, ActivityRecorded) or fact.type not in self.types:
            return 0
        if not self._stands(fact):
            return 0
        if self.attribute is None or self.by_day:
            return 1
        return _thousandths(fact.attributes.get(self.attribute))

    def _purchase(self, fact: Fact) -> int:
        if not isinstance(fact, PurchaseRecorded) or not self._stands(fact):
            return 0
        lines = [line for line in fact.lines if self._counts(line)]
        if self.count is Count.VISITS:
            return int(any(line.net > 0 for line in lines))
        return sum(line.net for line in lines) if fact.currency == self.currency else 0

    def _counts(self, line: Line) -> bool:
        if line.kind not in self.kinds or (self.exclude.names(line)):
            return False
        return self.include.is_empty or self.include.names(line)

    def _stands(self, fact: Fact) -> bool:
        """Whether its attributes are those that are asked for."""
        if not self.where:
            return True
        attributes = getattr(fact, "attributes", {})
        return all(named_by({name: of}, attributes) for name, of in self.where.items())


def _thousandths(value: object) -> int:
    """A number out of attributes; what is none counts for nothing, and less than nothing too."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return 0
    try:
        exact = ratio(str(value))
    except ValueError:
        return 0
    return max(0, exact.numerator * THOUSANDTHS // exact.denominator)


_LINES = {"include", "exclude", "kinds", "where"}
_KEYS = {
    Count.POINTS: {"unit", "programs", "rules", "adjustments", "where"},
    Count.SPEND: {"currency", *_LINES},
    Count.VISITS: {"by_day", *_LINES},
    Count.ACTIVITIES: {"types", "attribute", "by_day", "where"},
}


def _fault(text: str) -> PydanticCustomError:
    return PydanticCustomError("metric", "{fault}", {"fault": text})
