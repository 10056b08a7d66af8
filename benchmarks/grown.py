"""A ledger that has grown: purchases of years, written by set-based SQL.

They are shaped like the newest purchase that the recorder wrote for the tenant: the same columns
filled, the same texts, as many rows in the same tables under the same indexes, in the order of
their instants. Only foreign keys are not looked up one by one, and rows of the outbox are not
written: upkeep deletes those of what is long over. The audit finds nothing.
"""

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from benchmarks.stand import Brand, Stand

TABLES = ("fact", "decision", "posting", "lot", "lot_use", "account", "outbox")


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """Purchases of every member, `each` of them, one a member in turn, from `since` to `until`.

    Of ten lots nine end at the first of one of the `months` months up to `end`, drawn for each, and
    one at an instant of its own in the month before `end`.
    """

    each: int
    since: datetime
    until: datetime
    end: datetime
    months: int = 4


async def grow(stand: Stand, brand: Brand, past: Past) -> int:
    """Add the past, and tell the planner of it; answers how many lots it opened."""
    connection = await asyncpg.connect(stand.admin)
    try:
        async with connection.transaction():
            await connection.execute("set local session_replication_role = replica")
            await connection.execute("set local work_mem = '256MB'")
            await connection.execute(DRAFT, brand.tenant_id, *_arguments(past))
            for statement in WRITE:
                await connection.execute(statement, brand.tenant_id)
        for table in TABLES:
            await connection.execute(f"vacuum analyze loyalty.{table}")
        await connection.execute("checkpoint")
    finally:
        await connection.close()
    return past.each * len(brand.members)


def _arguments(past: Past) -> tuple[int, datetime, datetime, datetime, int]:
    return past.each, past.since, past.until, past.end, past.months


DRAFT = """
create temp table grown on commit drop as
select g.*, uuidv7() as fact_id, uuidv7() as lot_id,
       (g.balance + sum(g.amount) over (partition by g.account_id order by g.version))::bigint
         as after
  from (
    select a.id as account_id, a.owner_id as member_id, a.balance, a.version + k as version,
           1 + (random() * 40)::int as amount,
           $3::timestamptz + ($4::timestamptz - $3) * ((k - 1 + random()) / $2) as occurred_at,
           case when random() < 0.1 then $5::timestamptz - interval '30 days' * random()
                else date_trunc('month', $5) - interval '1 month' * floor(random() * $6)
           end as expires_at
      from loyalty.account a cross join generate_series(1, $2::int) k
     where a.tenant_id = $1 and a.stored and a.kind = 'main') g
 order by g.occurred_at
"""
# The newest purchase of the tenant, of which the others differ in ids, instants and amounts.
LIKE = """
with f as (
  select f.* from loyalty.fact f where f.tenant_id = $1 and f.kind = 'PurchaseRecorded'
   order by f.id desc limit 1),
d as (select d.* from f join loyalty.decision d on (d.tenant_id, d.fact_id) = ($1, f.id)),
p as (select p.* from f join loyalty.posting p on (p.tenant_id, p.fact_id) = ($1, f.id)),
l as (select l.* from f join loyalty.lot l on (l.tenant_id, l.fact_id) = ($1, f.id))
"""
WRITE = (  # the facts behind their children, or they would be the newest ones
    f"""
insert into loyalty.decision (tenant_id, fact_id, body)
{LIKE} select $1, g.fact_id, d.body from grown g, d""",
    f"""
insert into loyalty.posting (tenant_id, fact_id, seq, unit, from_id, to_id, amount, to_version,
    to_balance, kind, program_id, rule, label, occurred_at, recorded_at)
{LIKE} select $1, g.fact_id, p.seq, p.unit, p.from_id, g.account_id, g.amount, g.version, g.after,
    p.kind, p.program_id, p.rule, p.label, g.occurred_at, g.occurred_at from grown g, p""",
    f"""
insert into loyalty.lot (tenant_id, account_id, id, fact_id, program_id, rule, accounting_class,
    granted, remaining, occurred_at, available_at, expires_at)
{LIKE} select $1, g.account_id, g.lot_id, g.fact_id, l.program_id, l.rule, l.accounting_class,
    g.amount, g.amount, g.occurred_at, g.occurred_at, g.expires_at from grown g, l""",
    f"""
insert into loyalty.fact (tenant_id, id, kind, scope, key, member_id, occurred_at, recorded_at,
    epoch, hop, actor, request_id, payload, answer)
{LIKE} select $1, g.fact_id, f.kind, f.scope, 'grown-' || g.fact_id, g.member_id, g.occurred_at,
    g.occurred_at, f.epoch, f.hop, f.actor, f.request_id, f.payload, f.answer from grown g, f""",
    """
update loyalty.account a set balance = g.balance, version = g.version
  from (select account_id, max(after) as balance, max(version) as version from grown
         group by account_id) g
 where a.tenant_id = $1 and a.id = g.account_id""",
)
