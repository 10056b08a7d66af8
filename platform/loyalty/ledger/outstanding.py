"""What all members together have of a unit at an instant: by program, accounting class and the
month in which it ends. Computed from the ledger, so any instant can be asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from loyalty.plugin import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Minor units. `program_id` None: given by hand. `month` is the first day of the local month in
    which the lots can last be used; None: they never end, or are held and so do not end now.

    What is held has left its lots: it is told by the program that holds it, without a class.
    """

    program_id: UUID | None
    accounting_class: str | None
    month: date | None
    available: int = 0
    pending: int = 0
    held: int = 0

    @property
    def total(self) -> int:
        return self.available + self.pending + self.held


@dataclass(frozen=True, slots=True, kw_only=True)
class Outstanding:
    """`deficit` is what members owe. Available + pending + held - deficit: the sum of postings."""

    groups: Sequence[Group]
    deficit: int


async def outstanding(connection: Connection, unit: str, *, at: datetime, zone: str) -> Outstanding:
    """What had happened by `at`, as it is known now. Three statements, however many members.

    Lots are judged by their own terms, so it does not matter when a sweep ran.
    """
    lots = await connection.fetch(LOTS, unit, at, zone)
    held = await connection.fetch(HELD, unit, at)
    deficit = await connection.fetchval(DEFICIT, unit, at)
    return Outstanding(
        groups=[Group(**dict(row)) for row in (*lots, *held)],
        deficit=deficit,
    )


# What a late fact repaid of a deficit that only arose later, it had not repaid yet at the instant:
# of the repayments of an account only as much counts as it owed by then, the earliest first.
_COUNTED = """
with owed as (
  select p.from_id as account_id, sum(p.uncovered) as amount from loyalty.posting p
   where p.unit = $1 and p.uncovered > 0 and p.occurred_at <= $2 group by 1),
used as (
  select u.account_id, u.lot_id, u.kind, u.amount,
         sum(u.amount) over (partition by u.account_id, u.kind = 'REPAY'
                             order by u.recorded_at, u.fact_id, u.lot_id) as so_far
    from loyalty.lot_use u join loyalty.account a on a.id = u.account_id
   where a.unit = $1 and a.kind = 'main' and u.occurred_at <= $2),
counted as (
  select u.account_id, u.lot_id, u.kind,
         case when u.kind <> 'REPAY' then u.amount
              else least(u.amount, greatest(0, coalesce(o.amount, 0) - (u.so_far - u.amount))) end
           as amount
    from used u left join owed o on o.account_id = u.account_id)
"""

LOTS = (
    _COUNTED
    + """,
taken as (select account_id, lot_id, sum(amount) as amount from counted group by 1, 2),
termed as (
  select distinct on (x.account_id, x.lot_id) x.account_id, x.lot_id, x.expires_at
    from loyalty.lot_term x where x.occurred_at <= $2
   order by x.account_id, x.lot_id, x.version desc),
first_term as (
  select distinct on (x.account_id, x.lot_id) x.account_id, x.lot_id, x.previous
    from loyalty.lot_term x order by x.account_id, x.lot_id, x.version),
lots as (
  select l.program_id, l.accounting_class, l.available_at,
         case when t.lot_id is not null then t.expires_at
              when f.lot_id is not null then f.previous
              else l.expires_at end as expires_at,
         l.granted - coalesce(k.amount, 0) as remaining
    from loyalty.lot l
    join loyalty.account a on a.id = l.account_id and a.unit = $1 and a.kind = 'main'
    left join taken k on k.account_id = l.account_id and k.lot_id = l.id
    left join termed t on t.account_id = l.account_id and t.lot_id = l.id
    left join first_term f on f.account_id = l.account_id and f.lot_id = l.id
   where l.occurred_at <= $2)
select program_id, accounting_class,
       date_trunc('month', (expires_at - interval '1 microsecond') at time zone $3)::date as month,
       coalesce(sum(remaining) filter (where available_at <= $2), 0)::bigint as available,
       coalesce(sum(remaining) filter (where available_at > $2), 0)::bigint as pending
  from lots where remaining <> 0 and (expires_at is null or expires_at > $2)
 group by 1, 2, 3 order by 3 nulls last, 1 nulls last, 2
"""
)

HELD = """
select p.program_id, null::text as accounting_class, null::date as month,
       sum(case when p.to_id = a.id then p.amount else -p.amount end)::bigint as held
  from loyalty.account a join loyalty.posting p on p.to_id = a.id or p.from_id = a.id
 where a.unit = $1 and a.kind = 'held' and a.stored and p.occurred_at <= $2
 group by 1 having sum(case when p.to_id = a.id then p.amount else -p.amount end) <> 0
 order by 1
"""

DEFICIT = (
    _COUNTED
    + """
select coalesce((select sum(amount) from owed), 0)::bigint
     - coalesce((select sum(amount) from counted where kind = 'REPAY'), 0)::bigint
"""
)
