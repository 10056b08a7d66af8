"""Our half of a partnership as a movement finds it, after the locks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from loyalty.plugin import Connection, Loader, LoadRequest
from loyalty_partners.facts import PartnerCharged, PointsGiven, PointsTaken

NEED = "half"


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """Whether points may move, and how much went out today: by this member, and in all (only
    counted where the terms cap it)."""

    active: bool
    linked: bool
    per_member_per_day: int | None
    per_day: int | None
    by_member: int
    in_all: int


# The agreement's own row is locked where all its members share a cap, so that they count one after
# the other; else it is read. Which terms apply was said when the member asked: those of the quote.
_HALVES = """
select w.at, w.program, a.state = 'ACTIVE' as active,
       (t.terms #>> '{give,per_member_per_day}')::bigint as per_member_per_day,
       (t.terms #>> '{give,per_day}')::bigint as per_day,
       w.link is null or exists (
         select from loyalty.partners_link l
          where l.tenant_id = a.tenant_id and l.id = w.link and l.member_id = w.member
            and l.agreement_id = a.id and l.state = 'ACTIVE') as linked
  from unnest($1::int[], $2::text[], $3::uuid[], $4::uuid[], $5::uuid[], $6::int[], $7::uuid[])
         w (at, program, agreement, link, member, number, program_id)
  join loyalty.partners_agreement a
    on a.tenant_id = (select loyalty.tenant()) and a.id = w.agreement
   and a.program_id = w.program_id
  join loyalty.partners_terms t
    on t.tenant_id = a.tenant_id and t.agreement_id = a.id and t.number = w.number
"""
_LOCK = """
select from loyalty.partners_agreement
 where tenant_id = (select loyalty.tenant()) and id = $1 for no key update
"""
_BY_MEMBER = """
select coalesce(sum(m.points_out), 0)::bigint from loyalty.partners_movement m
 where m.tenant_id = (select loyalty.tenant()) and m.member_id = $2 and m.agreement_id = $1
   and m.occurred_at >= $3 and m.kind <> 'REVERSAL'
"""
_IN_ALL = """
select coalesce(sum(m.points_out), 0)::bigint from loyalty.partners_movement m
 where m.tenant_id = (select loyalty.tenant()) and m.agreement_id = $1 and m.occurred_at >= $2
   and m.kind <> 'REVERSAL'
"""


async def load_halves(
    connection: Connection, requests: Sequence[LoadRequest]
) -> Mapping[tuple[int, str], Half]:
    """By request; none where the agreement is not this program's."""
    asked = {(one.at, one.program): one for one in requests if _moves(one)}
    movements = [one.fact.movement for one in asked.values()]  # type: ignore[attr-defined]
    rows = await connection.fetch(
        _HALVES,
        [one.at for one in asked.values()],
        [one.program for one in asked.values()],
        [movement.agreement_id for movement in movements],
        [movement.link_id for movement in movements],
        [one.member_id for one in asked.values()],
        [movement.terms for movement in movements],
        [one.program_id for one in asked.values()],
    )
    found = {}
    for row in rows:
        where = row["at"], row["program"]
        found[where] = await _half(connection, asked[where], row)
    return found


def _moves(request: LoadRequest) -> bool:
    return isinstance(request.fact, PointsGiven | PointsTaken | PartnerCharged)


async def _half(connection: Connection, asked: LoadRequest, row: Mapping[str, Any]) -> Half:
    fact, by_member, in_all = asked.fact, 0, 0
    if isinstance(fact, PointsGiven):
        agreement: UUID = fact.movement.agreement_id
        if row["per_day"] is not None:
            await connection.fetchrow(_LOCK, agreement)
            in_all = await connection.fetchval(_IN_ALL, agreement, fact.day)
        if row["per_member_per_day"] is not None:
            by_member = await connection.fetchval(_BY_MEMBER, agreement, asked.member_id, fact.day)
    return Half(
        active=row["active"],
        linked=row["linked"],
        per_member_per_day=row["per_member_per_day"],
        per_day=row["per_day"],
        by_member=by_member,
        in_all=in_all,
    )


HALVES = Loader(name=NEED, load=load_halves)
