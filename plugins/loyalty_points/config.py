"""What a tenant sets for a points program. Its JSON Schema is published, so every key says what
it is for. A config that was accepted never fails a rule later."""

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field, field_validator
from pydantic_core import PydanticCustomError

from loyalty_points.earning_rule import EarningRule
from loyalty_points.notation import DecimalText, HoldDuration, PositiveText
from loyalty_points.section import MIN_ONE, Section, has_some
from loyalty_points.terms import Terms

RULES_MAX = 100


class Reversible(Section):
    """Whether a captured redemption can be undone."""

    allowed: Annotated[bool, Field(strict=True)] = True
    """Whether a captured redemption may be reversed at all."""
    grace_days: Annotated[int, Field(strict=True, ge=1, le=366)] | None = None
    """Days that points past their term live again after a reversal; null: they stay expired."""


class Redemption(Section):
    """How members spend points."""

    minimum: DecimalText | None = None
    """The least that one redemption takes, in points; null: anything."""
    increment: PositiveText | None = None
    """One redemption takes a multiple of this many points; null: any amount."""
    hold_for: HoldDuration = timedelta(minutes=15)
    """How long points stay reserved where the request does not say; at most P30D."""
    reversible: Reversible = Reversible()
    """Whether and how a captured redemption can be undone."""


class PointsConfig(Section):
    """A points program: what purchases earn, how long it lasts and how it is spent."""

    unit: Annotated[str, Field(min_length=1, max_length=64)]
    """Code of the tenant's unit that the program gives."""
    rules: Annotated[
        tuple[EarningRule, ...],
        Field(max_length=RULES_MAX, json_schema_extra=MIN_ONE),
        AfterValidator(has_some),
    ]
    """Earning rules, judged one by one in this order; each adds its own points."""
    terms: Terms = Terms()
    """When points can be used, until when, and what a return does with spent ones."""
    redemption: Redemption = Redemption()
    """What one redemption may ask for, and whether it can be undone."""

    @field_validator("rules")
    @classmethod
    def _rule_ids_differ(cls, rules: tuple[EarningRule, ...]) -> tuple[EarningRule, ...]:
        ids = [rule.id for rule in rules]
        for index, rule_id in enumerate(ids):
            if rule_id in ids[:index]:
                raise PydanticCustomError(
                    "rule_id",
                    "the id {id} of rule {index} is used before",
                    {"index": index, "id": rule_id},
                )
        return rules
