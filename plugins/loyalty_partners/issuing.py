"""What an outside brand agreed on: what its facts are worth in our points, and what it pays."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

from loyalty.units import Rounding, currency_places, rounded


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """For an activity: `points` for every `per` of money, rounded down, or (`per` None) just so
    many. All are minor units."""

    activity: str
    points: int
    per: int | None = None

    def of(self, money: int | None) -> int:
        if self.per is None:
            return self.points
        return (money or 0) * self.points // self.per


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuing:
    """`price` is paid for a whole point of `places`. Of it `worth` is what a point is worth alone
    and `marketing` what else the brand gets: that splits each payment. Caps count points by our
    local day; `alert_below` is about those of packs that are left."""

    currency: str
    price: str
    places: int
    prepaid: bool
    conversions: tuple[Conversion, ...]
    worth: str | None = None
    marketing: str | None = None
    per_member_per_day: int | None = None
    per_day: int | None = None
    alert_below: int | None = None

    def costs(self, points: int) -> int:
        """What so many points are paid with, rounded half up to the currency's minor unit."""
        return self._money(Fraction(self.price), points)

    def liability(self, points: int) -> int:
        """What of it stands against the points; the rest is earned at once."""
        whole = Fraction(self.price)
        if self.worth is not None and self.marketing is not None:
            alone = Fraction(self.worth), Fraction(self.marketing)
            if sum(alone):
                whole *= alone[0] / sum(alone)
        return self._money(whole, points)

    def _money(self, each: Fraction, points: int) -> int:
        whole = each * Fraction(points, 10**self.places)
        return rounded(whole * 10 ** (currency_places(self.currency) or 0), Rounding.HALF_UP)

    def conversion(self, activity: str) -> Conversion | None:
        return next((one for one in self.conversions if one.activity == activity), None)

    def plain(self) -> dict[str, Any]:
        """As JSON, for the row."""
        return {"currency": self.currency, "issuing": asdict(self)}


def issuing_of(plain: Mapping[str, Any]) -> Issuing:
    """What `plain` wrote."""
    kept = dict(plain["issuing"])
    kept["conversions"] = tuple(Conversion(**one) for one in kept["conversions"])
    return Issuing(**kept)
