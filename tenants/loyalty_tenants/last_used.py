"""When keys were last used: noted in memory, written down later, off the request path."""

from datetime import datetime
from uuid import UUID

from loyalty.database import Database

NOTED_MAX = 10_000  # keys; more of them go unnoted until the next flush


class LastUsed:
    """Notes of this process. `flush` writes at most one update per tenant and key a minute."""

    def __init__(self) -> None:
        self._noted: dict[UUID, dict[UUID, datetime]] = {}
        self._count = 0

    def note(self, tenant_id: UUID, key_id: UUID, at: datetime) -> None:
        of_tenant = self._noted.setdefault(tenant_id, {})
        if key_id not in of_tenant:
            if self._count >= NOTED_MAX:
                return
            self._count += 1
        of_tenant[key_id] = at

    async def flush(self, database: Database) -> int:
        """Write the notes down; answers how many keys were updated. Call it about once a minute."""
        noted, self._noted, self._count = self._noted, {}, 0
        updated = 0
        for tenant_id, used in noted.items():
            async with database.tenant(tenant_id) as connection:
                status = await connection.execute(
                    """update loyalty.api_key k set last_used_at = u.at
                         from unnest($1::uuid[], $2::timestamptz[]) as u (id, at)
                        where k.id = u.id
                          and (k.last_used_at is null
                               or k.last_used_at <= u.at - interval '1 minute')""",
                    list(used),
                    list(used.values()),
                )
                updated += int(status.rsplit(" ", 1)[-1])
        return updated
