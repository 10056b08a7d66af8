"""Our half of a partnership as a movement finds it, after the locks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from loyalty.plugin import Connection, Loader, LoadRequest
from loyalty_partners.facts import PartnerCharged, PointsGiven, PointsTaken
from loyalty_partners.movement import Movement

NEED = "half"
MOVES = PointsGiven | PointsTaken | PartnerCharged


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


# Which terms apply was said when the member asked: those of the quote. Links are looked up one by
# one, the rest once for all that is of one agreement. An array stands in a sub-select where its
# length must not count: Postgres, which sees that it is short, would plan the statement every time.
_HALVES = """
select a.id, t.number, a.program_id, a.state = 'ACTIVE' as active,
       (t.terms #>> '{give,per_member_per_day}')::bigint as per_member_per_day,
       (t.terms #>> '{give,per_day}')::bigint as per_day, l.links, l.members
  from unnest((select $1::uuid[]), (select $2::int[]), (select $3::uuid[]))
         w (agreement, number, program_id)
  join loyalty.partners_agreement a
    on a.tenant_id = (select loyalty.tenant()) and a.id = w.agreement
   and a.program_id = w.program_id
  join loyalty.partners_terms t
    on t.tenant_id = a.tenant_id and t.agreement_id = a.id and t.number = w.number
  cross join lateral (
    select array_agg(l.id) as links, array_agg(l.member_id) as members
      from unnest((select $4::uuid[])) x (link) cross join lateral (
        select l.id, l.member_id from loyalty.partners_link l
         where l.tenant_id = (select loyalty.tenant()) and l.id = x.link
           and l.agreement_id = w.agreement and l.state = 'ACTIVE' limit 1) l) l
"""
# The agreement's own row is locked where all its members share a cap, so that they count one after
# the other; else it is read.
_LOCK = """
select from unnest((select $1::uuid[])) w (id) cross join lateral (
  select from loyalty.partners_agreement a
   where a.tenant_id = (select loyalty.tenant()) and a.id = w.id for no key update) a
"""
_IN_ALL = """
select w.agreement, w.day, m.points
  from unnest((select $1::uuid[]), (select $2::timestamptz[])) w (agreement, day)
  cross join lateral (
    select coalesce(sum(m.points_out), 0)::bigint as points from loyalty.partners_movement m
     where m.tenant_id = (select loyalty.tenant()) and m.agreement_id = w.agreement
       and m.occurred_at >= w.day and m.kind <> 'REVERSAL') m
"""
_BY_MEMBER = """
select w.agreement, w.member, w.day, m.points
  from unnest((select $1::uuid[]), (select $2::uuid[]), (select $3::timestamptz[]))
         w (agreement, member, day)
  cross join lateral (
    select coalesce(sum(m.points_out), 0)::bigint as points from loyalty.partners_movement m
     where m.tenant_id = (select loyalty.tenant()) and m.member_id = w.member
       and m.agreement_id = w.agreement and m.occurred_at >= w.day and m.kind <> 'REVERSAL') m
"""
Row = Mapping[str, Any]
Sums = Mapping[tuple[Any, ...], int]


async def load_halves(
    connection: Connection, requests: Sequence[LoadRequest]
) -> Mapping[tuple[int, str], Half]:
    """By request; none where the agreement is not this program's."""
    asked = [one for one in requests if isinstance(one.fact, MOVES)]
    rows = await _rows(connection, asked)
    found = [(one, row) for one in asked if (row := rows.get(_terms(one))) is not None]
    gives = [(one, row) for one, row in found if isinstance(one.fact, PointsGiven)]
    in_all = await _in_all(connection, gives)
    by_member = await _by_member(connection, gives)
    return {(one.at, one.program): _half(one, row, in_all, by_member) for one, row in found}


def _half(one: LoadRequest, row: Row, in_all: Sums, by_member: Sums) -> Half:
    link_id = _movement(one).link_id
    return Half(
        active=row["active"],
        linked=link_id is None or row["members"].get(link_id) == one.member_id,
        per_member_per_day=row["per_member_per_day"],
        per_day=row["per_day"],
        by_member=by_member.get(_members_day(one), 0),
        in_all=in_all.get(_day(one), 0),
    )


async def _rows(connection: Connection, asked: Sequence[LoadRequest]) -> Mapping[Any, Row]:
    """Agreements under their terms, with the members of those links that stand."""
    terms = dict.fromkeys(map(_terms, asked))
    links = {link for one in asked if (link := _movement(one).link_id) is not None}
    rows = await connection.fetch(_HALVES, *_columns(terms, 3), list(links))
    return {
        (row["id"], row["number"], row["program_id"]): {
            **row,
            "members": dict(zip(row["links"] or (), row["members"] or (), strict=True)),
        }
        for row in rows
    }


async def _in_all(connection: Connection, gives: Sequence[tuple[LoadRequest, Row]]) -> Sums:
    """What went out today of each agreement whose terms cap that; these are locked."""
    days = dict.fromkeys(_day(one) for one, row in gives if row["per_day"] is not None)
    if not days:
        return {}
    await connection.fetch(_LOCK, sorted({agreement for agreement, _ in days}))
    rows = await connection.fetch(_IN_ALL, *_columns(days, 2))
    return {(row["agreement"], row["day"]): row["points"] for row in rows}


async def _by_member(connection: Connection, gives: Sequence[tuple[LoadRequest, Row]]) -> Sums:
    """What went out today of each member, where the terms cap that."""
    days = dict.fromkeys(
        _members_day(one) for one, row in gives if row["per_member_per_day"] is not None
    )
    if not days:
        return {}
    rows = await connection.fetch(_BY_MEMBER, *_columns(days, 3))
    return {(row["agreement"], row["member"], row["day"]): row["points"] for row in rows}


def _columns(rows: Iterable[tuple[Any, ...]], count: int) -> list[list[Any]]:
    return [[row[at] for row in rows] for at in range(count)]


def _movement(one: LoadRequest) -> Movement:
    return one.fact.movement  # type: ignore[attr-defined, no-any-return]


def _terms(one: LoadRequest) -> tuple[UUID, int, UUID]:
    movement = _movement(one)
    return movement.agreement_id, movement.terms, one.program_id


def _day(one: LoadRequest) -> tuple[Any, ...]:
    return _movement(one).agreement_id, getattr(one.fact, "day", None)


def _members_day(one: LoadRequest) -> tuple[Any, ...]:
    return _movement(one).agreement_id, one.member_id, getattr(one.fact, "day", None)


HALVES = Loader(name=NEED, load=load_halves)
