"""Our leg of an exchange with another installation: its states, and its table.

PENDING: the points have left here, and what the partner did is not known. CREDITED: the taker has
credited them. SETTLED: both know. VOIDED: nothing was credited, and nothing ever will be.
WRITTEN_OFF: the partner never said, and the points were given back; it may still speak.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from loyalty.plugin import Connection, Loader, LoadRequest, Writer, WriteRow
from loyalty_partners.facts import (
    PointsReceived,
    SendingVoided,
    SendingWrittenOff,
    WriteOffEnded,
)

NEED = "leg"


class LegState(StrEnum):
    """How far an exchange has come, as our side knows it."""

    PENDING = "PENDING"
    CREDITED = "CREDITED"
    SETTLED = "SETTLED"
    VOIDED = "VOIDED"
    WRITTEN_OFF = "WRITTEN_OFF"


UNKNOWN = frozenset({LegState.PENDING, LegState.WRITTEN_OFF})  # what the partner did is not known


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """A leg as it is kept; `stated`: a statement that both sides have stands on its month;
    `written_off`: its points were given back before the partner spoke."""

    state: LegState
    stated: bool
    written_off: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LegOpened:
    """Our side did its part, on the way out or in."""

    id: UUID
    agreement_id: UUID
    peer_id: UUID
    outgoing: bool
    state: LegState


@dataclass(frozen=True, slots=True, kw_only=True)
class LegVoided:
    """What left came back: the partner credited nothing."""

    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class LegWrittenOff:
    """What left came back, and what the partner did is not known."""

    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class LegReversed:
    """An exchange is undone: TAKEN, what was credited here is gone again; DONE, what had left from
    here is back."""

    id: UUID
    reversal: str


_OPEN = """
insert into loyalty.partners_leg
  (tenant_id, id, agreement_id, peer_id, outgoing, state, happened_at, changed_at, due_at)
select (select loyalty.tenant()), *,
       -- whoever asked for it asks the partner at once; a worker only where nobody heard an answer
       case when w.outgoing then w.happened_at + interval '3 seconds' end
  from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::boolean[], $5::text[], $6::timestamptz[],
              $6::timestamptz[]) w (id, agreement, peer, outgoing, state, happened_at, changed_at)
"""
_VOID = """
update loyalty.partners_leg l set state = 'VOIDED', changed_at = w.at, due_at = null
  from unnest($1::uuid[], $2::timestamptz[]) w (id, at)
 where l.tenant_id = (select loyalty.tenant()) and l.id = w.id
"""
# The partner is asked on, once a day: it may be there again.
_WRITE_OFF = """
update loyalty.partners_leg l
   set state = 'WRITTEN_OFF', changed_at = w.at, written_off_at = w.at, giving_up = true,
       due_at = w.at + interval '1 day'
  from unnest($1::uuid[], $2::timestamptz[]) w (id, at)
 where l.tenant_id = (select loyalty.tenant()) and l.id = w.id
"""
# Whether it is credited is noted without the member's lock, so what is written off is locked here.
_LOCK = """
select from loyalty.partners_leg
 where tenant_id = (select loyalty.tenant()) and id = any($1) order by id for no key update
"""
_REVERSE = """
update loyalty.partners_leg l set reversal = w.reversal, changed_at = w.at, reversed_at = w.at,
       due_at = case w.reversal when 'TAKEN' then w.at end, attempts = 0, problem = null
  from unnest($1::uuid[], $2::timestamptz[], $3::text[]) w (id, at, reversal)
 where l.tenant_id = (select loyalty.tenant()) and l.id = w.id
"""
_LEGS = """
select w.at, w.program, l.state, l.written_off_at is not null as written_off,
       exists (select from loyalty.partners_statement s
                where s.tenant_id = (select loyalty.tenant()) and s.agreement_id = w.agreement
                  and s.before > w.happened_at) as stated
  from unnest($1::int[], $2::text[], $3::uuid[], $4::uuid[], $5::timestamptz[])
         w (at, program, id, agreement, happened_at)
  left join loyalty.partners_leg l on l.tenant_id = (select loyalty.tenant()) and l.id = w.id
"""


async def open_legs(connection: Connection, rows: Sequence[WriteRow]) -> None:
    legs: list[LegOpened] = [row.row for row in rows]
    await connection.execute(
        _OPEN,
        [leg.id for leg in legs],
        [leg.agreement_id for leg in legs],
        [leg.peer_id for leg in legs],
        [leg.outgoing for leg in legs],
        [leg.state.value for leg in legs],
        [row.occurred_at for row in rows],
    )


async def void_legs(connection: Connection, rows: Sequence[WriteRow]) -> None:
    await connection.execute(_VOID, [row.row.id for row in rows], [row.occurred_at for row in rows])


async def write_legs_off(connection: Connection, rows: Sequence[WriteRow]) -> None:
    await connection.execute(
        _WRITE_OFF, [row.row.id for row in rows], [row.occurred_at for row in rows]
    )


async def reverse_legs(connection: Connection, rows: Sequence[WriteRow]) -> None:
    await connection.execute(
        _REVERSE,
        [row.row.id for row in rows],
        [row.occurred_at for row in rows],
        [row.row.reversal for row in rows],
    )


async def load_legs(
    connection: Connection, requests: Sequence[LoadRequest]
) -> Mapping[tuple[int, str], Leg | None]:
    """What is known of an exchange already; None: nothing, and nothing stands against it."""
    asked = [(one, wanted) for one in requests if (wanted := _wanted(one)) is not None]
    if not asked:
        return {}
    given_up = [one.fact.movement_id for one, _ in asked if isinstance(one.fact, SendingWrittenOff)]
    if given_up:
        await connection.execute(_LOCK, given_up)
    rows = await connection.fetch(
        _LEGS,
        [one.at for one, _ in asked],
        [one.program for one, _ in asked],
        [ident for _, (ident, _, _) in asked],
        [agreement for _, (_, agreement, _) in asked],
        [at for _, (_, _, at) in asked],
    )
    return {(row["at"], row["program"]): _leg(row) for row in rows}


def _wanted(request: LoadRequest) -> tuple[UUID, UUID | None, datetime] | None:
    match request.fact:
        case PointsReceived(movement=movement, occurred_at=at):
            return movement.id, movement.agreement_id, at
        case (
            SendingVoided(movement_id=ident, occurred_at=at)
            | SendingWrittenOff(movement_id=ident, occurred_at=at)
            | WriteOffEnded(movement_id=ident, occurred_at=at)
        ):
            return ident, None, at
    return None


def _leg(row: Mapping[str, Any]) -> Leg | None:
    if row["state"] is None:
        return Leg(state=LegState.PENDING, stated=True) if row["stated"] else None
    return Leg(state=LegState(row["state"]), stated=row["stated"], written_off=row["written_off"])


LEGS = Loader(name=NEED, load=load_legs)
WRITERS = (
    Writer(row=LegOpened, write=open_legs),
    Writer(row=LegVoided, write=void_legs),
    Writer(row=LegWrittenOff, write=write_legs_off),
    Writer(row=LegReversed, write=reverse_legs),
)
