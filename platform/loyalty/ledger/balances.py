"""Balances read from the ledger: as they are now, and as they were at any instant."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loyalty.cache.cached_balance import CachedBalance, OpenLot, balance_at, merged
from loyalty.ledger.account import HELD, MAIN
from loyalty.owners import Holder, holder_of, kind_and_id
from loyalty.plugin import Connection
from loyalty.view import BalanceView

Want = tuple[Holder, str]  # whose, unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """A unit of a member, or of another owner, at an instant.

    `version` grows with every change of it, also of its lots' terms. `lots` are those that are open
    then: available and pending together.
    """

    version: int
    view: BalanceView
    lots: tuple[OpenLot, ...]


async def holdings(connection: Connection, wants: Sequence[Want]) -> dict[Want, CachedBalance]:
    """What members and other owners hold, as open lots, so that any instant can be judged.

    One statement, however many are wanted.

    A unit in which nothing ever happened has version 0 and nothing in it.
    """
    whose = [kind_and_id(holder) for holder, _ in wants]
    rows = await connection.fetch(
        HOLDINGS, [one[0] for one in whose], [one[1] for one in whose], [w[1] for w in wants]
    )
    found: dict[Want, CachedBalance] = {}
    for row in rows:
        found[holder_of(row["kind"], row["id"]), row["unit"]] = CachedBalance(
            version=row["version"],
            held=row["held"],
            deficit=row["deficit"],
            lots=_merged(row["lots"]),
        )
    return {want: found.get(want, CachedBalance(version=0)) for want in wants}


async def balances(
    connection: Connection, wants: Sequence[Want], at: datetime
) -> dict[Want, Balance]:
    """The balances of units at `at`, by what is recorded now."""
    return {
        want: Balance(version=held.version, view=balance_at(held, at), lots=_open_at(held.lots, at))
        for want, held in (await holdings(connection, wants)).items()
    }


async def balance_as_of(
    connection: Connection, holder: Holder, unit: str, *, at: datetime, known_at: datetime
) -> Balance:
    """The balance at `at`, counting what had happened by then and was recorded by `known_at`.

    Lots are judged by their own terms, so it does not matter when a sweep ran.
    """
    kind, ident = kind_and_id(holder)
    row: Mapping[str, Any] = await connection.fetchrow(
        AS_OF, ident, unit, at, known_at, MAIN, HELD, kind
    )
    open_value = row["available"] + row["pending"]
    view = BalanceView(
        total=open_value,
        available=row["available"],
        pending=row["pending"],
        held=row["held"],
        deficit=row["deficit"],
    )
    return Balance(version=row["version"], view=view, lots=_merged(row["lots"]))


def _open_at(lots: Iterable[OpenLot], at: datetime) -> tuple[OpenLot, ...]:
    return tuple(lot for lot in lots if lot.expires_at is None or lot.expires_at > at)


def _merged(rows: Iterable[tuple[datetime, datetime | None, int]] | None) -> tuple[OpenLot, ...]:
    return merged(OpenLot(*row) for row in rows or ())


# Accounts are looked up one by one: a join would be free to walk all of the tenant's.
HOLDINGS = """
select w.kind, w.id, w.unit, a.version, a.held, a.deficit, l.lots
  from unnest($1::text[], $2::uuid[], $3::text[]) w(kind, id, unit)
  cross join lateral (
    select a.tenant_id, sum(a.version + a.terms)::bigint as version,
           coalesce(sum(a.balance) filter (where a.kind = 'held'), 0)::bigint as held,
           sum(a.deficit)::bigint as deficit,
           (array_agg(a.id) filter (where a.kind = 'main'))[1] as main_id
      from loyalty.account a
     where a.owner_id = w.id and a.owner_kind = w.kind and a.unit = w.unit and a.stored
     group by a.tenant_id) a
  cross join lateral (
    select array_agg((l.available_at, l.expires_at, l.remaining)) as lots from loyalty.lot l
     where l.tenant_id = a.tenant_id and l.account_id = a.main_id and l.remaining > 0) l
