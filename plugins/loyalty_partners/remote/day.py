"""A day of exchanges with a partner elsewhere, as one half has it: by when they began, in UTC."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from loyalty.plugin import Connection

LISTED_MAX = 500


class DayState(StrEnum):
    """What came of comparing a day."""

    MATCHED = "MATCHED"
    WAITING = "WAITING"
    DIFFERS = "DIFFERS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """Of exchanges that were not called off. `under_way`: not known yet, or a reversal that only
    one side has done. `digest` is of ids and what was reversed, so that equal sums of others
    differ."""

    exchanges: int
    under_way: int
    reversed: int
    points_out: int
    points_in: int
    amount: int
    charge: int
    digest: str

    def mirrored(self, partner_out: int, partner_in: int) -> dict[str, Any]:
        """What the partner's half says where it is equal, but for its own points."""
        return {
            **asdict(self),
            "points_out": partner_out, "points_in": partner_in,
            "amount": -self.amount, "charge": -self.charge,
        }  # fmt: skip


_DAY = """
select count(*) as exchanges,
       count(*) filter (where l.state in ('PENDING', 'WRITTEN_OFF')
         or l.reversal in ('ASKED', 'TAKEN') and l.due_at is not null) as under_way,
       count(*) filter (where l.reversal in ('TAKEN', 'DONE')) as reversed,
       coalesce(sum(m.points_out), 0)::bigint as points_out,
       coalesce(sum(m.points_in), 0)::bigint as points_in,
       coalesce(sum(m.amount), 0)::bigint as amount,
       coalesce(sum(m.charge), 0)::bigint as charge,
       coalesce(sum(case when m.points_in > 0 then m.partner_points end), 0)::bigint as theirs_out,
       coalesce(sum(case when m.points_out > 0 then m.partner_points end), 0)::bigint as theirs_in,
       md5(coalesce(string_agg(l.id::text || (l.reversal in ('TAKEN', 'DONE') is true)::text, ','
         order by l.id), '')) as digest
  from loyalty.partners_leg l
  join loyalty.partners_movement m on (m.tenant_id, m.id) = (l.tenant_id, l.id)
 where l.tenant_id = (select loyalty.tenant()) and l.agreement_id = $1 and l.state <> 'VOIDED'
   and l.happened_at >= $2 and l.happened_at < $3
"""
_LISTED = """
select l.id, l.reversal in ('TAKEN', 'DONE') is true as reversed, m.amount
  from loyalty.partners_leg l
  join loyalty.partners_movement m on (m.tenant_id, m.id) = (l.tenant_id, l.id)
 where l.tenant_id = (select loyalty.tenant()) and l.agreement_id = $1 and l.state <> 'VOIDED'
   and l.happened_at >= $2 and l.happened_at < $3 and ($4::uuid is null or l.id > $4)
 order by l.id limit $5
"""


def bounds(day: date) -> tuple[datetime, datetime]:
    since = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return since, since + timedelta(days=1)


async def day_of(
    connection: Connection, agreement_id: UUID, day: date
) -> tuple[Day, dict[str, Any]]:
    """Our half of a day, and what the partner's says if it is equal."""
    row = dict(await connection.fetchrow(_DAY, agreement_id, *bounds(day)))
    there = row.pop("theirs_out"), row.pop("theirs_in")
    ours = Day(**row)
    return ours, ours.mirrored(*there)


async def listed(
    connection: Connection, agreement_id: UUID, day: date, after: UUID | None
) -> Sequence[Any]:
    """Its exchanges one by one, by id, at most 500 beyond one of them."""
    return await connection.fetch(_LISTED, agreement_id, *bounds(day), after, LISTED_MAX)
