"""Rows of `loyalty.job`: what runs in a tenant again and again, or piece by piece until done.

`<kind>` or `<kind>:<which>` is a row's name; `due_at` says when its next turn is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.jobs.postponed import pause
from loyalty.plugin import Connection

UPKEEP = "upkeep"
PLUGIN = "plugin"
DUE_MAX = 20  # rows looked at in one turn


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    name: str
    watermark: UUID | None
    due_at: datetime
    detail: Mapping[str, Any]

    @property
    def kind(self) -> str:
        return self.name.partition(":")[0]

    @property
    def which(self) -> str:
        return self.name.partition(":")[2]

    @property
    def instant(self) -> datetime:
        """The instant this turn is for, also when it failed before and is tried again."""
        at = self.detail.get("at")
        return self.due_at if at is None else datetime.fromisoformat(at)


async def soon(
    connection: Connection, name: str, now: datetime, detail: Mapping[str, Any] | None = None
) -> None:
    """Have a job run at the worker's next turn; it may be there already."""
    await connection.execute(
        """insert into loyalty.job as j (tenant_id, name, due_at, detail)
           values (loyalty.tenant(), $1, $2, $3)
           on conflict (tenant_id, name) do update set due_at = least(j.due_at, excluded.due_at)""",
        name,
        now,
        dict(detail or {}),
    )


async def begin(connection: Connection, name: str, now: datetime) -> None:
    """Have a job run from now on; where it is there already its turns stay as they are."""
    await connection.execute(
        """insert into loyalty.job (tenant_id, name, due_at)
           values (loyalty.tenant(), $1, $2) on conflict do nothing""",
        name,
        now,
    )


async def due(connection: Connection, now: datetime) -> list[JobRow]:
    rows = await connection.fetch(
        """select name, watermark, due_at, detail from loyalty.job
            where due_at <= $1 order by due_at, name limit $2""",
        now,
        DUE_MAX,
    )
    return [JobRow(**dict(row)) for row in rows]


async def earliest(connection: Connection, kind: str, now: datetime) -> datetime | None:
    """When the first job of a kind has been due since; None where none is."""
    found: datetime | None = await connection.fetchval(
        "select min(due_at) from loyalty.job where split_part(name, ':', 1) = $1 and due_at <= $2",
        kind,
        now,
    )
    return found


async def move_on(connection: Connection, row: JobRow, due_at: datetime) -> bool:
    """This turn is done; answers False where another worker said so before."""
    status = await connection.execute(
        "update loyalty.job set due_at = $3, detail = detail - '{at,failures}'::text[]"
        " where name = $1 and due_at = $2",
        row.name,
        row.due_at,
        due_at,
    )
    return status == "UPDATE 1"


async def failed(connection: Connection, row: JobRow, now: datetime) -> None:
    """Try this turn again after a while, longer with every failure."""
    failures = row.detail.get("failures", 0) + 1
    await connection.execute(
        "update loyalty.job set due_at = $3, detail = detail || $4 where name = $1 and due_at = $2",
        row.name,
        row.due_at,
        now + pause(failures),
        {"at": row.instant.isoformat(), "failures": failures},
    )
