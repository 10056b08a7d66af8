"""Payouts as they are read: pages, single ones, and what they come to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.plugin import Connection

Place = tuple[datetime, UUID]
"""Where a payout stands in a list: when it was asked for, and its id."""

_COLUMNS = """p.id, p.member_id, p.program_id, p.way, p.day, p.unit, p.currency, p.amount,
  p.destination, p.state, p.reference, p.reason, p.requested_at, p.changed_at,
  (select r.id from loyalty.redemption r
    where r.tenant_id = p.tenant_id and r.member_id = p.member_id
      and r.hold_fact_id = p.fact_id limit 1) as redemption_id"""
_SUMS = """
select p.member_id, p.program_id, p.unit, p.state, sum(p.amount)::bigint as amount
  from unnest($1::uuid[]) m (id) cross join lateral (
    select p.* from loyalty.cashback_payout p
     where p.tenant_id = (select loyalty.tenant()) and p.member_id = m.id offset 0) p
 group by 1, 2, 3, 4
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutView:
    """A payout with what became of it; `amount` in minor units of `unit`."""

    id: UUID
    member_id: UUID
    program_id: UUID
    way: str
    day: str | None
    unit: str
    currency: str
    amount: int
    destination: str | None
    state: str
    reference: str | None
    reason: str | None
    requested_at: datetime
    changed_at: datetime
    redemption_id: UUID

    @property
    def place(self) -> tuple[str, str]:
        return self.requested_at.isoformat(), str(self.id)


async def by_ids(connection: Connection, ids: Sequence[UUID]) -> Mapping[UUID, PayoutView]:
    rows = await connection.fetch(
        f"select {_COLUMNS} from loyalty.cashback_payout p"
        " where p.tenant_id = (select loyalty.tenant()) and p.id = any($1)",
        list(ids),
    )
    return {row["id"]: PayoutView(**dict(row)) for row in rows}


async def of_member(
    connection: Connection, member_id: UUID, *, beyond: Place | None, count: int, backward: bool
) -> Sequence[PayoutView]:
    """A page of a member's payouts, newest first."""
    return await _page(connection, "p.member_id = $4", [member_id], beyond, count, backward)


async def of_program(
    connection: Connection,
    program_id: UUID,
    state: str | None,
    *,
    beyond: Place | None,
    count: int,
    backward: bool,
) -> Sequence[PayoutView]:
    """A page of a program's payouts, all of them or those of a state, newest first."""
    condition = "p.program_id = $4" + ("" if state is None else " and p.state = $5")
    given: list[Any] = [program_id] if state is None else [program_id, state]
    return await _page(connection, condition, given, beyond, count, backward)


async def _page(
    connection: Connection,
    condition: str,
    given: Sequence[Any],
    beyond: Place | None,
    count: int,
    backward: bool,
) -> Sequence[PayoutView]:
    side, order = (">", "asc") if backward else ("<", "desc")
    at, ident = beyond or (None, None)
    rows = await connection.fetch(
        f"""select {_COLUMNS} from loyalty.cashback_payout p
             where p.tenant_id = (select loyalty.tenant()) and {condition}
               and ($1::timestamptz is null or (p.requested_at, p.id) {side} ($1, $2::uuid))
             order by p.requested_at {order}, p.id {order} limit $3""",
        at,
        ident,
        count,
        *given,
    )
    return [PayoutView(**dict(row)) for row in rows]


async def sums_of(
    connection: Connection, members: Sequence[UUID]
) -> Mapping[UUID, Sequence[Mapping[str, Any]]]:
    """What the payouts of each of these members come to, by program, unit and state."""
    found: dict[UUID, list[Mapping[str, Any]]] = {}
    for row in await connection.fetch(_SUMS, list(members)):
        found.setdefault(row["member_id"], []).append(row)
    return found
