"""Legs as they are read to be carried on, with all that the partner must be told of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from loyalty.plugin import Connection
from loyalty_partners.legs import LegState

LEASE = timedelta(seconds=5)  # longer than a worker waits for an answer

_ROWS = """
select l.id, l.agreement_id, l.peer_id, l.outgoing, l.state, l.reversal, l.giving_up,
       l.happened_at, l.reversed_at, l.written_off_at is not null as written_off, l.attempts,
       m.member_id, m.link_id, m.terms, m.points_out, m.points_in, m.partner_points, m.amount,
       m.charge, m.currency, m.fact_id,
       a.program_id, a.unit, t.terms as plain
  from loyalty.partners_leg l
  join loyalty.partners_movement m on (m.tenant_id, m.id) = (l.tenant_id, l.id)
  join loyalty.partners_agreement a on (a.tenant_id, a.id) = (l.tenant_id, l.agreement_id)
  join loyalty.partners_terms t
    on (t.tenant_id, t.agreement_id, t.number) = (m.tenant_id, m.agreement_id, m.terms)
 where l.tenant_id = (select loyalty.tenant()) and l.id = any($1) order by l.happened_at, l.id
"""
# Of each partner only some at a time, so that one that never answers holds up itself alone. Whoever
# takes them says by when another may; the longer nobody answered, the later.
_CLAIM = """
update loyalty.partners_leg l
   set attempts = least(l.attempts + 1, 1000),
       due_at = $1::timestamptz + $3::interval + case
         when l.state = 'WRITTEN_OFF' then interval '1 day'
         when l.attempts = 0 then interval '0'
         else least(interval '5 minutes', interval '1 second' * power(2, least(l.attempts, 9))) end
  from (select p.peer_id, x.id
          from (select distinct peer_id from loyalty.partners_leg
                 where tenant_id = (select loyalty.tenant()) and due_at <= $1) p
         cross join lateral (
           select c.id from loyalty.partners_leg c
            where c.tenant_id = (select loyalty.tenant()) and c.peer_id = p.peer_id
              and c.due_at <= $1
            order by c.due_at, c.id limit $2 for no key update skip locked) x) due
 where l.tenant_id = (select loyalty.tenant()) and l.id = due.id
returning l.id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegRow:
    """Points and money as our line has them."""

    id: UUID
    agreement_id: UUID
    peer_id: UUID
    outgoing: bool
    state: LegState
    reversal: str | None
    giving_up: bool
    happened_at: datetime
    reversed_at: datetime | None
    written_off: bool
    attempts: int
    member_id: UUID
    link_id: UUID | None
    terms: int
    points_out: int
    points_in: int
    partner_points: int
    amount: int
    charge: int
    currency: str
    fact_id: UUID | None
    program_id: UUID
    unit: str
    plain: Mapping[str, Any]


async def legs_of(connection: Connection, ids: Sequence[UUID]) -> list[LegRow]:
    """Those that have a line, the oldest first."""
    return [_leg(row) for row in await connection.fetch(_ROWS, list(ids))]


async def claim(connection: Connection, now: datetime, most: int) -> list[UUID]:
    """Take what is due; whoever dies with it leaves it to others a while later."""
    return [row["id"] for row in await connection.fetch(_CLAIM, now, most, LEASE)]


def _leg(row: Mapping[str, Any]) -> LegRow:
    return LegRow(**{**row, "state": LegState(row["state"])})
