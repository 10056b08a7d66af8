"""Periods count from their anchor, and what of a fee is used and left sums to the fee."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.days import Span
from loyalty_subscriptions.periods import FOREVER, end_of, next_end
from loyalty_subscriptions.policies import Refund
from loyalty_subscriptions.proration import unused

NEW_YORK = ZoneInfo("America/New_York")
EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
INSTANTS = st.integers(0, 20 * 365 * 86_400).map(lambda n: EARLIEST + timedelta(seconds=n))
PERIODS = st.sampled_from(["P1M", "P3M", "P1Y", "P7D", "P30D", "P1M15D"]).map(Span.parse)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).astimezone(UTC)


@pytest.mark.parametrize(
    ("anchor", "period", "ends"),
    [
        ("2026-01-31T12:00", "P1M", ["2026-02-28T12:00", "2026-03-31T12:00", "2026-04-30T12:00"]),
        ("2028-01-31T12:00", "P1M", ["2028-02-29T12:00", "2028-03-31T12:00"]),
        ("2028-02-29T00:00", "P1Y", ["2029-02-28T00:00", "2030-02-28T00:00", "2031-02-28T00:00",
                                     "2032-02-29T00:00"]),
        ("2026-02-08T02:30", "P1M", ["2026-03-08T03:30", "2026-04-08T02:30"]),  # a gap at 02:30
        ("2026-10-30T12:00", "P3D", ["2026-11-02T12:00"]),  # 73 hours
    ],
)  # fmt: skip
def test_the_ends_of_periods(anchor: str, period: str, ends: list[str]) -> None:
    found = [
        end_of(local(anchor), Span.parse(period), number, NEW_YORK)
        for number in range(1, len(ends) + 1)
    ]

    assert found == [local(end) for end in ends]


def test_what_is_for_life_has_no_end() -> None:
    assert end_of(local("2026-01-31T12:00"), None, 1, NEW_YORK) == FOREVER
    assert next_end(local("2026-01-31T12:00"), None, FOREVER, NEW_YORK) == FOREVER


@settings(max_examples=200, deadline=None)
@given(anchor=INSTANTS, period=PERIODS, number=st.integers(1, 400), early=st.integers(1, 86_400))
def test_the_next_end_is_the_first_that_is_later(
    anchor: datetime, period: Span, number: int, early: int
) -> None:
    end = end_of(anchor, period, number, NEW_YORK)

    assert next_end(anchor, period, end - timedelta(seconds=early), NEW_YORK) == end
    assert next_end(anchor, period, end, NEW_YORK) == end_of(anchor, period, number + 1, NEW_YORK)


@pytest.mark.parametrize(
    ("policy", "at", "back"),
    [
        (Refund.PRORATE_MONTHS, "2025-01-01T00:00", 9900),
        (Refund.PRORATE_MONTHS, "2025-01-01T00:01", 9075),
        (Refund.PRORATE_MONTHS, "2025-02-01T00:00", 9075),
        (Refund.PRORATE_MONTHS, "2025-04-01T00:00", 7425),
        (Refund.PRORATE_MONTHS, "2025-12-31T23:59", 0),
        (Refund.PRORATE_DAYS, "2025-04-01T00:00", 7459),
        (Refund.PRORATE_DAYS, "2025-12-31T00:00", 27),
        (Refund.FULL, "2025-12-31T00:00", 9900),
        (Refund.NONE, "2025-01-01T00:01", 0),
    ],
)
def test_of_99_for_a_year(policy: Refund, at: str, back: int) -> None:
    starts, ends = local("2025-01-01T00:00"), local("2026-01-01T00:00")

    assert unused(9900, starts, ends, local(at), policy, NEW_YORK) == back


@settings(max_examples=300, deadline=None)
@given(
    amount=st.integers(0, 10**9),
    starts=INSTANTS,
    days=st.integers(1, 800),
    parts=st.lists(st.integers(0, 10**6), min_size=2, max_size=6),
    policy=st.sampled_from([Refund.PRORATE_DAYS, Refund.PRORATE_MONTHS]),
)
def test_less_is_left_the_later_it_ends_and_never_more_than_was_paid(
    amount: int, starts: datetime, days: int, parts: list[int], policy: Refund
) -> None:
    ends = starts + timedelta(days=days)
    instants = sorted(starts + (ends - starts) * part // 10**6 for part in parts)

    left = [unused(amount, starts, ends, at, policy, NEW_YORK) for at in instants]

    assert left == sorted(left, reverse=True)
    assert all(0 <= one <= amount for one in left)
    assert unused(amount, starts, ends, starts, policy, NEW_YORK) == amount
    assert unused(amount, starts, ends, ends, policy, NEW_YORK) == 0


def test_what_is_for_life_is_used_at_once() -> None:
    starts = local("2025-01-01T00:00")
    later = starts + timedelta(days=1)

    for policy in (Refund.PRORATE_DAYS, Refund.PRORATE_MONTHS):
        assert unused(3000, starts, FOREVER, later, policy, NEW_YORK) == 0
    assert unused(3000, starts, FOREVER, later, Refund.FULL, NEW_YORK) == 3000
