"""What fell due by a plugin's job and was refused, as it is left out, counted and read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedDue:
    """A fact that a job named and that could not be recorded; from `retry_at` on it is tried
    again."""

    id: UUID
    job: str
    kind: str
    member_id: UUID | None
    due_at: datetime
    reason: Mapping[str, Any]
    attempts: int
    refused_at: datetime
    retry_at: datetime


def is_refused(scope: str, key: str) -> str:
    """An SQL condition for jobs that name who is left: whether what has this scope and key (SQL
    expressions) was refused, and waits to be tried again."""
    return f"""exists (select from loyalty.refused_due r
  where r.tenant_id = (select loyalty.tenant()) and r.scope = {scope} and r.key = {key})"""


def is_refused_about(scope: str, member: str, prefix: str, at: str) -> str:
    """The same of what fell due about a member at an instant, under a key that begins so."""
    return f"""exists (select from loyalty.refused_due r
  where r.tenant_id = (select loyalty.tenant()) and r.scope = {scope} and r.member_id = {member}
    and r.due_at = {at} and r.key ^@ ({prefix}))"""


async def how_many(connection: Connection, scope: str, prefix: str) -> int:
    """How much of what has such a key is refused at the moment."""
    found: int = await connection.fetchval(
        "select count(*) from loyalty.refused_due where scope = $1 and key ^@ $2", scope, prefix
    )
    return found


async def page(
    connection: Connection, *, beyond: UUID | None, count: int, backward: bool = False
) -> Sequence[RefusedDue]:
    """All that is refused at the moment, what was refused first before the rest."""
    side, order = ("<", "desc") if backward else (">", "asc")
    rows = await connection.fetch(
        f"""select id, job, kind, member_id, due_at, reason, attempts, refused_at, retry_at
              from loyalty.refused_due where $1::uuid is null or id {side} $1
             order by id {order} limit $2""",
        beyond,
        count,
    )
    return [RefusedDue(**dict(row)) for row in rows]
