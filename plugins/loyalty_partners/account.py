"""The clearing account with a partner as it is read: figures of a period, and its lines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.plugin import Connection
from loyalty_partners.period import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Minor units of a currency; more than nothing: the partner owes us.

    `opening` is all of before. `disputes` takes out the lines that are disputed, or were when the
    period was over and have been corrected later, with what was taken back of them.
    """

    currency: str
    opening: int = 0
    movements: int = 0
    fees: int = 0
    payments: int = 0
    disputes: int = 0
    lines: int = 0

    @property
    def net(self) -> int:
        return self.opening + self.movements + self.fees + self.payments + self.disputes


_FIGURES = """
select coalesce(sum(m.amount + m.charge) filter (where m.occurred_at < $3), 0)::bigint as opening,
       coalesce(sum(m.amount) filter (where m.occurred_at >= $3 and m.kind <> 'SETTLEMENT'), 0)
         ::bigint as movements,
       coalesce(sum(m.charge) filter (where m.occurred_at >= $3), 0)::bigint as fees,
       coalesce(sum(m.amount) filter (where m.occurred_at >= $3 and m.kind = 'SETTLEMENT'), 0)
         ::bigint as payments,
       -coalesce(sum(m.amount + m.charge) filter (where d.held), 0)::bigint as disputes,
       count(*) filter (where m.occurred_at >= $3) as lines
  from loyalty.partners_movement m
  left join lateral (
    select true as held from loyalty.partners_dispute d
     where d.tenant_id = m.tenant_id
       and (d.movement_id = m.id or m.kind = 'REVERSAL' and d.movement_id = m.of_id)
       and (d.state = 'OPEN' or d.state = 'ACCEPTED' and d.decided_at >= $4) limit 1) d on true
 where m.tenant_id = (select loyalty.tenant()) and m.agreement_id = $1 and m.currency = $2
   and m.occurred_at < $4
"""
# Lines of one instant in the order in which they were written: an id that is made of what its line
# undoes says nothing of when. No line changes or goes, so a cursor need not name its time.
_LINES = """
select m.*, d.id as dispute_id, d.state as dispute_state, d.reason as dispute_reason,
       d.raised_here as dispute_raised_here, d.raised_at as dispute_raised_at
  from loyalty.partners_movement m
  left join lateral (
    select d.* from loyalty.partners_dispute d
     where d.tenant_id = m.tenant_id and d.movement_id = m.id
     order by d.raised_at desc limit 1) d on true
 where m.tenant_id = (select loyalty.tenant()) and m.agreement_id = $1
   and ($2::timestamptz is null or m.occurred_at >= $2)
   and ($3::timestamptz is null or m.occurred_at < $3)
   and ($4::timestamptz is null or (m.occurred_at, m.recorded_at, m.id) {side} (
     $4, (select c.recorded_at from loyalty.partners_movement c
           where c.tenant_id = m.tenant_id and c.id = $5::uuid), $5))
 order by m.occurred_at {order}, m.recorded_at {order}, m.id {order} limit $6
"""
_BALANCES = """
select a.id as agreement_id, a.partner, m.currency, sum(m.amount + m.charge)::bigint as balance
  from loyalty.partners_movement m
  join loyalty.partners_agreement a on (a.tenant_id, a.id) = (m.tenant_id, m.agreement_id)
 where m.tenant_id = (select loyalty.tenant())
   and ($1::timestamptz is null or m.occurred_at < $1)
 group by a.id, a.partner, m.currency order by m.currency, a.partner, a.id
"""


async def figures(
    connection: Connection, agreement_id: UUID, currency: str, period: Period
) -> Figures:
    """Those of a period as its lines are now."""
    row = await connection.fetchrow(_FIGURES, agreement_id, currency, period.since, period.before)
    return Figures(currency=currency, **row)


async def lines(
    connection: Connection,
    agreement_id: UUID,
    *,
    period: Period | None,
    beyond: tuple[datetime, UUID] | None,
    count: int,
    backward: bool = False,
) -> Sequence[Any]:
    """Lines with what became of their dispute, oldest first; backward: newest first."""
    at, ident = beyond or (None, None)
    side, order = ("<", "desc") if backward else (">", "")
    return await connection.fetch(
        _LINES.format(side=side, order=order),
        agreement_id, period and period.since, period and period.before, at, ident, count,
    )  # fmt: skip


async def balances(connection: Connection, before: datetime | None) -> Sequence[Mapping[str, Any]]:
    """What every partner owes us (or, less than nothing, we owe it) of lines before an instant, or
    of all."""
    return await connection.fetch(_BALANCES, before)
