"""A condition on the member alone, as a config writes it and a rule asks it."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from loyalty.conditions import STANDING, Condition, ConditionFault, compiled, standing_values
from loyalty.view import View

LENGTH_MAX = 4_000


def condition_of(source: str) -> Condition:
    """:raises ConditionFault: it cannot be compiled"""
    return compiled(source, STANDING, currency=None)


def holds(condition: Condition, at: datetime, view: View) -> bool:
    """Whether it holds for the member of the view at an instant."""
    return condition.judged(standing_values(at, view)).holds


def _can_be_compiled(source: str) -> str:
    try:
        condition_of(source)
    except ConditionFault as fault:
        raise PydanticCustomError("condition", "{fault}", {"fault": str(fault)}) from None
    return source


MemberCondition = Annotated[
    str,
    Field(min_length=1, max_length=LENGTH_MAX, examples=['member.tier == "gold"']),
    AfterValidator(_can_be_compiled),
]
"""A condition in CEL that reads nothing but the member and the time."""
