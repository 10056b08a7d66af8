"""Returns that wait (or waited) for their purchase, as they are read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.plugin import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedReturn:
    """A return that came before its purchase, and what became of it."""

    id: UUID
    source: str
    return_id: str
    purchase_external_id: str
    state: str
    occurred_at: datetime
    parked_at: datetime
    ends_at: datetime
    settled_at: datetime | None
    reason: Mapping[str, Any] | None


async def page(
    connection: Connection,
    state: str | None,
    *,
    beyond: UUID | None,
    count: int,
    backward: bool = False,
) -> Sequence[ParkedReturn]:
    """Parked returns (None: of every state), oldest first."""
    side, order = ("<", "desc") if backward else (">", "asc")
    rows = await connection.fetch(
        f"""select id, source, return_id, purchase_external_id, state, occurred_at, parked_at,
                   ends_at, settled_at, reason
              from loyalty.parked_return
             where ($1::text is null or state = $1) and ($2::uuid is null or id {side} $2)
             order by id {order} limit $3""",
        state,
        beyond,
        count,
    )
    return [ParkedReturn(**dict(row)) for row in rows]
