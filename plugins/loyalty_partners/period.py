"""Periods that are settled: calendar months in UTC, so that both sides mean the same."""

import re
from datetime import UTC, datetime
from typing import NamedTuple

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)


class Period(NamedTuple):
    """[since, before)."""

    since: datetime
    before: datetime

    @property
    def name(self) -> str:
        return f"{self.since:%Y-%m}"


def period_of(name: str) -> Period | None:
    """The month of a name such as `2026-03`; None where there is no such."""
    match = _MONTH.fullmatch(name)
    if match is None or not 2000 <= int(match[1]) <= 9000:
        return None
    return containing(datetime(int(match[1]), int(match[2]), 1, tzinfo=UTC))


def containing(at: datetime) -> Period:
    since = datetime(at.year, at.month, 1, tzinfo=UTC)
    year, month = (at.year + 1, 1) if at.month == 12 else (at.year, at.month + 1)
    return Period(since, datetime(year, month, 1, tzinfo=UTC))
