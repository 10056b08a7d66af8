"""What two brands agreed on, seen from one side: what goes out, what comes in, and what it costs.

The other side keeps the same, mirrored. Amounts are minor units; prices are exact decimal text.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from loyalty.units import Rounding, currency_places, rounded


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One direction. `burn` of the giver's unit become `credit` of the taker's.

    `price` is the money that the giver owes for one whole unit credited, `charge` what it owes for
    each movement besides. `places` are those of the credited unit, `giver_places` the giver's.
    `fee`, `minimum` and the caps count the giver's unit: fee and minimum by exchange, caps by the
    giver's local day.
    """

    burn: int
    credit: int
    places: int
    giver_places: int
    price: str
    charge: int = 0
    fee: int = 0
    minimum: int = 1
    per_member_per_day: int | None = None
    per_day: int | None = None

    def owed(self, credited: int, currency: str) -> int:
        """Money for so much credited, rounded half up to the currency's minor unit."""
        return rounded(
            credited * _of_one(self.price, self.places, currency_places(currency) or 0),
            Rounding.HALF_UP,
        )


@lru_cache(1_000)
def _of_one(price: str, places: int, of_money: int) -> Fraction:
    """What one minor unit costs, in minor units of money."""
    return Fraction(price) * Fraction(10**of_money, 10**places)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Of an exchange or a coalition. A direction that is None is not agreed on."""

    currency: str
    give: Flow | None = None
    take: Flow | None = None
    reversal_hours: int = 24

    def mirrored(self) -> "Terms":
        """As the other side has them."""
        return Terms(
            currency=self.currency,
            give=self.take,
            take=self.give,
            reversal_hours=self.reversal_hours,
        )

    def plain(self) -> dict[str, Any]:
        """As JSON, for the row."""
        return asdict(self)


def terms_of(plain: Mapping[str, Any]) -> Terms:
    """What `plain` wrote."""
    flows = {
        side: None if plain[side] is None else Flow(**plain[side]) for side in ("give", "take")
    }
    return Terms(currency=plain["currency"], reversal_hours=plain["reversal_hours"], **flows)
