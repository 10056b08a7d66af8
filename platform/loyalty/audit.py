"""The audit: invariants of the ledger and of plugins as SQL. Each query must find nothing.

Run after every fault and every load test, and as a job in production; as the audit role, tenant by
tenant, each in a read-only transaction of its own. What tenants owe one another is added up in one
snapshot: over all of them, or over those that are asked about and the partners that they have.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from loyalty.database import begin, switch
from loyalty.ids import NIL
from loyalty.plugin import Plugin

FINDINGS_MAX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A row that breaks an invariant; of no tenant (the nil id) where several do together."""

    tenant_id: UUID
    invariant: str
    row: Mapping[str, Any]


async def audit(
    dsn: str, tenants: Sequence[UUID] | None = None, plugins: Sequence[Plugin] = (),
    *, beside: bool = False,
) -> list[Finding]:  # fmt: skip
    """Check every invariant, those of `plugins` too, for the given tenants (None: all); what breaks
    one, at most 20 each. `beside` others: as slowly as it goes with one processor."""
    connection = await connect(dsn)
    try:
        return await audit_over(connection, tenants, plugins, beside=beside)
    finally:
        await connection.close()


async def connect(dsn: str) -> Any:
    """A connection to audit over."""
    return await asyncpg.connect(dsn, statement_cache_size=0)  # it may be a pooler's


async def audit_over(
    connection: Any, tenants: Sequence[UUID] | None = None, plugins: Sequence[Plugin] = (),
    *, beside: bool = False,
) -> list[Finding]:  # fmt: skip
    """The same over a connection that is open."""
    invariants = {**INVARIANTS}
    for plugin in plugins:
        invariants.update(plugin.invariants)
    if tenants is None:
        tenants = await connection.fetchval("select loyalty.tenant_ids()")
    findings: list[Finding] = []
    for tenant_id in tenants:
        await begin(connection, tenant_id, read_only=True)
        if beside:
            await connection.execute("set local max_parallel_workers_per_gather = 0")
        for name, query in invariants.items():
            rows = await connection.fetch(f"select * from ({query}) q limit {FINDINGS_MAX}")
            findings += [
                Finding(tenant_id=tenant_id, invariant=name, row=dict(row)) for row in rows
            ]
        await connection.execute("rollback")
    nets = {name: query for plugin in plugins for name, query in plugin.nets.items()}
    return findings + (await _unbalanced(connection, tenants, nets) if nets else [])


async def _unbalanced(
    connection: Any, tenants: Sequence[UUID], nets: Mapping[str, str]
) -> list[Finding]:
    """What does not add up between the tenants and their partners, whoever these are."""
    if not tenants:
        return []
    sums: dict[tuple[str, str], Any] = {}
    among, partners = set(tenants), set()
    await begin(connection, tenants[0], read_only=True)
    await connection.execute("set transaction isolation level repeatable read")

    async def add(tenant_id: UUID, wanted: Collection[UUID] | None) -> None:
        await switch(connection, tenant_id)
        for name, query in nets.items():
            for row in await connection.fetch(query):
                if wanted is None or row["partner"] in wanted:
                    partners.add(row["partner"])
                    key = name, row["what"]
                    sums[key] = sums.get(key, 0) + row["amount"]

    for tenant_id in tenants:
        await add(tenant_id, None)
    for tenant_id in sorted(partners - among):
        await add(tenant_id, among)
    await connection.execute("rollback")
    wrong = [(key, off) for key, off in sums.items() if off]
    return [
        Finding(tenant_id=NIL, invariant=name, row={"what": what, "off": off})
        for (name, what), off in wrong[:FINDINGS_MAX]
    ]


