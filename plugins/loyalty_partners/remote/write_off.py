"""What two persons say of an exchange that a partner elsewhere never spoke of: one row each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.plugin import Connection

_COLUMNS = "reason, asked_by, asked_client, asked_at, approved_by, approved_client, approved_at"
_HERE = "tenant_id = (select loyalty.tenant())"


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOff:
    """`asked_client` and `approved_client` are who the two persons are to the rule."""

    reason: str
    asked_by: str
    asked_client: str
    asked_at: datetime
    approved_by: str | None
    approved_client: str | None
    approved_at: datetime | None


async def of(connection: Connection, ident: UUID, *, lock: bool = False) -> WriteOff | None:
    """That of an exchange; `lock` keeps it as it is until the transaction ends."""
    row = await connection.fetchrow(
        f"""select {_COLUMNS} from loyalty.partners_write_off where {_HERE} and id = $1
            {"for update" if lock else ""}""",
        ident,
    )
    return None if row is None else WriteOff(**row)


async def ask(
    connection: Connection, ident: UUID, reason: str, by: str, client: str, now: datetime
) -> None:
    """Let it wait for a second person; where it waits already it stays as it was asked."""
    await connection.execute(
        """insert into loyalty.partners_write_off
             (tenant_id, id, reason, asked_by, asked_client, asked_at)
           values (loyalty.tenant(), $1, $2, $3, $4, $5) on conflict do nothing""",
        ident, reason, by, client, now,
    )  # fmt: skip


async def approve(connection: Connection, ident: UUID, by: str, client: str, now: datetime) -> None:
    await connection.execute(
        f"""update loyalty.partners_write_off
               set approved_by = $2, approved_client = $3, approved_at = $4
             where {_HERE} and id = $1 and approved_at is null""",
        ident, by, client, now,
    )  # fmt: skip


async def drop(connection: Connection, ident: UUID) -> None:
    """Nobody asks for it any more; what was approved stays."""
    await connection.execute(
        f"""delete from loyalty.partners_write_off
             where {_HERE} and id = $1 and approved_at is null""",
        ident,
    )


_UNDER_WAY = """
select m.*, a.partner, a.partner_unit, l.state as leg, l.happened_at, l.attempts, l.problem,
       l.giving_up, false as reversed, w.reason, w.asked_by, w.asked_at, w.approved_by,
       w.approved_at
  from loyalty.partners_leg l
  join loyalty.partners_movement m on (m.tenant_id, m.id) = (l.tenant_id, l.id)
  join loyalty.partners_agreement a on (a.tenant_id, a.id) = (l.tenant_id, l.agreement_id)
  left join loyalty.partners_write_off w on (w.tenant_id, w.id) = (l.tenant_id, l.id)
 where l.tenant_id = (select loyalty.tenant()) and l.outgoing
   and l.due_at is not null and l.state in ('PENDING', 'WRITTEN_OFF') and l.happened_at < $1
   and ($2::timestamptz is null or (l.happened_at, l.id) {side} ($2, $3::uuid))
 order by l.happened_at {order}, l.id {order} limit $4
"""


async def under_way(
    connection: Connection, *, before: datetime, beyond: tuple[datetime, UUID] | None, count: int,
    backward: bool = False,
) -> Sequence[Any]:  # fmt: skip
    """Exchanges of which it is not known what the partner did, the oldest first."""
    at, ident = beyond or (None, None)
    side, order = ("<", "desc") if backward else (">", "")
    return await connection.fetch(
        _UNDER_WAY.format(side=side, order=order), before, at, ident, count
    )
