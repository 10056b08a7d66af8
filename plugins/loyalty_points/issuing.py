"""Issuing windows, as a tenant writes them: on given days points become rewards, in steps."""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from loyalty.effects import AccountingClass
from loyalty.units import ratio
from loyalty_earning.notation import PositiveText
from loyalty_earning.section import MIN_ONE, Identifier, Name, Section, has_some
from loyalty_earning.terms import Lifespan
from loyalty_points.calendar import DateText

DATES_MAX = 366
ISSUINGS_MAX = 20


class Issued(Section):
    """What is given on a day of the calendar, in a unit of its own."""

    id: Identifier
    """Unique among the program's rules and kept for ever: history names what was given by it."""
    label: Name
    """What members read beside it."""
    accounting_class: AccountingClass = AccountingClass.MATERIAL_RIGHT
    """What it is to the books; MATERIAL_RIGHT takes the place of the points it is given for."""
    unit: Annotated[str, Field(min_length=1, max_length=64)]
    """Code of the tenant's unit that is given, such as one of money."""
    lifetime: Lifespan | None = None
    """How long it lives, counted from the begin of its day; null: it never expires."""


class Issuing(Issued):
    """Windows in which points become rewards: full steps do, the rest stays with the member."""

    windows: Annotated[
        tuple[DateText, ...],
        Field(max_length=DATES_MAX, json_schema_extra=MIN_ONE),
        AfterValidator(has_some),
    ]
    """The days: 03-15 for that day of every year, or single dates such as 2026-03-15."""
    step: PositiveText
    """So many points become one reward."""
    gives: PositiveText
    """What one step gives, in `unit`."""
    max_per_window: PositiveText | None = None
    """The most that a member is given in one window; the points beyond it stay. Null: no limit."""
    max_per_year: PositiveText | None = None
    """The most that a member is given in a calendar year of the tenant; null: no limit."""

    @field_validator("max_per_window", "max_per_year")
    @classmethod
    def _allows_a_step(cls, most: str | None, info: ValidationInfo) -> str | None:
        gives = info.data.get("gives")
        if most is not None and gives is not None and ratio(most) < ratio(gives):
            raise PydanticCustomError(
                "most", "is less than one step gives: nothing would be issued"
            )
        return most

    @cached_property
    def counter(self) -> str:
        """What a member was issued in a year is counted under this name."""
        return f"issued:{self.id}"


def unlike_the_rules(given: Any, known: Mapping[str, Any]) -> Any:
    """What is issued goes by an id of its own, and in another unit than the points.

    :raises PydanticCustomError: another has the id, or it would give what it is given for
    """
    others = [*known.get("rules", ()), *known.get("issuing", ())]
    ids = [one.id for one in others]
    for issued in given if isinstance(given, tuple) else (given,) if given else ():
        if issued.id in ids:
            raise PydanticCustomError("rule_id", "the id {id} is used before", {"id": issued.id})
        if issued.unit == known.get("unit"):
            raise PydanticCustomError("unit", "must give another unit than that of the points")
        ids.append(issued.id)
    return given
