"""Which days of a program's calendar have come: its issuing windows and days of dividends."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from loyalty.days import day_start, local_day
from loyalty.setup import Program, Setup
from loyalty_points.calendar import dates
from loyalty_points.config import PointsConfig
from loyalty_points.issuing import Issuing

LOOK_BACK = timedelta(days=366)  # for so long a window waits for a worker


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenWindow:
    """A day on which points of a program become rewards, from its begin on."""

    program: Program
    config: PointsConfig
    issuing: Issuing
    day: date
    at: datetime

    @property
    def key(self) -> str:
        return f"issuing:{self.program.slug}:{self.issuing.id}:{self.day.isoformat()}"


def points_programs(setup: Setup) -> list[Program]:
    """In their order."""
    found = [program for program in setup.programs if program.kind == "points"]
    return sorted(found, key=lambda program: (program.position, program.slug))


def config_at(program: Program, at: datetime) -> PointsConfig | None:
    version = program.at(at)
    config: Any = None if version is None else version.config
    return config if isinstance(config, PointsConfig) else None


def windows(
    setup: Setup, since: datetime, until: datetime, slug: str | None = None
) -> Iterator[OpenWindow]:
    """Those that open after `since` and by `until`, in order, each by the config of its day.

    Of all programs, or of the one that goes by `slug`.
    """
    found = [
        window
        for program in points_programs(setup)
        if slug in (None, program.slug)
        for window in _of_program(program, setup, since, until)
    ]
    yield from sorted(found, key=lambda one: (one.at, one.key))


def _of_program(
    program: Program, setup: Setup, since: datetime, until: datetime
) -> Iterator[OpenWindow]:
    first, last = local_day(since, setup.zone), local_day(until, setup.zone)
    named: set[tuple[str, date]] = set()
    for version in program.versions:
        for issuing in version.config.issuing:
            for day in dates(issuing.windows, first, last):
                at = day_start(day, setup.zone)
                config = config_at(program, at)
                if not since < at <= until or config is None or (issuing.id, day) in named:
                    continue
                if config is not version.config:
                    continue
                named.add((issuing.id, day))
                yield OpenWindow(program=program, config=config, issuing=issuing, day=day, at=at)
