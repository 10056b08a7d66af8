"""A tenant's setup as the kernel needs it: zone, units, limits and the programs it runs.

The tenants floor loads it; the kernel only reads it. It is immutable and carries the tenant's
epoch: a process that holds an older one loads it anew before it decides anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from loyalty.units import Unit, currency_places


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
