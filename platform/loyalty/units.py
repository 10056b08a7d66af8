"""Units and whole numbers: what is counted, how it is written, rounded and shared out.

Value is an `int` of a unit's smallest part (minor units). No float ever stands for value; rates are
`Fraction`s or `Decimal`s until the one rounding that the configuration names.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache

from babel.core import get_global
from babel.numbers import get_currency_precision

from loyalty.errors import Code, Refused

# Below 2**53 on purpose: also a reader that counts in doubles (Lua, JavaScript) reads it exactly.
MINOR_MAX = 9_000_000_000_000_000
AMOUNT_LENGTH_MAX = 40
_AMOUNT = re.compile(r"(?P<sign>-?)(?P<whole>\d+)(?:\.(?P<part>\d+))?", re.ASCII)


class UnitKind(StrEnum):
    POINTS = "POINTS"
    MONEY = "MONEY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """Something a tenant counts. `code` is unique in the tenant, e.g. `points` or `EUR`."""

    code: str
    places: int = 0
    kind: UnitKind = UnitKind.POINTS


class Rounding(StrEnum):
    FLOOR = "floor"
    HALF_UP = "half_up"
    HALF_EVEN = "half_even"
    CEILING = "ceiling"


def rounded(value: Fraction, rounding: Rounding) -> int:
    """The whole number that `rounding` makes of a value >= 0."""
    return divided(value.numerator, value.denominator, rounding)


def divided(numerator: int, denominator: int, rounding: Rounding) -> int:
    """As `rounded`, of a fraction that need not be in lowest terms."""
    floor, rest = divmod(numerator, denominator)
    twice = 2 * rest - denominator
    match rounding:
        case Rounding.FLOOR:
            return floor
        case Rounding.CEILING:
            return floor + (rest > 0)
        case Rounding.HALF_UP:
            return floor + (twice >= 0)
        case Rounding.HALF_EVEN:
            return floor + (twice > 0 or (twice == 0 and floor % 2 == 1))


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """Share `total` >= 0 in proportion to `weights` >= 0 by largest remainder; the parts sum to it.

    Ties go to the earlier part. Where all weights are nothing the first part takes it all.
    """
    if len(weights) < 2:
        return [total] if weights else []
    whole = sum(weights)
    if whole == 0:
        return [total, *[0] * (len(weights) - 1)]
    exact = [total * weight for weight in weights]
    parts = [value // whole for value in exact]
    left = total - sum(parts)
    if left:
        rest = [value % whole for value in exact]
        # The largest first; also in reverse it keeps the order on a tie.
        by_rest = sorted(range(len(weights)), key=rest.__getitem__, reverse=True)
        for i in by_rest[:left]:
            parts[i] += 1
    return parts


def parse_minor(text: str, places: int, *, field: str, signed: bool = False) -> int:
    """Minor units of a decimal string such as `12.50`.

    :raises Refused: BAD_AMOUNT with the field, where the text is not a plain decimal, is negative
        (unless `signed`), has more decimal places than the unit, or is too large
    """
    match = _AMOUNT.fullmatch(text) if len(text) <= AMOUNT_LENGTH_MAX else None
    if match is None:
        raise Refused(
            Code.BAD_AMOUNT,
            'send a plain decimal number in a string, such as "12.50"',
            field=field,
        )
    if match["sign"] and not signed:
        raise Refused(Code.BAD_AMOUNT, "must not be negative", field=field)
    part = match["part"] or ""
    if len(part.rstrip("0")) > places:
        raise Refused(Code.BAD_AMOUNT, f"has more than {places} decimal places", field=field)
    minor = int(match["whole"] + part[:places].ljust(places, "0"))
    if minor > MINOR_MAX:
        raise Refused(Code.BAD_AMOUNT, "is too large", field=field)
    return -minor if match["sign"] else minor


def format_minor(minor: int, places: int) -> str:
    """The canonical decimal string: exactly `places` decimal places."""
    if places == 0:
        return str(minor)
    digits = str(minor)
    if minor < 0 or len(digits) <= places:
        sign, digits = ("-" if minor < 0 else ""), str(abs(minor)).rjust(places + 1, "0")
        return f"{sign}{digits[:-places]}.{digits[-places:]}"
    return f"{digits[:-places]}.{digits[-places:]}"


def format_plain(minor: int, places: int) -> str:
    """The same number without needless zeros, as people write it: `12.5`, `12`."""
    text = format_minor(minor, places)
    return text.rstrip("0").rstrip(".") if places else text


def ratio(text: str | Decimal | int) -> Fraction:
    """An exact rate from its decimal writing, e.g. `1.5`."""
    return Fraction(str(text))


@lru_cache(maxsize=512)
def currency_places(code: str) -> int | None:
    """Decimal places of an ISO 4217 currency by CLDR; None where there is no such currency."""
    if code not in _currencies():
        return None
    return get_currency_precision(code)


@lru_cache(maxsize=1)
def _currencies() -> frozenset[str]:
    return frozenset(get_global("all_currencies"))
