"""What the replay must come to, computed from the frames alone with pandas and plain numbers.

Nothing here knows a rule, a lot or an account of the platform: the numbers of `program.yaml` are
written out once more, lots are sums per household and month of expiry, and cents are made by other
means than in what is sent. Where this and the platform differ, one of the two is wrong.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from loyalty_app.demo.frames import YEAR, ZONE, Frames

DEPARTMENTS_OUT = ["COUPON", "FUEL", "SPIRITS"]
CATEGORIES_OUT = [
    ("DRUG GM", "CIGARETTES"),
    ("DRUG GM", "CIGARS"),
    ("DRUG GM", "PREPAID WIRELESS&ACCESSORIES"),
    ("DRUG GM", "TOBACCO OTHER"),
    ("GROCERY", "BEERS/ALES"),
    ("GROCERY", "DOMESTIC WINE"),
    ("GROCERY", "IMPORTED WINE"),
    ("GROCERY", "MISC WINE"),
    ("MISCELLANEOUS", "COUPON/MISC ITEMS"),
]
MONTHS_KEPT = {"base": 4, "own-brand": 4, "full-cart": 2}  # to the first of a later month
SPENT = 100


@dataclass(slots=True)
class Expected:
    """Points by basket and, at the end, by household; sums over all of them."""

    points: dict[str, int]
    balances: dict[str, int]
    granted: int = 0
    redeemed: int = 0
    skipped: int = 0
    expired: int = 0


@dataclass(slots=True)
class Purse:
    """A household's points by the month (counted from January of the year) they are gone in."""

    by_month: Counter[int] = field(default_factory=Counter)

    def spend(self, amount: int, month: int) -> bool:
        """Take what is gone soonest first; nothing where there is too little left in `month`."""
        live = sorted(gone for gone, left in self.by_month.items() if gone > month and left)
        if sum(self.by_month[gone] for gone in live) < amount:
            return False
        for gone in live:
            part = min(amount, self.by_month[gone])
            self.by_month[gone] -= part
            amount -= part
        return True

    def gone(self, month: int) -> int:
        return sum(left for gone, left in self.by_month.items() if gone <= month)


def expect(frames: Frames, end: datetime) -> Expected:
    """Everything up to `end` (aware), month ends swept where they are not after it."""
    earned = points_by_basket(frames)
    found = Expected(points=_by_basket(earned), balances={}, granted=int(earned["points"].sum()))
    purses: Mapping[int, Purse] = defaultdict(Purse)
    for _, household, month, grants in sorted(_events(frames, earned, end), key=_in_time):
        if grants is not None:
            for rule, amount in grants.items():
                purses[household].by_month[month + MONTHS_KEPT[rule]] += amount
        elif purses[household].spend(SPENT, month):
            found.redeemed += SPENT
        else:
            found.skipped += 1
    last = _month(end.astimezone(ZONE))
    found.expired = sum(purse.gone(last) for purse in purses.values())
    found.balances = {
        str(household): purse.by_month.total() - purse.gone(last)
        for household, purse in purses.items()
    }
    return found


def points_by_basket(frames: Frames) -> Any:
    """A frame by basket: household_id, at (local), a column for each rule, and their sum `points`.

    One dollar gives 1 point, in halves: 2; produce and nutrition 2 points, organic produce 4, soft
    drinks a half. Rounded down per basket, and nothing where less than 5 dollars count.
    """
    lines = frames.lines.merge(frames.products, on="product_id", how="left")
    paid = _cents(lines["sales_value"])
    off = _cents(lines["retail_disc"] + lines["coupon_disc"] + lines["coupon_match_disc"])
    counts, department = _counts(lines), lines["department"]
    halves = department.map({"PRODUCE": 4, "NUTRITION": 4}).fillna(2).astype("int64")
    halves[_is(lines, [("PRODUCE", "ORGANICS FRUIT & VEGETABLES")])] = 8
    halves[_is(lines, [("GROCERY", "SOFT DRINKS")])] = 1
    own = counts & (lines["brand"] != "National")
    lines["spend"] = paid.where(counts, 0)
    lines["halves"] = (paid * halves).where(counts, 0)
    lines["own-brand"] = ((paid + off + 100) // 200).where(own, 0)
    lines["at"] = lines["transaction_timestamp"].dt.tz_localize("UTC").dt.tz_convert(str(ZONE))
    sums = lines.groupby("basket_id", sort=False).agg(
        {"household_id": "first", "at": "first", "spend": "sum", "halves": "sum",
         "own-brand": "sum"}
    )  # fmt: skip
    sums["base"] = (sums["halves"] // 200).where(sums["spend"] >= 500, 0)
    sums["full-cart"] = sums["spend"] // 5000 * 5
    sums["points"] = sums[list(MONTHS_KEPT)].sum(axis=1)
    return sums


def _cents(dollars: Any) -> Any:
    return (dollars * 100).round().astype("int64")


def _counts(lines: Any) -> Any:
    return ~(lines["department"].isin(DEPARTMENTS_OUT) | _is(lines, CATEGORIES_OUT))


def _is(lines: Any, categories: list[tuple[str, str]]) -> Any:
    """Which lines are of one of some (department, category)."""
    found = lines["department"].isna() & False
    for department, category in categories:
        found |= (lines["department"] == department) & (lines["product_category"] == category)
    return found.fillna(False)


def _by_basket(earned: Any) -> dict[str, int]:
    return {str(basket): int(points) for basket, points in earned["points"].items()}


Event = tuple[datetime, int, int, dict[str, int] | None]  # instant, household, month, grants


def _events(frames: Frames, earned: Any, end: datetime) -> Iterator[Event]:
    rules = {rule: earned[rule].tolist() for rule in MONTHS_KEPT}
    for row, (at, household) in enumerate(
        zip(earned["at"].dt.to_pydatetime(), earned["household_id"].tolist(), strict=True)
    ):
        yield at, household, _month(at), {rule: points[row] for rule, points in rules.items()}
    for day, household in zip(
        frames.coupons["redemption_date"].dt.tz_localize(str(ZONE)).dt.to_pydatetime(),
        frames.coupons["household_id"].tolist(),
        strict=True,
    ):
        at = day.replace(hour=23, minute=59)
        if at <= end:
            yield at, household, _month(at), None


def _in_time(event: Event) -> tuple[float, bool]:
    """What is earned in the very second of a redemption can be spent by it."""
    at, _, _, grants = event
    return at.timestamp(), grants is None


def _month(local: datetime) -> int:
    return (local.year - YEAR) * 12 + local.month
