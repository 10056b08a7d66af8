"""Local days, months and spans, in zones whose days are not all alike."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.days import Span, SpanEnd, add_months, day_start, iso, local_day, span_end

# Half-hour offsets, half-hour shifts, shifts at midnight, a day that was left out.
ZONES = [
    ZoneInfo(name)
    for name in (
        "UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo",
        "Pacific/Apia", "Africa/Casablanca", "Asia/Kathmandu", "America/St_Johns", "Europe/Dublin",
    )
]  # fmt: skip
FIRST, LAST = datetime(2005, 1, 1, tzinfo=UTC), datetime(2035, 12, 31, tzinfo=UTC)
INSTANTS = st.integers(0, int((LAST - FIRST).total_seconds())).map(
    lambda seconds: FIRST + timedelta(seconds=seconds)
)
STARTS = st.sampled_from([time(0), time(4), time(6), time(5, 30), time(23, 30)])


@given(INSTANTS, st.sampled_from(ZONES), STARTS)
@settings(max_examples=500)
def test_every_instant_lies_in_its_local_day(at: datetime, zone: ZoneInfo, starts: time) -> None:
    day = local_day(at, zone, starts)

    assert day_start(day, zone, starts) <= at < day_start(day + timedelta(days=1), zone, starts)


@given(st.dates(date(2005, 1, 2), date(2035, 12, 30)), st.sampled_from(ZONES), STARTS)
@settings(max_examples=500)
def test_days_follow_each_other_without_gap(day: date, zone: ZoneInfo, starts: time) -> None:
    start = day_start(day, zone, starts)
    after = day_start(day + timedelta(days=1), zone, starts)

    left_out = zone.key == "Pacific/Apia" and start == after  # 30 December 2011 never was
    assert left_out or timedelta(hours=22) < after - start < timedelta(hours=26)
    if not left_out:
        assert local_day(start, zone, starts) == day
        assert local_day(start - timedelta(microseconds=1), zone, starts) < day


def test_days_of_23_and_25_hours() -> None:
    zone = ZoneInfo("America/New_York")
    hours = [
        (day_start(day + timedelta(days=1), zone) - day_start(day, zone)) / timedelta(hours=1)
        for day in (date(2026, 3, 8), date(2026, 3, 9), date(2026, 11, 1))
    ]

    assert hours == [23, 24, 25]


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(0, 600))
def test_months_keep_the_day_or_end_with_the_month(day: date, months: int) -> None:
    later = add_months(day, months)

    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == day.day or (later + timedelta(days=1)).day == 1


def test_month_ends_count_from_the_anchor() -> None:
    start = date(2026, 1, 31)

    assert [add_months(start, n) for n in (1, 2, 3, 13, 25)] == [
        date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30), date(2027, 2, 28),
        date(2028, 2, 29),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("anchor", "span", "end", "expected"),
    [
        # Earned 6 July 2020 with P12M to the end of the month: gone on 1 August 2021.
        ("2020-07-06T15:00-04:00", "P12M", SpanEnd.MONTH, "2021-08-01T04:00Z"),
        ("2026-03-07T02:30-05:00", "P1D", SpanEnd.EXACT, "2026-03-08T07:30Z"),  # into the gap
        ("2026-01-31T12:00-05:00", "P1M", SpanEnd.EXACT, "2026-02-28T17:00Z"),
        ("2026-01-31T23:59-05:00", "P1M", SpanEnd.DAY, "2026-03-01T05:00Z"),
        ("2026-02-10T12:00-05:00", "P1M", SpanEnd.QUARTER, "2026-04-01T04:00Z"),
        ("2026-12-31T23:59-05:00", "P1D", SpanEnd.YEAR, "2028-01-01T05:00Z"),
    ],
)
def test_spans_end_where_the_config_says(
    anchor: str, span: str, end: SpanEnd, expected: str
) -> None:
    zone = ZoneInfo("America/New_York")

    assert span_end(datetime.fromisoformat(anchor), Span.parse(span), zone, end) == (
        datetime.fromisoformat(expected)
    )


@given(
    INSTANTS,
    st.sampled_from(ZONES),
    st.integers(0, 36),
    st.integers(0, 400),
    st.sampled_from(list(SpanEnd)),
)
@settings(max_examples=500)
def test_a_span_never_ends_before_its_length(
    at: datetime, zone: ZoneInfo, months: int, days: int, end: SpanEnd
) -> None:
    ends = span_end(at, Span(months=months, days=days or 1), zone, end)

    local = at.astimezone(zone)
    wanted = add_months(local.date(), months) + timedelta(days=days or 1)
    assert ends.astimezone(zone).date() >= wanted
    if end is not SpanEnd.EXACT:
        # The first instant that no longer belongs to it is a midnight (or the end of its gap).
        assert local_day(ends - timedelta(microseconds=1), zone) < local_day(ends, zone)


@pytest.mark.parametrize("text", ["", "P", "P0D", "12M", "PT1H", "P1.5M", "P-1D", "p1d", "P1D1M"])
def test_what_is_no_span_of_days_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"ISO 8601|at least one day"):
        Span.parse(text)


def test_instants_are_written_in_one_form() -> None:
    at = datetime.fromisoformat("2026-01-01T07:00:00-05:00")

    assert (iso(at), iso(None)) == ("2026-01-01T12:00:00Z", None)
