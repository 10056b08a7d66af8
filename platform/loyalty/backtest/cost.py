"""What points cost: money per whole unit, in minor units of a currency."""

from dataclasses import dataclass
from fractions import Fraction

from loyalty.errors import Code, Refused
from loyalty.units import Rounding, currency_places, divided, ratio

PER_POINT_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class Cost:
    """`per_point` whole units of `currency` for each whole unit of `unit`."""

    unit: str
    currency: str
    per_point: str

    def of(self, net: int, places: int) -> int:
        """Minor units of the currency for `net` minor units of a unit with so many places."""
        price = ratio(self.per_point) * 10 ** (currency_places(self.currency) or 0)
        exact = Fraction(abs(net), 10**places) * price
        cost = divided(exact.numerator, exact.denominator, Rounding.HALF_UP)
        return cost if net >= 0 else -cost


def per_point(text: str, *, field: str) -> str:
    """A price as it was given, if it is one.

    :raises Refused: BAD_AMOUNT: no plain decimal number from 0 to a million
    """
    try:
        value = ratio(text) if text.replace(".", "", 1).isascii() else None
    except (ValueError, ZeroDivisionError):
        value = None
    plain = text.replace(".", "", 1).isdecimal() and len(text) <= 16
    if value is None or not plain or value > PER_POINT_MAX:
        raise Refused(
            Code.BAD_AMOUNT, 'write a plain decimal number in a string, such as "0.01"',
            field=field,
        )  # fmt: skip
    return text
