"""Recurrence rules against an independent implementation, and what is not taken."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from loyalty_earning.recurrence import DAYS, Recurrence
from loyalty_earning.times import Times

SPAN = 430


@st.composite
def rules(draw: st.DrawFn) -> str:
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    parts = [f"FREQ={frequency}", f"INTERVAL={draw(st.integers(1, 4))}"]
    # Never a rule without any day: dateutil looks for one up to the year 9999.
    if frequency in ("DAILY", "WEEKLY") and draw(st.booleans()):
        months = draw(st.sets(st.integers(1, 12), min_size=1, max_size=4))
        parts.append("BYMONTH=" + ",".join(map(str, sorted(months))))
    if draw(st.booleans()):
        plain = frequency in ("DAILY", "WEEKLY") or draw(st.booleans())
        ordinals = [0] if plain else [1, 2, 4, -1, -2]
        days = draw(
            st.sets(st.tuples(st.sampled_from(ordinals), st.sampled_from(DAYS)), min_size=1,
                    max_size=3)
        )  # fmt: skip
        parts.append("BYDAY=" + ",".join(f"{n or ''}{day}" for n, day in sorted(days)))
    elif frequency in ("MONTHLY", "YEARLY") and draw(st.booleans()):
        month_days = draw(st.sets(st.sampled_from([1, 15, 29, 31, -1, -2]), min_size=1))
        parts.append("BYMONTHDAY=" + ",".join(map(str, sorted(month_days))))
    if draw(st.booleans()):
        parts.append(f"WKST={draw(st.sampled_from(['MO', 'SU']))}")
    return ";".join(parts)


@settings(max_examples=150, deadline=None)
@given(text=rules(), start=st.dates(date(2023, 12, 1), date(2024, 3, 31)))
def test_it_names_the_days_that_dateutil_names(text: str, start: date) -> None:
    end = start + timedelta(days=SPAN)
    begun = datetime.combine(start, datetime.min.time())
    until = f";UNTIL={end:%Y%m%d}T000000"
    theirs = {at.date() for at in rrulestr(text + until, dtstart=begun)}
    rule = Recurrence.parse(text)
    days = [start + timedelta(days=day) for day in range(SPAN + 1)]
    assert {day for day in days if rule.names(day, start)} == theirs


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "NAME=VALUE"),
        ("FREQ=HOURLY", "FREQ must be one of"),
        ("FREQ=DAILY;COUNT=0", "COUNT goes from 1"),
        ("FREQ=DAILY;COUNT=3;UNTIL=20260302", "both say when it ends"),
        ("FREQ=MONTHLY;BYSETPOS=-1", "picks from what BYDAY"),
        ("FREQ=WEEKLY;BYHOUR=9;BYDAY=TU", "BYHOUR is not taken"),
        ("FREQ=DAILY;UNTIL=2026W011", "UNTIL takes a day"),
        ("FREQ=DAILY;UNTIL=20261231TXX", "UNTIL takes a day"),
        ("FREQ=DAILY;FREQ=DAILY", "of its own"),
        ("FREQ=WEEKLY;BYDAY=1MO", "only with FREQ=MONTHLY"),
        ("FREQ=MONTHLY;BYDAY=MO,1MO", "not both"),
        ("FREQ=WEEKLY;BYDAY=XX", "no day"),
        ("FREQ=WEEKLY;BYMONTHDAY=3", "does not go with"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "without 0"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "from -31 to 31"),
        ("FREQ=DAILY;INTERVAL=x", "whole numbers"),
        ("FREQ=DAILY;UNTIL=soon", "UNTIL takes a day"),
    ],
)
def test_what_is_not_taken_is_said(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        Recurrence.parse(text)


@pytest.mark.parametrize(
    "text", ["BYMONTH=4,5;BYMONTHDAY=-1", "BYMONTH=4;BYDAY=2TU", "BYMONTH=4,9"]
)
@pytest.mark.parametrize("frequency", ["MONTHLY", "YEARLY"])
def test_months_go_with_days_of_theirs(text: str, frequency: str) -> None:
    start, end = date(2024, 4, 30), date(2030, 4, 30)
    rule = f"FREQ={frequency};{text}"
    begun = datetime.combine(start, datetime.min.time())
    theirs = {at.date() for at in rrulestr(f"{rule};UNTIL=20300430T000000", dtstart=begun)}
    ours = Recurrence.parse(rule)
    days = (start + timedelta(days=day) for day in range((end - start).days + 1))
    assert {day for day in days if ours.names(day, start)} == theirs != set()


def test_the_last_day_is_included() -> None:
    rule = Recurrence.parse("RRULE:FREQ=DAILY;UNTIL=20260302")
    days = [date(2026, 3, day) for day in (1, 2, 3)]
    assert [rule.names(day, date(2026, 3, 1)) for day in days] == [True, True, False]
    assert not rule.names(date(2026, 2, 28), date(2026, 3, 1))


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1,-1;INTERVAL=2",
        "FREQ=YEARLY;BYMONTH=1,6;BYDAY=SA,SU;BYSETPOS=2",
        "FREQ=YEARLY;BYMONTHDAY=1,15;BYSETPOS=-3",
        "FREQ=MONTHLY;BYMONTHDAY=13,14,15;BYDAY=FR;BYSETPOS=1",
        "FREQ=WEEKLY;BYDAY=TU,TH;COUNT=5",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=7",
        "FREQ=DAILY;INTERVAL=3;BYDAY=MO,TU;COUNT=4",
        "FREQ=YEARLY;COUNT=3",
    ],
)
def test_what_picks_from_a_set_or_counts_names_what_dateutil_names(text: str) -> None:
    start, span = date(2026, 1, 7), 4 * 366
    begun = datetime.combine(start, datetime.min.time())
    theirs = {
        at.date()
        for at in rrulestr(text, dtstart=begun).between(begun, begun + timedelta(span), inc=True)
    }
    ours = Recurrence.parse(text).counted(start)
    days = (start + timedelta(days=day) for day in range(span + 1))
    assert {day for day in days if ours.names(day, start)} == theirs != set()


def test_what_counts_must_come_to_its_end() -> None:
    rule = Recurrence.parse("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=1")
    with pytest.raises(ValueError, match="not reached within twenty years"):
        rule.counted(date(2026, 1, 1))
    with pytest.raises(ValidationError, match="not reached") as refused:
        Times(recurrence="FREQ=YEARLY;COUNT=30", starts="2026-01-01")
    assert refused.value.errors()[0]["loc"] == ("recurrence",)


def test_a_promotion_that_counts_ends() -> None:
    times = Times.model_validate({"recurrence": "freq=weekly;count=2", "starts": "2026-03-03"})
    noon = datetime(2026, 3, 3, 12, tzinfo=UTC)
    held = [times.include(noon + timedelta(weeks=week), ZoneInfo("UTC")) for week in range(4)]
    assert held == [True, True, False, False]


@pytest.mark.parametrize(
    ("until", "zone", "last"),
    [
        ("20260331", "America/New_York", 31),
        ("20260401T035959Z", "America/New_York", 31),  # as calendars export the end of that day
        ("20260331T035959Z", "America/New_York", 30),
        ("20260330T220000Z", "Europe/Berlin", 31),  # midnight there
        ("20260330T215959Z", "Europe/Berlin", 30),
        ("20260330T235959", "Europe/Berlin", 30),
        ("20260331T000000", "Asia/Tokyo", 31),
    ],
)
def test_until_an_instant_is_the_last_one_that_begins_by_then(
    until: str, zone: str, last: int
) -> None:
    times = Times.model_validate(
        {"recurrence": f"FREQ=DAILY;UNTIL={until}", "starts": "2026-03-01"}
    )
    noons = (datetime(2026, 3, day, 12, tzinfo=ZoneInfo(zone)) for day in range(1, 32))
    assert max(at.day for at in noons if times.include(at, ZoneInfo(zone))) == last
    assert not times.include(datetime(2026, 4, 1, 12, tzinfo=ZoneInfo(zone)), ZoneInfo(zone))


def test_none_begins_on_a_day_that_is_left_out() -> None:
    """What began the day before goes on into it."""
    times = Times.model_validate(
        {"recurrence": "FREQ=WEEKLY;BYDAY=TH,FR", "starts": "2026-12-01", "at": "06:00",
         "except_on": ["2026-12-25"]}
    )  # fmt: skip
    hours = [(24, 5), (24, 6), (25, 5), (25, 6), (26, 5), (31, 6)]
    held = [times.include(datetime(2026, 12, *at, tzinfo=UTC), ZoneInfo("UTC")) for at in hours]
    assert held == [False, True, True, False, False, True]
