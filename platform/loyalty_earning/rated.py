"""A rule in one currency: what is the same for all that is paid in it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from loyalty.units import currency_places
from loyalty_earning.earning_rule import EarningRule
from loyalty_earning.measures import Count


class Rated(NamedTuple):
    """`per` is how much of what is counted makes one step, as a fraction: of minor units, or of
    thousandths. None: the rule has no rate in this currency. `unit` is what it gives; None: nothing
    for what is paid in this currency. `told` is what a decision keeps of it, beside what was
    counted, and `places` are the decimal places of that."""

    per: tuple[int, int] | None
    unit: str | None
    told: Mapping[str, Any]
    places: int

    @classmethod
    def of(cls, rule: EarningRule, currency: str | None, unit: str | None) -> "Rated":
        """A rule in a currency (None: of an activity) in which it gives a unit."""
        known, per = currency or "", rule.per_in(currency)
        rate = {rule.told: rule.rate} if rule.scale.numerators[None] else {}  # else others earn
        if rule.count is not Count.AMOUNT:
            return cls(per, unit, {"per": rule.per_units, **rate}, 3)
        told: dict[str, Any] = {"base": rule.base, "currency": known, **rate}
        if rule.percent is None:
            told["per"] = (rule.per or {}).get(known)
        return cls(per, unit, told, currency_places(known) or 0)
