"""The independent computation, against numbers worked out by hand."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas
import pytest

from loyalty_app.demo.expected import Purse, expect, points_by_basket
from loyalty_app.demo.frames import Frames
from loyalty_app.demo.timeline import YEAR_END

PRODUCTS = [
    (1, "GROCERY", "National", "COFFEE", "BEANS"),
    (2, "PRODUCE", "National", "BERRIES", "BERRIES"),
    (3, "PRODUCE", "National", "ORGANICS FRUIT & VEGETABLES", "ORGANIC"),
    (4, "GROCERY", "National", "SOFT DRINKS", "COLA"),
    (5, "FUEL", "National", "COUPON/MISC ITEMS", "GASOLINE-REG UNLEADED"),
    (6, "GROCERY", "Private", "COFFEE", "BEANS"),
    (7, "GROCERY", "Private", "BEERS/ALES", "BEER"),
]


def made(
    *lines: tuple[int, int, str, int, float, float], coupons: list[tuple[int, str]] | None = None
) -> Frames:
    """Lines are basket, household, UTC time, product, sales value, discount."""
    found: Any = pandas.DataFrame(
        lines,
        columns=[
            "basket_id", "household_id", "transaction_timestamp", "product_id", "sales_value",
            "retail_disc",
        ],
    )  # fmt: skip
    found["transaction_timestamp"] = pandas.to_datetime(found["transaction_timestamp"])
    found["coupon_disc"] = found["coupon_match_disc"] = 0.0
    redeemed = pandas.DataFrame(coupons or [], columns=["household_id", "redemption_date"])
    redeemed["redemption_date"] = pandas.to_datetime(redeemed["redemption_date"])
    columns = ["product_id", "department", "brand", "product_category", "product_type"]
    return Frames(found, pandas.DataFrame(PRODUCTS, columns=columns), redeemed)


@pytest.mark.parametrize(
    ("lines", "points"),
    [
        ([(1, 10.99, 0.0)], 10),  # a point per dollar, rounded down
        ([(1, 4.99, 0.0)], 0),  # less than 5 dollars
        ([(1, 4.99, 0.0), (5, 30.0, 0.0)], 0),  # fuel does not count towards them either
        ([(2, 5.25, 0.0)], 10),  # twice
        ([(3, 5.25, 0.0)], 21),  # four times
        ([(4, 5.99, 0.0)], 2),  # half
        ([(4, 5.50, 0.0), (1, 5.50, 0.0)], 8),  # 2.75 + 5.5, rounded once
        ([(99, 5.0, 0.0)], 5 + 3),  # an unknown product is not national: half_up(2.5) more
        ([(6, 5.0, 0.98)], 5 + 3),  # 2.99 of the shelf price 5.98
        ([(6, 0.99, 0.0)], 0),  # too little for the base, 0.495 of our own brand
        ([(6, 1.0, 0.0)], 1),  # 0.5 is rounded up, line by line and whatever the basket
        ([(7, 100.0, 0.0)], 0),
        ([(1, 100.0, 0.0)], 100 + 10),
        ([(1, 99.99, 0.0)], 99 + 5),
        ([(1, 0.0, 1.0)], 0),
    ],
)
def test_points_of_a_basket(lines: list[tuple[int, float, float]], points: int) -> None:
    rows = [(1, 1, "2017-03-05 12:00:00", *line) for line in lines]

    assert points_by_basket(made(*rows))["points"].tolist() == [points]


def test_points_end_with_the_local_month() -> None:
    """Earned at 23:30 on 31 January in New York, which is February in UTC: gone on 1 May."""
    late = (1, 7, "2017-02-01 04:30:00", 1, 20.0, 0.0)

    before = expect(made(late), datetime(2017, 5, 1, 3, 59, tzinfo=UTC))
    after = expect(made(late), datetime(2017, 5, 1, 4, tzinfo=UTC))

    assert (before.expired, before.balances) == (0, {"7": 20})
    assert (after.expired, after.balances) == (20, {"7": 0})


def test_what_is_gone_soonest_is_spent_first() -> None:
    """160 base and 15 bonus points of March, which end in July and May: 100 are spent in April."""
    found = expect(
        made((1, 7, "2017-03-05 12:00:00", 1, 160.0, 0.0), coupons=[(7, "2017-04-02")]), YEAR_END
    )
    assert (found.granted, found.redeemed, found.expired, found.skipped) == (175, 100, 75, 0)
    may = expect(
        made((1, 7, "2017-03-05 12:00:00", 1, 160.0, 0.0), coupons=[(7, "2017-04-02")]),
        datetime(2017, 5, 2, tzinfo=UTC),
    )
    assert (may.expired, may.balances) == (0, {"7": 75})


def test_a_redemption_takes_what_its_own_day_brought_and_is_skipped_otherwise() -> None:
    day = [(7, "2017-03-05"), (7, "2017-03-05")]
    found = expect(made((1, 7, "2017-03-06 04:59:00", 1, 99.0, 0.0), coupons=day), YEAR_END)
    assert (found.granted, found.redeemed, found.skipped) == (104, 100, 1)

    later = expect(made((1, 7, "2017-03-06 04:59:01", 1, 99.0, 0.0), coupons=day), YEAR_END)
    assert (later.redeemed, later.skipped) == (0, 2)


def test_a_purse_gives_all_or_nothing() -> None:
    purse = Purse()
    purse.by_month.update({5: 60, 7: 60})
    assert not purse.spend(100, month=5)  # what ends on the first of May is gone in May
    assert purse.spend(100, month=4)
    assert purse.by_month == {5: 0, 7: 20}
    assert purse.gone(7) == 20


def test_the_guide_says_what_the_year_comes_to(frames: Frames) -> None:
    found = expect(frames, YEAR_END)
    guide = (Path(__file__).parents[2] / "docs" / "demo.md").read_text()
    for name, number in (
        ("baskets", len(found.points)),
        ("points granted", found.granted),
        ("points redeemed", found.redeemed),
        ("points expired", found.expired),
        ("points left to spend", sum(found.balances.values())),
        ("redemptions skipped", found.skipped),
    ):
        assert f"| {name} | {number:,} |" in guide
