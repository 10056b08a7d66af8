"""The clearing account's table: lines are written, and read back where one is undone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any
from uuid import UUID

from loyalty.facts import FactReversed
from loyalty.plugin import Connection, Loader, LoadRequest, Writer, WriteRow
from loyalty_partners.facts import ChargeUndone, GivingUndone, WriteOffEnded
from loyalty_partners.movement import MOVED, Movement, MovementKind

NEED = "undone"
COLUMNS = (
    "id", "agreement_id", "kind", "terms", "currency", "amount", "charge", "unit",
    "points_out", "points_in", "fee", "partner_points", "carried", "base", "of_id", "link_id",
    "ref",
)  # fmt: skip
_columns = attrgetter(*COLUMNS)


def _write(occurred_at: str) -> str:
    return f"""
insert into loyalty.partners_movement
  (tenant_id, recorded_at, fact_id, member_id, occurred_at, {", ".join(COLUMNS)})
select (select loyalty.tenant()), statement_timestamp(), w.fact_id, w.member_id, {occurred_at},
       {", ".join(f"w.{name}" for name in COLUMNS)}
  from unnest($1::loyalty.partners_movement_in[]) w
"""


_WRITE = _write("w.occurred_at")
# What never came to be is taken out of the period that it was in. What a brand tells after its
# month was stated is booked where the next one begins. No line of other kinds is looked up for.
ELSEWHEN = frozenset({MovementKind.VOID, MovementKind.ISSUE})
_WRITE_ELSEWHEN = _write("""coalesce(
  (select o.occurred_at from loyalty.partners_movement o
    where w.kind = 'VOID' and o.tenant_id = (select loyalty.tenant()) and o.id = w.of_id),
  (select max(s.before) from loyalty.partners_statement s
    where w.kind = 'ISSUE' and s.tenant_id = (select loyalty.tenant())
      and s.agreement_id = w.agreement_id and s.before > w.occurred_at),
  w.occurred_at)""")
# Nobody accepts a dispute of a line in the moment in which it is undone: its money comes back once.
_LOCK = """
select from loyalty.partners_agreement a
 where a.tenant_id = (select loyalty.tenant()) and a.id in (
   select m.agreement_id from loyalty.partners_movement m
    where m.tenant_id = (select loyalty.tenant()) and m.id = any($1))
 order by a.id for key share
"""
_UNDONE = f"""
select w.at, w.program, {", ".join(f"m.{name}" for name in COLUMNS)},
       m.amount + coalesce(r.amount, 0) as amount_left,
       m.points_in + coalesce(r.points_in, 0) as points_in_left,
       -coalesce(r.base, 0) as base_back,
       a.peer_id is not null as remote,
       exists (select from loyalty.partners_movement c
                where c.tenant_id = m.tenant_id and c.of_id = m.id and c.kind = 'CORRECTION')
         as corrected,
       exists (select from loyalty.partners_fund f
                where f.tenant_id = m.tenant_id and f.agreement_id = m.agreement_id) as funded
  from unnest($1::int[], $2::text[], $3::uuid[], $4::uuid[]) w (at, program, movement, program_id)
  join loyalty.partners_movement m
    on m.tenant_id = (select loyalty.tenant()) and m.id = w.movement
  join loyalty.partners_agreement a
    on a.tenant_id = m.tenant_id and a.id = m.agreement_id and a.program_id = w.program_id
  left join lateral (
    select sum(r.amount)::bigint as amount, sum(r.points_in)::bigint as points_in,
           sum(r.base)::bigint as base
      from loyalty.partners_movement r
     where r.tenant_id = m.tenant_id and r.of_id = m.id and r.kind = 'REVERSAL') r on true
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """A line that is taken back, and how much of it still stands. Where a dispute of it was
    accepted no money does: `movement` is of none then."""

    movement: Movement
    amount_left: int
    points_in_left: int
    base_back: int
    funded: bool
    remote: bool


async def write_movements(connection: Connection, rows: Sequence[WriteRow]) -> None:
    elsewhen = any(row.row.kind in ELSEWHEN for row in rows)
    await connection.execute(
        _WRITE_ELSEWHEN if elsewhen else _WRITE,
        [(row.fact_id, row.member_id, row.occurred_at, *_columns(row.row)) for row in rows],
    )


def _reversed(request: LoadRequest) -> UUID | None:
    match request.fact:
        case FactReversed(reversed_scope=scope, reversed_key=key) if scope == MOVED:
            return UUID(key)
        case (
            GivingUndone(movement_id=ident)
            | ChargeUndone(movement_id=ident)
            | WriteOffEnded(movement_id=ident)
        ):
            return ident
    return None


async def load_undone(
    connection: Connection, requests: Sequence[LoadRequest]
) -> Mapping[tuple[int, str], Undone]:
    """What a reversal takes back; none where it reverses something else."""
    asked = [(one, ident) for one in requests if (ident := _reversed(one)) is not None]
    if not asked:
        return {}
    await connection.execute(_LOCK, [ident for _, ident in asked])
    rows = await connection.fetch(
        _UNDONE,
        [one.at for one, _ in asked],
        [one.program for one, _ in asked],
        [ident for _, ident in asked],
        [one.program_id for one, _ in asked],
    )
    return {(row["at"], row["program"]): undone(row) for row in rows}


def undone(row: Mapping[str, Any]) -> Undone:
    movement, corrected = movement_of(row), row["corrected"]
    return Undone(
        movement=replace(movement, amount=0, charge=0) if corrected else movement,
        amount_left=0 if corrected else row["amount_left"],
        points_in_left=row["points_in_left"],
        base_back=row["base_back"],
        funded=row["funded"],
        remote=row["remote"],
    )


def movement_of(row: Mapping[str, Any]) -> Movement:
    fields = {name: row[name] for name in COLUMNS}
    return Movement(**{**fields, "kind": MovementKind(row["kind"])})


UNDONE = Loader(name=NEED, load=load_undone)
LINES = Writer(row=Movement, write=write_movements)
