"""What is left alone for a while, and for how long."""

from datetime import UTC, datetime, timedelta

import pytest

from loyalty.ids import new_id
from loyalty.jobs import postponed as module
from loyalty.jobs.postponed import Postponed

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
TENANT = new_id()


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_a_rest_is_no_failure() -> None:
    known, which = Postponed(), new_id()
    for _ in range(20):
        known.rest(TENANT, "expiry", which, NOON)
    assert known.ids(TENANT, "expiry", after(1)) == [which]
    assert known.ids(TENANT, "expiry", after(2)) == []

    known.put(TENANT, "expiry", which, after(2))  # the first one
    assert known.ids(TENANT, "expiry", after(4)) == []


def test_a_rest_shortens_no_pause() -> None:
    known, which = Postponed(), new_id()
    for _ in range(5):
        known.put(TENANT, "expiry", which, NOON)
    known.rest(TENANT, "expiry", which, after(1))
    assert known.holds(TENANT, "expiry", which, after(31))


def test_of_many_rests_those_that_are_over_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KNOWN_MAX", 3)
    known, failed = Postponed(), new_id()
    known.put(TENANT, "expiry", failed, NOON)
    for seconds in range(20):
        known.rest(TENANT, "expiry", new_id(), after(seconds))
        assert len(known._known) <= 4
    assert (TENANT, "expiry", failed) in known._known, "the next failure is its second"
