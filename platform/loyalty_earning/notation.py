"""How a config writes amounts, rates, spans and durations: exact text, never a JSON number."""

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from loyalty.days import Span
from loyalty.errors import Refused
from loyalty.units import currency_places, parse_minor, ratio
from loyalty_earning.section import written

# Longer lifetimes are "never" in all but name, and dates end with the year 9999.
SPAN_MONTHS_MAX = 1200
SPAN_DAYS_MAX = 36_525
HOLD_MAX = timedelta(days=30)
_DECIMAL = r"^(0|[1-9][0-9]{0,8})(\.[0-9]{1,6})?$"


def _is_decimal(value: Any) -> Any:
    """A JSON or YAML number may have passed through a double: 0.1 would no longer be 0.1."""
    if not isinstance(value, str):
        raise PydanticCustomError(
            "not_text", 'write the number as a string in quotes, such as "1.50" or "10"'
        )
    if not re.fullmatch(_DECIMAL, value):
        raise PydanticCustomError(
            "not_decimal",
            'write a plain decimal number, such as "1.50": at most 9 digits before the point',
        )
    return value


def _is_positive(text: str) -> str:
    if ratio(text) == 0:
        raise PydanticCustomError("positive", "must be more than 0")
    return text


def _is_currency(code: str) -> str:
    if currency_places(code) is None:
        raise PydanticCustomError("currency", "is not an ISO 4217 currency code")
    return code


def minor_of(amounts: dict[str, str]) -> dict[str, int]:
    """Minor units by currency of amounts that were checked."""
    return {
        currency: parse_minor(text, currency_places(currency) or 0, field=currency)
        for currency, text in amounts.items()
    }


def _are_amounts(amounts: dict[str, str]) -> dict[str, str]:
    for currency, text in amounts.items():
        try:
            minor = minor_of({currency: text})[currency]
        except Refused as refusal:
            raise _amount_fault(currency, refusal.message) from None
        if minor == 0:
            raise _amount_fault(currency, "must be more than 0")
    return amounts


def _amount_fault(currency: str, fault: str) -> PydanticCustomError:
    return PydanticCustomError(
        "amount", "{currency} {fault}", {"currency": currency, "fault": fault}
    )


def _is_span(text: str) -> str:
    try:
        span = Span.parse(text)
    except ValueError as fault:
        raise PydanticCustomError("span", "{fault}", {"fault": str(fault)}) from None
    if span.months > SPAN_MONTHS_MAX or span.days > SPAN_DAYS_MAX:
        raise PydanticCustomError("span", "must be at most 100 years; for ever is: lifetime null")
    return text


def is_duration(value: Any) -> Any:
    """For BeforeValidator: an ISO 8601 duration as text, never a number of seconds."""
    if isinstance(value, timedelta) or (isinstance(value, str) and value.startswith("P")):
        return value
    raise PydanticCustomError("duration", "write an ISO 8601 duration, such as PT15M or P1D")


def _is_hold(value: timedelta) -> timedelta:
    if not timedelta(0) < value <= HOLD_MAX:
        raise PydanticCustomError("duration", "must be more than nothing and at most P30D")
    return value


DecimalText = Annotated[
    str, Field(pattern=_DECIMAL, max_length=16, examples=["1.50"]), BeforeValidator(_is_decimal)
]
"""A decimal number >= 0 as a string: up to 9 digits before the point and 6 after it."""

PositiveText = Annotated[DecimalText, AfterValidator(_is_positive)]

_CODE = r"^[A-Z]{3}$"
Currency = Annotated[
    str,
    Field(pattern=_CODE),
    written(_CODE, "write a currency by the three capital letters of ISO 4217, such as USD"),
    AfterValidator(_is_currency),
]

CurrencyAmounts = Annotated[
    dict[Currency, DecimalText],
    Field(min_length=1, max_length=50, examples=[{"USD": "1.00"}]),
    AfterValidator(_are_amounts),
]
"""An amount of money > 0 in each of some currencies, by ISO 4217 code."""

SpanText = Annotated[str, AfterValidator(_is_span), Field(max_length=16, examples=["P12M"])]
"""An ISO 8601 duration of whole days, months or years."""

HoldDuration = Annotated[
    timedelta,
    BeforeValidator(is_duration),
    AfterValidator(_is_hold),
    WithJsonSchema({"type": "string", "format": "duration", "examples": ["PT15M"]}),
]
"""An ISO 8601 duration, hours and minutes allowed, of at most 30 days."""