INVARIANTS: Mapping[str, str] = {
    "value is conserved: stored and derived accounts of a unit sum to nothing": """
      select unit, sum(v) as off from (
        select unit, balance - deficit as v from loyalty.account where stored
        union all select p.unit, p.amount from loyalty.posting p
          join loyalty.account a on (a.tenant_id, a.id) = (p.tenant_id, p.to_id)
         where not a.stored
        union all select p.unit, -p.amount from loyalty.posting p
          join loyalty.account a on (a.tenant_id, a.id) = (p.tenant_id, p.from_id)
         where not a.stored) x
      group by unit having sum(v) <> 0""",
    "a stored balance is the sum of its postings": """
      select a.id, a.balance - a.deficit as stored, coalesce(s.v, 0) as posted
        from loyalty.account a left join (
          select id, sum(v) as v from (
            select to_id as id, amount as v from loyalty.posting
            union all select from_id, -amount from loyalty.posting) x group by id) s on s.id = a.id
       where a.stored and a.balance - a.deficit <> coalesce(s.v, 0)""",
    "versions of an account run from 1 without gap": """
      select a.id, a.version, count(s.version) as postings, max(s.version) as newest
        from loyalty.account a left join (
          select to_id as id, to_version as version from loyalty.posting where to_version > 0
          union all
          select from_id, from_version from loyalty.posting where from_version > 0) s on s.id = a.id
       where a.stored group by a.id, a.version
      having count(distinct s.version) <> a.version or coalesce(max(s.version), 0) <> a.version
          or count(s.version) <> a.version""",
    "terms of an account's lots run from 1 without gap": """
      select a.id, a.terms, count(t.version) as given, max(t.version) as newest
        from loyalty.account a left join loyalty.lot_term t
          on (t.tenant_id, t.account_id) = (a.tenant_id, a.id)
       group by a.id, a.terms
      having count(distinct t.version) <> a.terms or coalesce(max(t.version), 0) <> a.terms
          or count(t.version) <> a.terms""",
    "a lot ends when its newest term says": """
      select l.id, l.expires_at, t.expires_at as term from loyalty.lot l
        join (select distinct on (account_id, lot_id) account_id, lot_id, expires_at
                from loyalty.lot_term order by account_id, lot_id, version desc) t
          on (t.account_id, t.lot_id) = (l.account_id, l.id)
       where l.expires_at is distinct from t.expires_at""",
    "a lot begins when its newest term that says so says": """
      select l.id, l.available_at, t.available_at as term from loyalty.lot l
        join (select distinct on (account_id, lot_id) account_id, lot_id, available_at
                from loyalty.lot_term where available_at is not null
               order by account_id, lot_id, version desc) t
          on (t.account_id, t.lot_id) = (l.account_id, l.id)
       where l.available_at is distinct from t.available_at""",
    "the balance after the newest posting is the balance": """
      select a.id, a.balance - a.deficit as stored, s.after from loyalty.account a
        join (select to_id as id, to_version as version, to_balance as after from loyalty.posting
              union all
              select from_id, from_version, from_balance from loyalty.posting) s
          on s.id = a.id and s.version = a.version
       where a.stored and s.after <> a.balance - a.deficit""",
    "a balance is what its open lots hold": """
      select a.id, a.balance, coalesce(l.v, 0) as lots from loyalty.account a
        left join (select account_id, sum(remaining) as v from loyalty.lot group by 1) l
          on l.account_id = a.id
       where a.kind = 'main' and a.stored and a.balance <> coalesce(l.v, 0)""",
    "a lot holds what was granted less what was used": """
      select l.id, l.granted, l.remaining, coalesce(u.v, 0) as used from loyalty.lot l
        left join (select account_id, lot_id, sum(amount) as v from loyalty.lot_use group by 1, 2) u
          on (u.account_id, u.lot_id) = (l.account_id, l.id)
       where l.remaining <> l.granted - coalesce(u.v, 0)""",
    "whoever owes holds nothing": """
      select id, balance, deficit from loyalty.account
       where balance < 0 or deficit < 0 or (deficit > 0 and balance > 0)""",
    "held value is what open holds reserve": """
      select coalesce(a.owner_kind, r.owner_kind) as owner_kind,
             coalesce(a.owner_id, r.owner_id) as owner_id, coalesce(a.unit, r.unit) as unit,
             coalesce(a.balance, 0) as held, coalesce(r.v, 0) as reserved
        from (select owner_kind, owner_id, unit, balance from loyalty.account
               where kind = 'held' and stored) a
        full join (
          select m.owner_kind, m.owner_id, r.unit, sum(r.amount) as v from loyalty.redemption r
            left join lateral (
              select m.owner_kind, m.owner_id from loyalty.lot_use u join loyalty.account m
                  on (m.tenant_id, m.id) = (u.tenant_id, u.account_id)
               where u.tenant_id = r.tenant_id and u.fact_id = r.hold_fact_id and u.kind = 'HOLD'
               limit 1) m on true
           where r.state = 'HELD' group by 1, 2, 3) r
          on (r.owner_kind, r.owner_id, r.unit) = (a.owner_kind, a.owner_id, a.unit)
       where coalesce(a.balance, 0) <> coalesce(r.v, 0)""",
    "no more is taken back of a grant than it granted": """
      select s.sale, t.index, t.taken, (d.body -> 'grants' -> t.index::int ->> 'granted')::bigint
               as granted
        from (select d.body ->> 'sale' as sale, d.body from loyalty.decision d
               where d.body ? 'sale') s
        cross join lateral (
          select x ->> 0 as index, sum((x ->> 2)::bigint) as taken
            from loyalty.decision o, jsonb_array_elements(o.body -> 'taken') x
           where o.body ->> 'sale' = s.sale group by 1) t
        join loyalty.decision d on d.fact_id = s.sale::uuid
       where t.taken > (d.body -> 'grants' -> t.index::int ->> 'granted')::bigint""",
    "every fact left one outbox row or more, unless it was swept": """
      select f.id, f.kind from loyalty.fact f
       where f.recorded_at > (select coalesce(min(recorded_at), 'infinity') from loyalty.outbox)
         and not exists (select 1 from loyalty.outbox o
                          where o.tenant_id = f.tenant_id and o.fact_id = f.id)""",
    "children name a fact": """
      select fact_id, 'posting' as child from loyalty.posting p where not exists
        (select 1 from loyalty.fact f where (f.tenant_id, f.id) = (p.tenant_id, p.fact_id))
      union all
      select fact_id, 'lot' from loyalty.lot l where not exists
        (select 1 from loyalty.fact f where (f.tenant_id, f.id) = (l.tenant_id, l.fact_id))
      union all
      select fact_id, 'decision' from loyalty.decision d where not exists
        (select 1 from loyalty.fact f where (f.tenant_id, f.id) = (d.tenant_id, d.fact_id))""",
    "every movement says who caused it": """
      select id, kind from loyalty.fact where actor = ''""",
    "who was erased has no name": """
      select e.member_id from loyalty.erasure e
        join loyalty.member m on (m.tenant_id, m.id) = (e.tenant_id, e.member_id)
       where m.external_id <> 'erased:' || m.id or m.attributes <> '{}' or m.status <> 'CLOSED'
          or exists (select 1 from loyalty.member_identifier i
                      where (i.tenant_id, i.member_id) = (m.tenant_id, m.id))""",
}
