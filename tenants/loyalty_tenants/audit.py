"""The audit trail: one entry for every change an admin or operator makes, in its transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.ids import new_id
from loyalty.orm import bound
from loyalty.plugin import Connection
from loyalty_tenants import models
from loyalty_tenants.principal import Actor

PAGE_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """`subject` names what was changed, e.g. `program:points`; `details` never hold a secret."""

    id: UUID
    at: datetime
    actor: str
    role: str
    action: str
    subject: str
    details: Mapping[str, Any]
    request_id: str | None


async def write(
    connection: Connection,
    by: Actor,
    *,
    action: str,
    subject: str,
    now: datetime,
    details: Mapping[str, Any] | None = None,
) -> UUID:
    """Write an entry; it stays only if the caller's transaction commits."""
    entry_id = new_id()
    await connection.execute(
        """insert into loyalty.audit_entry
             (tenant_id, id, at, actor, role, action, subject, details, request_id)
           values (loyalty.tenant(), $1, $2, $3, $4, $5, $6, $7, $8)""",
        entry_id,
        now,
        by.subject,
        by.role,
        action,
        subject,
        dict(details or {}),
        by.request_id,
    )
    by.noted[:] = [entry_id]
    return entry_id


async def entries(
    connection: Connection, *, first: int = 50, before: UUID | None = None
) -> Sequence[AuditEntry]:
    """Entries of the tenant, newest first; `before` is the id of the last one already seen."""
    return await page(connection, beyond=before, count=min(first, PAGE_MAX))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which entries: of this actor, action and subject, at or after `since` and before `before`."""

    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    since: datetime | None = None
    before: datetime | None = None

    @property
    def conditions(self) -> dict[str, Any]:
        given = {
            "actor": self.actor, "action": self.action, "subject": self.subject,
            "at__gte": self.since, "at__lt": self.before,
        }  # fmt: skip
        return {name: value for name, value in given.items() if value is not None}


async def page(
    connection: Connection,
    *,
    wanted: Wanted | None = None,
    beyond: UUID | None,
    count: int,
    backward: bool = False,
) -> Sequence[AuditEntry]:
    """`count` entries older than the one of an id, newest first; backward: newer, oldest first."""
    side, order = ("gt", "id") if backward else ("lt", "-id")
    asked = models.AuditEntry.all().using_db(bound(connection)).order_by(order)
    asked = asked.filter(**(wanted or Wanted()).conditions)
    if beyond is not None:
        asked = asked.filter(**{f"id__{side}": beyond})
    return [
        AuditEntry(
            id=row.id,
            at=row.at,
            actor=row.actor,
            role=row.role,
            action=row.action,
            subject=row.subject,
            details=row.details,
            request_id=row.request_id,
        )
        for row in await asked.limit(count)
    ]
