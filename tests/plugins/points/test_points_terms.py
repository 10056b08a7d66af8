"""When points can be used and until when, in the tenant's own days."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from loyalty.effects import Grant, TakeBack
from loyalty.facts import PurchaseRecorded
from loyalty.purchase import Line
from loyalty.view import View
from loyalty_earning.rules.earning import earn
from loyalty_points.config import PointsConfig

NEW_YORK, LOS_ANGELES, TOKYO = "America/New_York", "America/Los_Angeles", "Asia/Tokyo"
Granted = Callable[..., Grant]


@pytest.fixture(name="granted")
def fixture_granted(
    config: Callable[..., PointsConfig],
    purchase: Callable[..., PurchaseRecorded],
    view: Callable[..., View],
) -> Granted:
    def granted(
        at: datetime, zone: str, program: dict[str, Any], own: dict[str, Any] | None = None
    ) -> Grant:
        basket = purchase(Line(id="1", amount=10_00), at=at)
        (grant,) = earn(config({"terms": own}, terms=program), basket, view(zone=zone))
        return grant

    return granted


def local(zone: str, *parts: int) -> datetime:
    return datetime(*parts, tzinfo=ZoneInfo(zone))  # type: ignore[arg-type,misc]


@pytest.mark.parametrize("zone", [NEW_YORK, LOS_ANGELES, TOKYO, "UTC", "Europe/London"])
def test_twelve_months_to_the_end_of_the_month(granted: Granted, zone: str) -> None:
    terms = {"lifetime": {"span": "P12M", "ends": "month"}}
    grant = granted(local(zone, 2020, 7, 6, 15), zone, terms)
    assert grant.expires_at == local(zone, 2021, 8, 1)


def test_six_months_after_the_month_of_earning(granted: Granted) -> None:
    terms = {"lifetime": {"span": "P6M", "ends": "month"}}
    grant = granted(local(NEW_YORK, 2025, 12, 15, 9), NEW_YORK, terms)
    assert grant.expires_at == datetime(2026, 7, 1, 4, tzinfo=UTC)


def test_the_local_day_of_the_purchase_counts(granted: Granted) -> None:
    """Late on 31 July in New York it is August in UTC already."""
    terms = {"lifetime": {"span": "P1M", "ends": "month"}}
    at = datetime(2026, 8, 1, 2, tzinfo=UTC)
    assert granted(at, NEW_YORK, terms).expires_at == local(NEW_YORK, 2026, 9, 1)
    assert granted(at, "UTC", terms).expires_at == local("UTC", 2026, 10, 1)


@pytest.mark.parametrize(
    ("lifetime", "end"),
    [
        ({"span": "P1M"}, (2024, 2, 29, 18, 30)),
        ({"span": "P1M", "ends": "exact"}, (2024, 2, 29, 18, 30)),
        ({"span": "P1M", "ends": "day"}, (2024, 3, 1)),
        ({"span": "P1M", "ends": "quarter"}, (2024, 4, 1)),
        ({"span": "P1Y", "ends": "year"}, (2026, 1, 1)),
        ({"span": "P60D", "ends": "exact"}, (2024, 3, 31, 18, 30)),
    ],
)
def test_every_ending(granted: Granted, lifetime: dict[str, str], end: tuple[int, ...]) -> None:
    grant = granted(local(NEW_YORK, 2024, 1, 31, 18, 30), NEW_YORK, {"lifetime": lifetime})
    assert grant.expires_at == local(NEW_YORK, *end)


def test_without_a_lifetime_points_never_expire_and_are_usable_at_once(granted: Granted) -> None:
    grant = granted(local(TOKYO, 2026, 1, 1), TOKYO, {})
    assert (grant.available_at, grant.expires_at) == (None, None)


def test_pending_days_keep_the_local_time_over_a_clock_change(granted: Granted) -> None:
    """Clocks go forward in New York on 8 March 2026: fourteen days are 335 hours."""
    grant = granted(local(NEW_YORK, 2026, 3, 1, 10), NEW_YORK, {"pending_days": 14})
    assert grant.available_at == datetime(2026, 3, 15, 14, tzinfo=UTC)
    assert local(NEW_YORK, 2026, 3, 1, 10).astimezone(UTC) == datetime(2026, 3, 1, 15, tzinfo=UTC)


def test_a_rule_may_have_terms_of_its_own(granted: Granted) -> None:
    own = {"lifetime": {"span": "P7D"}, "take_back": "clamp"}
    program = {"pending_days": 3, "take_back": "refuse"}
    grant = granted(local("UTC", 2026, 1, 1), "UTC", program, own)
    assert grant.expires_at == local("UTC", 2026, 1, 8)
    assert (grant.available_at, grant.take_back) == (None, TakeBack.CLAMP)
    assert granted(local("UTC", 2026, 1, 1), "UTC", program).take_back is TakeBack.REFUSE


@pytest.mark.parametrize(
    ("at", "available"),
    [
        ((2026, 11, 28, 10), (2026, 12, 5)),
        ((2026, 12, 4, 23, 59), (2026, 12, 5)),
        ((2026, 12, 5), None),
        ((2026, 12, 15, 23), None),
    ],
)
def test_points_of_some_days_are_used_on_others(
    granted: Granted, at: tuple[int, ...], available: tuple[int, ...] | None
) -> None:
    terms = {"usable_from": "2026-12-05", "usable_through": "2026-12-15", "return_window_days": 30}
    grant = granted(local(NEW_YORK, *at), NEW_YORK, terms)
    assert grant.available_at == (available and local(NEW_YORK, *available))
    assert grant.expires_at == local(NEW_YORK, 2026, 12, 16)


def test_a_lifetime_counts_from_the_day_on_which_points_are_usable(granted: Granted) -> None:
    lifetime = {"span": "P10D", "counted_from": "usable"}
    terms = {"usable_from": "2026-12-05", "lifetime": lifetime}
    early = granted(local(TOKYO, 2026, 11, 28, 10), TOKYO, terms)
    late = granted(local(TOKYO, 2026, 12, 7, 10), TOKYO, terms)
    assert early.expires_at == local(TOKYO, 2026, 12, 15)
    assert late.expires_at == local(TOKYO, 2026, 12, 17, 10)
