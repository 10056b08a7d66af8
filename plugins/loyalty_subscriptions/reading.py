"""Subscriptions of a program as its admins look through them: pages of names, read by status."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.plugin import Connection

Place = tuple[datetime, UUID, str, str]
"""Where one stands in the list: when it began, and whose it is by which name."""


async def of_program(
    connection: Connection, program_id: UUID, status: str | None,
    *, beyond: Place | None, count: int, backward: bool,
) -> Sequence[Mapping[str, Any]]:  # fmt: skip
    """Names of a program's subscriptions, the newest first, all of them or those of a status."""
    side, order = (">", "asc") if backward else ("<", "desc")
    at, member, provider, reference = beyond or (None, None, None, None)
    rows: Sequence[Mapping[str, Any]] = await connection.fetch(
        f"""select member_id, provider, reference, started_at from loyalty.subscription
             where tenant_id = (select loyalty.tenant()) and program_id = $1 and plan <> ''
               and ($2::text is null or status = $2)
               and ($3::timestamptz is null
                    or (started_at, member_id, provider, reference) {side} ($3, $4, $5, $6))
             order by started_at {order}, member_id {order}, provider {order}, reference {order}
             limit $7""",
        program_id, status, at, member, provider, reference, count,
    )  # fmt: skip
    return rows
