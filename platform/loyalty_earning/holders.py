"""Who has something of a unit, for jobs that look at each of them once.

`scope` is the one under which the facts that a plugin's jobs name are known for ever.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty import refused_due
from loyalty.plugin import Connection
from loyalty.refused_due import is_refused

AT_ONCE = 1_000

# Both walk the tenant's accounts of a unit, or its lots of a day, by an index that is there anyway.
_WITH = f"""
select a.owner_id from loyalty.account a
 where a.owner_kind = 'MEMBER' and a.unit = $1 and a.kind = 'main' and a.stored and a.balance >= $2
   and not exists (select 1 from loyalty.fact f where f.scope = $3 and f.key = $4 || a.owner_id)
   and not {is_refused("$3", "$4 || a.owner_id")}
   and exists (select 1 from loyalty.member m
                where m.id = a.owner_id and m.status <> 'CLOSED' and ($6 or m.status <> 'FROZEN'))
 order by a.owner_id limit $5
"""
_ENDING = f"""
select distinct a.owner_id from loyalty.lot l
  join loyalty.account a on (a.tenant_id, a.id) = (l.tenant_id, l.account_id)
 where l.remaining > 0 and l.expires_at >= $1 and l.expires_at < $2
   and a.owner_kind = 'MEMBER' and a.unit = $3
   and not exists (select 1 from loyalty.fact f where f.scope = $4 and f.key = $5 || a.owner_id)
   and not {is_refused("$4", "$5 || a.owner_id")}
   and exists (select 1 from loyalty.member m where m.id = a.owner_id and m.status <> 'CLOSED')
 order by a.owner_id limit $6
"""
_RECORDED = "select key, payload from loyalty.fact where scope = $1 and key = any($2::text[])"
_GIVEN = """
select count(*) filter (where given > 0) as members, coalesce(sum(given), 0)::bigint as amount
  from (select (select sum((e ->> 'amount')::bigint)
                  from jsonb_array_elements(f.answer -> 'earned') e) as given
          from loyalty.fact f where f.scope = $1 and f.key ^@ $2) x
"""


async def with_at_least(
    scope: str, connection: Connection, unit: str, least: int, prefix: str, *, frozen: bool = True
) -> Sequence[UUID]:
    """Members with so much of a unit about whom no fact `<prefix><member id>` is recorded, nor was
    refused.

    Who is `frozen` spends nothing, and what they have goes its way all the same: only what leaves
    for good, as money does, waits for them.
    """
    rows = await connection.fetch(_WITH, unit, least, scope, prefix, AT_ONCE, frozen)
    return [row["owner_id"] for row in rows]


async def with_ending(
    scope: str,
    connection: Connection,
    unit: str,
    since: datetime,
    before: datetime,
    prefix: str,
) -> Sequence[UUID]:
    """As above, members of whose unit something ends in [since, before)."""
    rows = await connection.fetch(_ENDING, since, before, unit, scope, prefix, AT_ONCE)
    return [row["owner_id"] for row in rows]


async def facts_of(
    scope: str, connection: Connection, keys: Sequence[str]
) -> Mapping[str, Mapping[str, Any]]:
    """What jobs recorded under these keys, as far as they did."""
    rows = await connection.fetch(_RECORDED, scope, list(keys)) if keys else ()
    return {row["key"]: row["payload"] for row in rows}


async def given(scope: str, connection: Connection, prefix: str) -> tuple[int, int]:
    """To how many members the facts `<prefix><member id>` gave something, and how much in all."""
    (row,) = await connection.fetch(_GIVEN, scope, prefix)
    return row["members"], row["amount"]


async def refused(scope: str, connection: Connection, prefix: str) -> int:
    """To how many members the facts `<prefix><member id>` would have given something and could
    not: it is tried again."""
    return await refused_due.how_many(connection, scope, prefix)
