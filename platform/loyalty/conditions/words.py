"""A verdict in plain words, for those who ask why."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from loyalty.conditions.mentions import Mention
from loyalty.conditions.name import NameType, Vocabulary
from loyalty.days import iso
from loyalty.units import currency_places, format_minor

ABSENT = object()  # in place of a value: there was none by that key
ENTRIES_MAX = 10  # shown of a list or a map
MONEY = (NameType.AMOUNT, NameType.AMOUNTS)


def because(
    looked_at: Iterable[tuple[Mention, Any]], vocabulary: Vocabulary, currency: str | None
) -> str:
    """`purchase.total is 10.00 USD and member.tier is "gold"`; "" where nothing was looked at."""
    found = {
        mention.text: _written(value, currency if _is_money(mention, vocabulary) else None)
        for mention, value in looked_at
    }
    return " and ".join(f"{text} is {value}" for text, value in found.items())


def _is_money(mention: Mention, vocabulary: Vocabulary) -> bool:
    return vocabulary.by_name[mention.name].type in MONEY


def _written(value: Any, currency: str | None) -> str:
    if value is ABSENT:
        return "not there"
    match value:
        case bool():
            return str(value).lower()
        case int() if currency is not None:
            return f"{format_minor(value, currency_places(currency) or 0)} {currency}"
        case str():
            return f'"{value}"'
        case datetime():
            return iso(value) or ""
        case Mapping():
            return _bounded(
                [f"{key}: {_written(one, currency)}" for key, one in value.items()], "{}"
            )
        case list() | tuple():
            return _bounded([_written(one, currency) for one in value], "[]")
        case None:
            return "null"
    return str(value)


def _bounded(entries: list[str], brackets: str) -> str:
    more = [f"… {len(entries) - ENTRIES_MAX} more"] if len(entries) > ENTRIES_MAX else []
    return f"{brackets[0]}{', '.join([*entries[:ENTRIES_MAX], *more])}{brackets[1]}"
