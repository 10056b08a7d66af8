"""Recurrence rules against an independent implementation, and what is not taken."""

from datetime import date, datetime, timedelta

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty_earning.recurrence import DAYS, Recurrence

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
        ("FREQ=DAILY;COUNT=3", "COUNT is not taken"),
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
