"""Redemptions as they are read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from loyalty.plugin import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class RedemptionView:
    """A redemption. A hold whose time is over is LAPSED, whether or not it was booked yet."""

    id: UUID
    member_id: UUID
    program_id: UUID
    unit: str
    state: str
    amount: int
    captured: int
    order_ref: str | None
    held_until: datetime | None
    created_at: datetime
    updated_at: datetime


COLUMNS = """r.id, r.member_id, r.program_id, r.unit,
  case when r.state = 'HELD' and r.held_until <= {now} then 'LAPSED' else r.state end as state,
  r.amount, r.captured, r.order_ref, r.held_until, r.created_at, r.updated_at"""


async def by_ids(
    connection: Connection, ids: Sequence[UUID], now: datetime
) -> dict[UUID, RedemptionView]:
    rows = await connection.fetch(
        f"select {COLUMNS.format(now='$2')} from loyalty.redemption r where r.id = any($1)",
        list(ids),
        now,
    )
    return {row["id"]: RedemptionView(**dict(row)) for row in rows}


async def page(
    connection: Connection,
    member_id: UUID,
    now: datetime,
    *,
    beyond: UUID | None,
    count: int,
    backward: bool = False,
) -> Sequence[RedemptionView]:
    """A member's redemptions, newest first."""
    side, order = (">", "asc") if backward else ("<", "desc")
    rows = await connection.fetch(
        f"""select {COLUMNS.format(now="$2")} from loyalty.redemption r
             where r.member_id = $1 and ($3::uuid is null or r.id {side} $3)
             order by r.id {order} limit $4""",
        member_id,
        now,
        beyond,
        count,
    )
    return [RedemptionView(**dict(row)) for row in rows]
