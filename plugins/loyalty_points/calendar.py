"""Dates as a config writes them: `2026-03-15`, or `03-15` for that day of every year."""

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

_YEARLY = re.compile(r"\d\d-\d\d", re.ASCII)
_ONCE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_LEAP_YEAR = 2000


def _is_date(text: str) -> str:
    full = f"{_LEAP_YEAR}-{text}" if _YEARLY.fullmatch(text) else text
    try:
        if not _ONCE.fullmatch(full):
            raise ValueError
        date.fromisoformat(full)
    except ValueError:
        raise PydanticCustomError(
            "date", "write a day of every year such as 03-15, or one date such as 2026-03-15"
        ) from None
    return text


def _is_yearly(text: str) -> str:
    if not _YEARLY.fullmatch(text):
        raise PydanticCustomError("date", "write a day of every year, such as 03-15")
    return _is_date(text)


DateText = Annotated[
    str, AfterValidator(_is_date), Field(max_length=10, examples=["03-15", "2026-03-15"])
]
"""A day of every year, or one date."""

YearlyDate = Annotated[str, AfterValidator(_is_yearly), Field(max_length=5, examples=["03-15"])]
"""A day of every year."""


def in_year(text: str, year: int) -> date | None:
    """The date in a year; None where it is one date of another. 29 February is else the 28th."""
    if _ONCE.fullmatch(text):
        once = date.fromisoformat(text)
        return once if once.year == year else None
    month, day = int(text[:2]), int(text[3:])
    return date(year, month, min(day, monthrange(year, month)[1]))


def dates(texts: tuple[str, ...], first: date, last: date) -> Iterator[date]:
    """The dates from `first` through `last` that any of the texts means, in order, each once."""
    years = range(first.year, last.year + 1)
    found = {day for text in texts for year in years if (day := in_year(text, year)) is not None}
    yield from sorted(day for day in found if first <= day <= last)
