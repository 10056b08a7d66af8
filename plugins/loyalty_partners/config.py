"""What a tenant sets for its side of partnerships. Terms are agreed on, not configured."""

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from loyalty_earning.notation import is_duration
from loyalty_earning.section import Section
from loyalty_earning.terms import Lifespan
from loyalty_partners.notation import UnitCode

QUOTES_MAX = timedelta(hours=24)
GIVING_UP_MAX = timedelta(days=7)
WRITING_OFF_MIN, WRITING_OFF_MAX = timedelta(days=1), timedelta(days=366)


def _is_short(value: timedelta) -> timedelta:
    if not timedelta(0) < value <= QUOTES_MAX:
        raise PydanticCustomError("duration", "must be more than nothing and at most PT24H")
    return value


def _is_patient(value: timedelta) -> timedelta:
    if not timedelta(minutes=1) <= value <= GIVING_UP_MAX:
        raise PydanticCustomError("duration", "must be PT1M at least and at most P7D")
    return value


def _is_long(value: timedelta) -> timedelta:
    if not WRITING_OFF_MIN <= value <= WRITING_OFF_MAX:
        raise PydanticCustomError("duration", "must be P1D at least and at most P366D")
    return value


PatientDuration = Annotated[
    timedelta,
    BeforeValidator(is_duration),
    AfterValidator(_is_patient),
    WithJsonSchema({"type": "string", "format": "duration", "examples": ["PT24H"]}),
]
LongDuration = Annotated[
    timedelta,
    BeforeValidator(is_duration),
    AfterValidator(_is_long),
    WithJsonSchema({"type": "string", "format": "duration", "examples": ["P7D"]}),
]
QuoteDuration = Annotated[
    timedelta,
    BeforeValidator(is_duration),
    AfterValidator(_is_short),
    WithJsonSchema({"type": "string", "format": "duration", "examples": ["PT15M"]}),
]


class Incoming(Section):
    """How points live that members get from partners."""

    lifetime: Lifespan | None = None
    """How long, counted from the exchange or the partner's fact; null: they never expire."""
    grace_days: Annotated[int, Field(strict=True, ge=1, le=366)] | None = None
    """When an exchange is undone: days that points past their term live again; null: none."""


class PartnersConfig(Section):
    """Our side of partnerships: exchange, coalition and brands that buy our points."""

    units: Annotated[dict[UnitCode, Incoming], Field(min_length=1, max_length=50)]
    """Units that partners may move, and how what comes in of each lives."""
    quotes_last: QuoteDuration = timedelta(minutes=15)
    """How long a member may take a quote up; at most PT24H."""
    codes_last: QuoteDuration = timedelta(minutes=15)
    """How long a code to link two accounts may be used; at most PT24H."""
    gives_up: PatientDuration = timedelta(hours=24)
    """After how long an exchange that a partner elsewhere has not answered is called off there."""
    written_off_after: LongDuration = timedelta(days=7)
    """After how long without a word two admins may give its points back here, if not earlier than
    gives_up."""
