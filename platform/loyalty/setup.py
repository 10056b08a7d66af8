"""A tenant's setup as the kernel needs it: zone, units, limits and the programs it runs.

The tenants floor loads it; the kernel only reads it. It is immutable and carries the tenant's
epoch: a process that holds an older one loads it anew before it decides anything.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from loyalty.units import Unit, currency_places

T = TypeVar("T")
EVER = datetime(1, 1, 2, tzinfo=UTC)


class TenantStatus(StrEnum):
    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramVersion:
    """One published config. `config` is the plugin's own validated config object."""

    id: UUID
    number: int
    effective_from: datetime
    config: Any
    draw_secret: bytes = field(default=b"", repr=False)
    backfilling: bool = False  # its counters are kept already, its rules do not run yet
    published_at: datetime = EVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A plugin that a tenant runs under a slug; `position` orders programs within a stage."""

    id: UUID
    slug: str
    kind: str
    name: str
    position: int
    versions: tuple[ProgramVersion, ...]  # by effective_from, then number
    archived_at: datetime | None = None

    def at(self, instant: datetime) -> ProgramVersion | None:
        """The version in force at an instant; None before the first and after archiving."""
        if self.archived_at is not None and instant >= self.archived_at:
            return None
        found = None
        for version in self.versions:
            if version.effective_from <= instant and not version.backfilling:
                found = version
        return found

    def last(self, instant: datetime) -> ProgramVersion | None:
        """The same, of an archived program the version that was in force last."""
        if self.archived_at is None or instant < self.archived_at:
            return self.at(instant)
        begun = [one for one in self.versions if one.effective_from <= self.archived_at]
        return next((one for one in reversed(begun) if not one.backfilling), None)

    def within(self, since: datetime, before: datetime) -> list[ProgramVersion]:
        """The versions that are in force at some time of [since, before), with those to come."""
        first = self.at(since)
        return [
            version
            for version in self.versions
            if version is first
            or (since <= version.effective_from < before and not version.backfilling)
        ]

    def counting(self, instant: datetime) -> list[ProgramVersion]:
        """The versions whose counters are kept: those in force now or later, filling up or not."""
        first = self.at(instant)
        return [
            version
            for version in self.versions
            if version is first or version.backfilling or version.effective_from > instant
        ]

    def measuring(
        self, instant: datetime, keeps: Callable[[ProgramVersion], bool]
    ) -> ProgramVersion | None:
        """The version that measures what happens at an instant, of those that keep one counter.

        It is the one in force, else the one that was published first: what it counted is taken off
        by the same measure, whatever later ones put under the same name. But a version that nobody
        kept the counter for when it was published filled it from history: none of before measures,
        not even what lies before.
        """
        counting, now = self.counting(instant), self.at(instant)
        found = [version for version in counting if keeps(version)]
        filled = [one.number for one in found if not any(map(keeps, self.kept_before(one)))]
        since = max(filled, default=0)
        return min(
            (version for version in found if version.number >= since),
            key=lambda version: (version is not now, version.number),
            default=None,
        )

    def kept_before(self, version: ProgramVersion) -> list[ProgramVersion]:
        """The versions whose counters were kept when another one was published."""
        known = [one for one in self.versions if one.number < version.number]
        return not_over(
            known,
            lambda one: not one.backfilling and one.effective_from <= version.published_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """Everything of a tenant that decides how a fact is judged."""

    tenant_id: UUID
    slug: str
    name: str
    zone: ZoneInfo
    epoch: int
    status: TenantStatus = TenantStatus.ACTIVE
    currencies: tuple[str, ...] = ()
    units: Mapping[str, Unit] = field(default_factory=dict)
    programs: tuple[Program, ...] = ()
    total_tolerance: int = 0  # minor units by which lines and tenders may miss the total
    backdating: timedelta = timedelta(days=30)
    ahead: timedelta = timedelta(minutes=5)
    parking: timedelta = timedelta(days=7)
    enroll_on_purchase: bool = False

    def places(self, unit_or_currency: str) -> int | None:
        """Decimal places of one of the tenant's units or currencies; None if it has no such."""
        if (unit := self.units.get(unit_or_currency)) is not None:
            return unit.places
        if unit_or_currency in self.currencies:
            return currency_places(unit_or_currency)
        return None

    def program(self, slug: str) -> Program | None:
        return next((program for program in self.programs if program.slug == slug), None)

    def program_by_id(self, program_id: UUID) -> Program | None:
        return next((program for program in self.programs if program.id == program_id), None)


def not_over(versions: Sequence[T], has_begun: Callable[[T], bool]) -> list[T]:
    """Of a program's versions in their order those in force, to come or filling up: their counters
    are kept. Those of a version that was replaced are not: what happened since is missing."""
    begun = [at for at, version in enumerate(versions) if has_begun(version)]
    over = set(begun[:-1])
    return [version for at, version in enumerate(versions) if at not in over]


class SetupSource(Protocol):
    """Where setups come from. `connection` is inside the tenant's own transaction."""

    async def load(self, connection: Any, tenant_id: UUID) -> Setup: ...


def active_programs(setup: Setup, at: datetime) -> Sequence[tuple[Program, ProgramVersion]]:
    """The programs in force at an instant, in their order."""
    return [
        (program, version)
        for program in sorted(setup.programs, key=lambda program: (program.position, program.slug))
        if (version := program.at(at)) is not None
    ]
