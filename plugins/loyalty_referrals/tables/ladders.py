"""Where referrers stand: their part in each friend, and their steps."""

from collections.abc import Mapping, Sequence
from typing import Any

from loyalty.facts import FactReversed
from loyalty.plugin import Connection, LoadRequest, WriteRow
from loyalty_referrals.facts import RewardDue, StepReached
from loyalty_referrals.rows import Ladder, SideRow, StepRow
from loyalty_referrals.tables.requests import ASKED, Where, columns, of_type, where

_FRIENDS = f"""
select w.at, w.program, count(*) as friends,
       array_agg(s.pays_at order by s.pays_at) filter (where s.pays_at > $5) as windows
  from {ASKED} join loyalty.referral_side s on s.tenant_id = (select loyalty.tenant())
   and s.member_id = w.member and s.program_id = w.program_id and s.stands
 group by w.at, w.program
"""
_STEPS = f"""
select w.at, w.program, s.step, s.key, s.stands, s.pays_at
  from {ASKED} join loyalty.referral_step s on s.tenant_id = (select loyalty.tenant())
   and s.member_id = w.member and s.program_id = w.program_id
"""
_SIDES = f"""
select w.at, w.program, s.friend_id, s.key, s.stands, s.goods, s.least, s.pays_at, s.cut
  from {ASKED} join unnest($1::int[], $2::text[], $5::text[]) k (at, program, key)
    on k.at = w.at and k.program = w.program
  join loyalty.referral_side s on s.tenant_id = (select loyalty.tenant())
   and s.program_id = w.program_id and s.key = k.key and s.member_id = w.member
"""
_WRITE_SIDES = """
insert into loyalty.referral_side (tenant_id, program_id, member_id, friend_id, key, stands, goods,
  least, pays_at, cut)
select (select loyalty.tenant()), * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[],
  $5::boolean[], $6::bigint[], $7::bigint[], $8::timestamptz[], $9::text[])
  w (program_id, member_id, friend_id, key, stands, goods, least, pays_at, cut)
 order by w.member_id, w.program_id, w.friend_id
on conflict (tenant_id, member_id, program_id, friend_id) do update set
  (key, stands, goods, least, pays_at, cut) = (excluded.key, excluded.stands, excluded.goods,
   excluded.least, excluded.pays_at, excluded.cut)
"""
_WRITE_STEPS = """
insert into loyalty.referral_step (tenant_id, program_id, member_id, step, key, stands, pays_at)
select (select loyalty.tenant()), * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[],
  $5::boolean[], $6::timestamptz[]) w (program_id, member_id, step, key, stands, pays_at)
 order by w.member_id, w.program_id, w.step
on conflict (tenant_id, member_id, program_id, step) do update set
  (key, stands, pays_at) = (excluded.key, excluded.stands, excluded.pays_at)
"""


async def load_ladders(
    connection: Connection, requests: Sequence[LoadRequest]
) -> Mapping[Where, Ladder]:
    """Where each fact's member stands as a referrer, where that decides."""
    asked = of_type(requests, RewardDue, StepReached, FactReversed)
    if not asked:
        return {}
    by = columns(asked)
    keys = [one.fact.reversed_key if isinstance(one.fact, FactReversed) else "" for one in asked]
    now = asked[0].now
    friends = {where(row): row for row in await connection.fetch(_FRIENDS, *by, now)}
    sides = {where(row): _side(row) for row in await connection.fetch(_SIDES, *by, keys)}
    steps: dict[Where, dict[str, StepRow]] = {}
    for row in await connection.fetch(_STEPS, *by):
        steps.setdefault(where(row), {})[row["step"]] = _step(row)
    found = {}
    for one, key in zip(asked, keys, strict=True):
        at = (one.at, one.program)
        mine, stand = steps.get(at, {}), friends.get(at)
        found[at] = Ladder(
            friends=stand["friends"] if stand else 0,
            windows=tuple(stand["windows"] or ()) if stand else (),
            steps=mine,
            side=sides.get(at),
            step=next((step for step in mine.values() if key and step.key == key), None),
        )
    return found


async def write_sides(connection: Connection, rows: Sequence[WriteRow]) -> None:
    last = {(row.program_id, row.member_id, row.row.friend): row.row for row in rows}
    await connection.execute(
        _WRITE_SIDES,
        [program for program, _, _ in last],
        [member for _, member, _ in last],
        [friend for _, _, friend in last],
        *_values(list(last.values()), "key", "stands", "goods", "least", "pays_at", "cut"),
    )


async def write_steps(connection: Connection, rows: Sequence[WriteRow]) -> None:
    last = {(row.program_id, row.member_id, row.row.step): row.row for row in rows}
    await connection.execute(
        _WRITE_STEPS,
        [program for program, _, _ in last],
        [member for _, member, _ in last],
        [step for _, _, step in last],
        *_values(list(last.values()), "key", "stands", "pays_at"),
    )


def _side(row: Any) -> SideRow:
    return SideRow(
        friend=row["friend_id"], key=row["key"], stands=row["stands"], goods=row["goods"],
        least=row["least"], pays_at=row["pays_at"], cut=row["cut"],
    )  # fmt: skip


def _step(row: Any) -> StepRow:
    return StepRow(step=row["step"], key=row["key"], stands=row["stands"], pays_at=row["pays_at"])


def _values(rows: Sequence[Any], *names: str) -> list[list[Any]]:
    return [[getattr(row, name) for row in rows] for name in names]
