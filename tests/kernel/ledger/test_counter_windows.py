"""Counters: buckets tile time, windows are whole buckets, in the tenant's own days."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.counters import bucket_of, window_of
from loyalty.plugin import Bucket, Counter, Scope, Window

ZONES = [
    ZoneInfo(name)
    for name in ("UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Asia/Kathmandu")
]
FIRST, LAST = datetime(2005, 1, 1, tzinfo=UTC), datetime(2035, 12, 31, tzinfo=UTC)
INSTANTS = st.integers(0, int((LAST - FIRST).total_seconds())).map(
    lambda seconds: FIRST + timedelta(seconds=seconds)
)
WINDOWS = [window for window in Window if window is not Window.LIFETIME]


def counter(
    window: Window, bucket: Bucket = Bucket.DAY, starts: time = time(0), rolling: int = 30
) -> Counter:
    return Counter(
        name="spend", scope=Scope.MEMBER, measure=lambda fact, grants, program: 1, window=window,
        bucket=bucket, day_starts_at=starts, rolling_days=rolling,
    )  # fmt: skip


@given(
    INSTANTS,
    INSTANTS,
    st.sampled_from(ZONES),
    st.sampled_from(WINDOWS),
    st.sampled_from(list(Bucket)),
    st.sampled_from([time(0), time(6), time(6, 30)]),
)
@settings(max_examples=500)
def test_an_instant_is_in_a_window_exactly_if_its_bucket_is(
    at: datetime, other: datetime, zone: ZoneInfo, window: Window, bucket: Bucket, starts: time
) -> None:
    it = counter(window, bucket, starts)
    near = at + (other - at) / 400  # near enough to fall on both sides of the edges

    since, before = window_of(it, at, zone)

    assert since <= at < before
    assert since <= bucket_of(it, at, zone) <= at
    assert (since <= near < before) == (since <= bucket_of(it, near, zone) < before)


@pytest.mark.parametrize(
    ("window", "since", "before"),
    [
        (Window.DAY, "2026-03-08T05:00Z", "2026-03-09T04:00Z"),  # a day of 23 hours
        (Window.WEEK, "2026-03-02T05:00Z", "2026-03-09T04:00Z"),
        (Window.MONTH, "2026-03-01T05:00Z", "2026-04-01T04:00Z"),
        (Window.QUARTER, "2026-01-01T05:00Z", "2026-04-01T04:00Z"),
        (Window.YEAR, "2026-01-01T05:00Z", "2027-01-01T05:00Z"),
        (Window.ROLLING, "2026-02-07T05:00Z", "2026-03-09T04:00Z"),
    ],
)
def test_windows_in_local_days(window: Window, since: str, before: str) -> None:
    at = datetime(2026, 3, 8, 20, tzinfo=UTC)

    found = window_of(counter(window), at, ZoneInfo("America/New_York"))

    assert found == (datetime.fromisoformat(since), datetime.fromisoformat(before))


def test_a_gaming_day_begins_in_the_morning() -> None:
    zone = ZoneInfo("America/New_York")
    it = counter(Window.DAY, starts=time(6))
    night = datetime(2026, 6, 10, 9, 59, 59, tzinfo=UTC)  # 05:59:59 there

    assert bucket_of(it, night, zone) == datetime(2026, 6, 9, 10, tzinfo=UTC)
    assert bucket_of(it, night + timedelta(seconds=1), zone) == datetime(
        2026, 6, 10, 10, tzinfo=UTC
    )


def test_an_hour_of_a_zone_half_an_hour_off_is_not_lost_between_two_days() -> None:
    zone = ZoneInfo("Asia/Kolkata")
    it = counter(Window.DAY, Bucket.HOUR)
    at = datetime(2026, 6, 9, 18, 40, tzinfo=UTC)  # 00:10 there

    since, before = window_of(it, at, zone)

    assert since == datetime(2026, 6, 9, 18, 30, tzinfo=UTC)
    assert since <= bucket_of(it, at, zone) < before
