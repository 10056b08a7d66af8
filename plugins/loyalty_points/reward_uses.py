"""Rewards that members redeemed, under which terms and for which order: a table of its own.

Beside it stands the kernel's redemption, which says whether one still counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.commands import CaptureRedemption, Redeem
from loyalty.plugin import Connection, Loader, LoadRequest, Writer, WriteRow

NEED = "reward_uses"

# What was released, reversed or lapsed does not count any more.
_COUNTING = """(r.state = 'CAPTURED' or r.state = 'HELD' and r.held_until > {now})"""
_USES = f"""
select w.at, w.program, p.fact_id, p.reward, p.order_ref, p.redeemed_at, r.id as redemption_id,
       r.amount
  from unnest($1::int[], $2::text[], $3::uuid[], $4::uuid[], $5::timestamptz[])
         w (at, program, program_id, member_id, now)
  cross join lateral (
    select p.* from loyalty.points_reward p
     where p.tenant_id = (select loyalty.tenant()) and p.member_id = w.member_id
       and p.program_id = w.program_id offset 0) p
  cross join lateral (
    select r.* from loyalty.redemption r
     where r.tenant_id = p.tenant_id and r.member_id = p.member_id
       and r.hold_fact_id = p.fact_id offset 0) r
 where {_COUNTING.format(now="w.now")}
 order by p.redeemed_at, p.fact_id
"""
_USED_BY = """
select p.member_id, p.program_id, p.fact_id, p.reward, p.order_ref, p.redeemed_at,
       r.id as redemption_id, r.amount, case when r.state = 'HELD' then r.held_until end as until
  from unnest($1::uuid[]) m (id)
  cross join lateral (
    select p.* from loyalty.points_reward p
     where p.tenant_id = (select loyalty.tenant()) and p.member_id = m.id offset 0) p
  cross join lateral (
    select r.* from loyalty.redemption r
     where r.tenant_id = p.tenant_id and r.member_id = p.member_id
       and r.hold_fact_id = p.fact_id offset 0) r
 where r.state in ('CAPTURED', 'HELD')
 order by p.redeemed_at, p.fact_id
"""
_WRITE = """
insert into loyalty.points_reward
  (tenant_id, member_id, program_id, fact_id, reward, order_ref, redeemed_at, terms)
select (select loyalty.tenant()), * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[],
  $5::text[], $6::timestamptz[], $7::jsonb[])
"""
_ORDER = """
update loyalty.points_reward p set order_ref = w.order_ref
  from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[])
         w (member_id, program_id, fact_id, order_ref)
 where p.tenant_id = (select loyalty.tenant()) and p.member_id = w.member_id
   and p.program_id = w.program_id and p.fact_id = w.fact_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardUse:
    """A reward that was redeemed and counts. Without `redemption_id` this very batch wrote it."""

    reward: str
    order: str | None
    at: datetime
    fact_id: UUID | None = None
    redemption_id: UUID | None = None
    amount: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardRow:
    """A reward that is redeemed now."""

    use: RewardUse
    terms: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardOrder:
    """A reward that was reserved for any order is used for this one."""

    use: RewardUse
    order: str


async def load_uses(
    connection: Connection, requests: Sequence[LoadRequest]
) -> Mapping[tuple[int, str], Sequence[RewardUse]]:
    """What each member has of the program's rewards, where that decides."""
    asked = [one for one in requests if _decides(one) and one.member_id is not None]
    if not asked:
        return {}
    rows = await connection.fetch(
        _USES,
        [one.at for one in asked],
        [one.program for one in asked],
        [one.program_id for one in asked],
        [one.member_id for one in asked],
        [one.fact.occurred_at for one in asked],
    )
    found: dict[tuple[int, str], list[RewardUse]] = {}
    for row in rows:
        found.setdefault((row["at"], row["program"]), []).append(_use(row))
    return found


async def used_by(
    connection: Connection, members: Sequence[UUID]
) -> Mapping[UUID, Sequence[tuple[UUID, RewardUse, datetime | None]]]:
    """All uses of these members: of which program, and until when (None: for ever) each counts."""
    found: dict[UUID, list[tuple[UUID, RewardUse, datetime | None]]] = {}
    for row in await connection.fetch(_USED_BY, list(members)):
        found.setdefault(row["member_id"], []).append((row["program_id"], _use(row), row["until"]))
    return found


def _decides(request: LoadRequest) -> bool:
    match request.fact:
        case Redeem() as command:
            return command.reward is not None
        case CaptureRedemption():
            return bool(request.config.rewards)
        case _:
            return False


def _use(row: Mapping[str, Any]) -> RewardUse:
    return RewardUse(
        reward=row["reward"], order=row["order_ref"], at=row["redeemed_at"],
        fact_id=row["fact_id"], redemption_id=row["redemption_id"], amount=row["amount"],
    )  # fmt: skip


async def write_rewards(connection: Connection, rows: Sequence[WriteRow]) -> None:
    await connection.execute(
        _WRITE,
        [row.member_id for row in rows],
        [row.program_id for row in rows],
        [row.fact_id for row in rows],
        [row.row.use.reward for row in rows],
        [row.row.use.order for row in rows],
        [row.row.use.at for row in rows],
        [row.row.terms for row in rows],
    )


async def write_orders(connection: Connection, rows: Sequence[WriteRow]) -> None:
    await connection.execute(
        _ORDER,
        [row.member_id for row in rows],
        [row.program_id for row in rows],
        [row.row.use.fact_id for row in rows],
        [row.row.order for row in rows],
    )


LOADERS = (Loader(name=NEED, load=load_uses),)
WRITERS = (
    Writer(row=RewardRow, write=write_rewards),
    Writer(row=RewardOrder, write=write_orders),
)
