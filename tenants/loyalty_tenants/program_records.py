"""Programs and their published versions as admins see them; secrets are only named."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from loyalty.errors import Code, Refused
from loyalty.orm import bound
from loyalty.plugin import Connection
from loyalty_tenants import models


class ProgramStatus(StrEnum):
    DRAFT = "DRAFT"  # never published
    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"


class VersionState(StrEnum):
    BACKFILLING = "BACKFILLING"  # its new counters are being filled from history
    ACTIVE = "ACTIVE"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramRecord:
    """`config` is the draft; `version` counts changes and guards against lost updates."""

    id: UUID
    slug: str
    kind: str
    name: str
    position: int
    status: ProgramStatus
    version: int
    config: Mapping[str, Any]
    secret_names: tuple[str, ...]
    created_at: datetime
    archived_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRecord:
    """A published config. In force from `effective_from`, or from its activation if later."""

    id: UUID
    program_id: UUID
    number: int
    config: Mapping[str, Any]
    effective_from: datetime
    published_at: datetime
    published_by: str
    state: VersionState
    activated_at: datetime | None


_PROGRAMS = """
select p.id, p.slug, p.kind, p.name, p.position, p.status, p.version, p.draft as config,
       p.created_at, p.archived_at,
       array(select s.name from loyalty.program_secret s
              where (s.tenant_id, s.program_id) = (p.tenant_id, p.id) order by s.name)
         as secret_names
  from loyalty.program p
"""


async def programs(connection: Connection) -> Sequence[ProgramRecord]:
    """All programs of the tenant in their order, archived ones too."""
    return [_program(row) for row in await connection.fetch(_PROGRAMS + "order by position, slug")]


async def program(connection: Connection, program_id: UUID) -> ProgramRecord:
    """:raises Refused: NOT_FOUND"""
    if (found := await program_by_id(connection, program_id)) is None:
        raise Refused(Code.NOT_FOUND, "there is no such program", field="id")
    return found


async def program_by_id(connection: Connection, program_id: UUID) -> ProgramRecord | None:
    row = await connection.fetchrow(_PROGRAMS + "where p.id = $1", program_id)
    return None if row is None else _program(row)


async def program_by_slug(connection: Connection, slug: str) -> ProgramRecord | None:
    row = await connection.fetchrow(_PROGRAMS + "where p.slug = $1", slug)
    return None if row is None else _program(row)


async def latest_versions(
    connection: Connection, program_ids: Sequence[UUID], *, count: int
) -> Mapping[UUID, Sequence[VersionRecord]]:
    """Up to `count` versions of each program, newest first; one statement for all of them."""
    rows = await connection.fetch(
        """select v.id, v.program_id, v.number, v.config, v.effective_from, v.published_at,
                  v.published_by, v.state, v.activated_at
             from unnest($1::uuid[]) as p (id)
             cross join lateral (select * from loyalty.program_version v
                                  where v.program_id = p.id order by v.number desc limit $2) v""",
        list(program_ids),
        count,
    )
    found: dict[UUID, list[VersionRecord]] = {program_id: [] for program_id in program_ids}
    for row in rows:
        found[row["program_id"]].append(
            VersionRecord(**{**row, "state": VersionState(row["state"])})
        )
    return found


async def versions(
    connection: Connection, program_ids: Sequence[UUID]
) -> Mapping[UUID, Sequence[VersionRecord]]:
    """The published versions of each program, oldest first; one statement for all of them."""
    found: dict[UUID, list[VersionRecord]] = {program_id: [] for program_id in program_ids}
    asked = models.ProgramVersion.filter(program_id__in=list(program_ids))
    for row in await asked.using_db(bound(connection)).order_by("number"):
        found[row.program_id].append(
            VersionRecord(
                id=row.id,
                program_id=row.program_id,
                number=row.number,
                config=row.config,
                effective_from=row.effective_from,
                published_at=row.published_at,
                published_by=row.published_by,
                state=VersionState(row.state),
                activated_at=row.activated_at,
            )
        )
    return found


def _program(row: Any) -> ProgramRecord:
    values = dict(row)
    values["status"] = ProgramStatus(values["status"])
    values["secret_names"] = tuple(values["secret_names"])
    return ProgramRecord(**values)
