"""What came to be known of a past instant after it: why a balance as of then is another one now.

    balance as of t, known now  =  balance as of t, known then  +  the late items

(available and pending, less what is owed). An item is a movement that happened by t and was
recorded after it was known; and, for every lot, what of it had ended by t as known now and not as
known then: whether a sweep has booked that end makes no difference to a balance, nor here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from loyalty.ledger.account import MAIN
from loyalty.owners import Holder, kind_and_id
from loyalty.plugin import Connection


@dataclass(frozen=True, slots=True)
class LateItem:
    """`amount` > 0 came in. `recorded_at` is None for what ends by its term, swept or not."""

    kind: str
    amount: int
    rule: str | None
    label: str | None
    fact_id: UUID
    occurred_at: datetime
    recorded_at: datetime | None


@dataclass(frozen=True, slots=True)
class LateItems:
    """The first of them in the order in which they were recorded, ends last; `amount` is the sum of
    all `count` of them."""

    amount: int
    count: int
    items: Sequence[LateItem]


async def late_items(
    connection: Connection, holder: Holder, unit: str, *, at: datetime, known_at: datetime,
    now: datetime, limit: int,
) -> LateItems:  # fmt: skip
    """What happened by `at` and was recorded after `known_at`, by `now`."""
    if known_at >= now:
        return LateItems(0, 0, [])
    kind, ident = kind_and_id(holder)
    rows = await connection.fetch(LATE, ident, kind, unit, at, known_at, now, MAIN, limit)
    items = [LateItem(*row[2:]) for row in rows]
    return LateItems(rows[0][0] if rows else 0, rows[0][1] if rows else 0, items)


# `counted` is as in balances.AS_OF: of repayments, only as much as was owed by then.
LATE = """
with mine as (
  select tenant_id, id from loyalty.account
   where owner_id = $1 and owner_kind = $2 and unit = $3 and kind = $7 and stored),
known(k) as (values ($5::timestamptz), ($6::timestamptz)),
moved as (
  select p.kind, case when p.to_id = m.id then p.amount else -p.amount end as amount, p.rule,
         p.label, p.fact_id, p.occurred_at, p.recorded_at,
         case when p.to_id = m.id then p.to_version else p.from_version end as version
    from mine m join loyalty.posting p on p.to_id = m.id or p.from_id = m.id
   where p.occurred_at <= $4 and p.recorded_at > $5 and p.recorded_at <= $6
     and p.kind <> 'EXPIRE'),
owed as (
  select k.k, coalesce(sum(p.uncovered), 0) as amount from known k cross join mine m
    left join loyalty.posting p
      on p.from_id = m.id and p.occurred_at <= $4 and p.recorded_at <= k.k
   group by k.k),
used as (
  select k.k, u.lot_id, u.kind, u.amount,
         sum(u.amount) over (partition by k.k, u.kind = 'REPAY'
                             order by u.recorded_at, u.fact_id, u.lot_id) as so_far
    from known k cross join mine m
    join loyalty.lot_use u on u.account_id = m.id and u.occurred_at <= $4 and u.recorded_at <= k.k),
counted as (
  select u.k, u.lot_id, u.kind, case when u.kind <> 'REPAY' then u.amount
           else least(u.amount, greatest(0, o.amount - (u.so_far - u.amount))) end as amount
    from used u join owed o on o.k = u.k),
spent as (
  select k, lot_id, coalesce(sum(amount) filter (where kind = 'EXPIRE'), 0) as ended,
         coalesce(sum(amount) filter (where kind <> 'EXPIRE'), 0) as taken
    from counted group by k, lot_id),
lots as (
  select k.k, l.id, l.rule, l.fact_id, l.granted,
         case when t.lot_id is not null then t.expires_at
              when f1.lot_id is not null then f1.previous
              else l.expires_at end as expires_at
    from known k cross join mine m
    join loyalty.lot l on l.account_id = m.id and l.occurred_at <= $4
    join loyalty.fact f on f.tenant_id = l.tenant_id and f.id = l.fact_id and f.recorded_at <= k.k
    left join lateral (select x.lot_id, x.expires_at from loyalty.lot_term x
                        where (x.account_id, x.lot_id) = (l.account_id, l.id)
                          and x.occurred_at <= $4 and x.recorded_at <= k.k
                        order by x.version desc limit 1) t on true
    left join lateral (select x.lot_id, x.previous from loyalty.lot_term x
                        where (x.account_id, x.lot_id) = (l.account_id, l.id)
                        order by x.version limit 1) f1 on true),
ended as (
  select l.k, l.id, l.rule, l.fact_id, l.expires_at,
         case when l.expires_at <= $4 then l.granted - coalesce(s.taken, 0)
              else coalesce(s.ended, 0) end as amount
    from lots l left join spent s on s.k = l.k and s.lot_id = l.id),
ends as (
  select id, max(rule) as rule, (array_agg(fact_id))[1] as fact_id,
         coalesce(max(expires_at) filter (where k = $6), $4) as occurred_at,
         coalesce(sum(amount) filter (where k = $5), 0)
           - coalesce(sum(amount) filter (where k = $6), 0) as amount
    from ended group by id),
items as (
  select kind, amount, nullif(rule, '') as rule, label, fact_id, occurred_at, recorded_at, version
    from moved
  union all
  select 'EXPIRE', amount::bigint, nullif(rule, ''), null, fact_id, occurred_at, null, null
    from ends where amount <> 0)
select sum(amount) over ()::bigint, count(*) over ()::int, kind, amount, rule, label, fact_id,
       occurred_at, recorded_at
  from items order by version, occurred_at, fact_id limit $8
"""