"""

# What a late fact repaid of a deficit that only arose later, it had not repaid yet at `at`: of the
# repayments known, only as much counts as was owed by then, the earliest first. What a late fact
# took from lots that only came later was owed then.
AS_OF = """
with mine as (
  select id, kind from loyalty.account
   where owner_id = $1 and owner_kind = $7 and unit = $2 and stored),
moved as (
  select m.kind, sum(case when p.to_id = m.id then p.amount else -p.amount end) as net,
         sum(p.uncovered) filter (where p.from_id = m.id) as uncovered,
         max(case when p.to_id = m.id then p.to_version else p.from_version end) as version
    from mine m join loyalty.posting p on p.to_id = m.id or p.from_id = m.id
   where p.occurred_at <= $3 and p.recorded_at <= $4
   group by m.kind),
termed as (
  select count(*) as version from mine m join loyalty.lot_term x on x.account_id = m.id
   where x.occurred_at <= $3 and x.recorded_at <= $4),
owed as (select coalesce((select uncovered from moved where kind = $5), 0) as amount),
used as (
  select u.lot_id, u.kind, u.amount,
         sum(u.amount) over (partition by u.kind = 'REPAY'
                             order by u.recorded_at, u.fact_id, u.lot_id) as so_far
    from mine m join loyalty.lot_use u on u.account_id = m.id and m.kind = $5
   where u.occurred_at <= $3 and u.recorded_at <= $4),
counted as (
  select u.lot_id, case when u.kind <> 'REPAY' then u.amount
           else least(u.amount, greatest(0, o.amount - (u.so_far - u.amount))) end as amount, u.kind
    from used u cross join owed o),
lots as (
  select l.id,
         coalesce(b.available_at, b1.previously_available_at, l.available_at) as available_at,
         case when t.lot_id is not null then t.expires_at
              when f1.lot_id is not null then f1.previous
              else l.expires_at end as expires_at,
         l.granted - coalesce((select sum(c.amount) from counted c where c.lot_id = l.id), 0)
           as remaining
    from loyalty.lot l join mine m on m.id = l.account_id and m.kind = $5
    join loyalty.fact f on f.tenant_id = l.tenant_id and f.id = l.fact_id
    left join lateral (select x.lot_id, x.expires_at from loyalty.lot_term x
                        where (x.account_id, x.lot_id) = (l.account_id, l.id)
                          and x.occurred_at <= $3 and x.recorded_at <= $4
                        order by x.version desc limit 1) t on true
    left join lateral (select x.lot_id, x.previous from loyalty.lot_term x
                        where (x.account_id, x.lot_id) = (l.account_id, l.id)
                        order by x.version limit 1) f1 on true
    left join lateral (select x.available_at from loyalty.lot_term x
                        where (x.account_id, x.lot_id) = (l.account_id, l.id)
                          and x.available_at is not null
                          and x.occurred_at <= $3 and x.recorded_at <= $4
                        order by x.version desc limit 1) b on true
    left join lateral (select x.previously_available_at from loyalty.lot_term x
                        where (x.account_id, x.lot_id) = (l.account_id, l.id)
                          and x.available_at is not null
                        order by x.version limit 1) b1 on true
   where l.occurred_at <= $3 and f.recorded_at <= $4),
ahead as (
  select coalesce(sum(c.amount), 0) as amount from counted c
   where not exists (select 1 from lots l where l.id = c.lot_id)),
open as (
  select coalesce(sum(remaining) filter (where available_at <= $3), 0)::bigint as available,
         coalesce(sum(remaining) filter (where available_at > $3), 0)::bigint as pending,
         array_agg((available_at, expires_at, remaining::bigint)) as lots
    from lots where expires_at is null or expires_at > $3)
select o.available, o.pending, o.lots,
       coalesce((select net from moved where kind = $6), 0)::bigint as held,
       (owed.amount + ahead.amount
         - coalesce((select sum(amount) from counted where kind = 'REPAY'), 0))::bigint as deficit,
       (coalesce((select sum(version) from moved), 0) + (select version from termed))::bigint
         as version
  from open o cross join owed cross join ahead
"""
