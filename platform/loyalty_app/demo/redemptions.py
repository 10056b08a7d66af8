"""Each coupon that a household redeemed becomes a redemption of points, late on its day."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from typing import NamedTuple

from loyalty_app.demo.frames import ZONE, Frames

POINTS = 100
LATE = time(23, 59)


class Redemption(NamedTuple):
    """A wish to spend `POINTS`. The key names the coupon, so that asking again is a replay."""

    key: str
    household: str
    at: datetime


def redemptions(frames: Frames) -> Iterator[Redemption]:
    """In order of time, then as published (no coupon is redeemed twice by a household in a day)."""
    coupons = frames.coupons
    for household, coupon, campaign, day in zip(
        coupons["household_id"].tolist(),
        coupons["coupon_upc"].tolist(),
        coupons["campaign_id"].tolist(),
        coupons["redemption_date"].dt.date.tolist(),
        strict=True,
    ):
        yield Redemption(f"{household}-{day}-{campaign}-{coupon}", str(household), late(day))


def late(day: date) -> datetime:
    """The instant (UTC) of 23:59 of a local day."""
    return datetime.combine(day, LATE, ZONE).astimezone(UTC)
