"""Bare endpoints to compare with: Starlette, the same rows, SQL by hand.

A purchase is a transaction of its own; reads ask Postgres every time. Run as a process of its own:
`python -m benchmarks.bare`, its brand as JSON on standard input.
"""

import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from os import environ
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks import by_hand
from benchmarks.stand import Brand
from loyalty_app.garbage import collect_seldom

PAGE = 50
ENTRIES = 5
LOTS = """
(select array_agg((l.available_at, l.expires_at, l.remaining)) from loyalty.lot l
  where l.tenant_id = $1 and l.account_id = a.id and l.remaining > 0) as lots"""
BALANCES = f"""
select a.unit, a.version, {LOTS}
  from loyalty.member m
  join loyalty.account a on a.tenant_id = $1 and a.owner_id = m.id and a.kind = 'main' and a.stored
 where m.tenant_id = $1 and m.external_id = $2
"""
MEMBERS = f"""
select m.id, m.external_id, a.id as account_id, a.unit, a.version, {LOTS}
  from (select * from loyalty.member m where m.tenant_id = $1 order by m.id limit $2) m
  join loyalty.account a on a.tenant_id = $1 and a.owner_id = m.id and a.kind = 'main' and a.stored
 order by m.id
"""
STATEMENTS = """
select x.id as account_id, e.* from unnest($2::uuid[]) x(id) cross join lateral (
  select p.kind, p.amount, p.to_version as version, p.to_balance as balance, p.label, p.occurred_at
    from loyalty.posting p
   where p.tenant_id = $1 and p.to_id = x.id and p.to_version is not null
  union all
  select p.kind, -p.amount, p.from_version, p.from_balance, p.label, p.occurred_at
    from loyalty.posting p
   where p.tenant_id = $1 and p.from_id = x.id and p.from_version is not null
  order by version desc limit $3) e
"""


def app(dsn: str, brand: Brand, rules: int) -> Starlette:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[dict[str, Any]]:
        async with asyncpg.create_pool(dsn, min_size=10, max_size=10) as pool:
            yield {"pool": pool}

    async def purchase(request: Request) -> Response:
        given = orjson.loads(await request.body())
        number = int(given["member"]["externalId"][1:])
        async with request.state.pool.acquire() as connection:
            await by_hand.record(connection, brand, [(number, given["externalId"], given)], rules)
        return _json({"userErrors": []})

    async def balances(request: Request) -> Response:
        name = orjson.loads(await request.body())["member"]
        rows = await request.state.pool.fetch(BALANCES, brand.tenant_id, name)
        return _json([_balance(row, datetime.now(UTC)) for row in rows])

    async def members(request: Request) -> Response:
        return _json(await _members(request.state.pool, brand.tenant_id))

    found = {"/purchase": purchase, "/balances": balances, "/members": members}
    routes = [Route(path, endpoint, methods=["POST"]) for path, endpoint in found.items()]
    return Starlette(routes=routes, lifespan=lifespan)


async def _members(pool: Any, tenant_id: UUID) -> list[dict[str, Any]]:
    """The first page of members with what they have and what moved it last."""
    async with pool.acquire() as connection:
        rows = await connection.fetch(MEMBERS, tenant_id, PAGE)
        accounts = [row["account_id"] for row in rows]
        entries = await connection.fetch(STATEMENTS, tenant_id, accounts, ENTRIES)
    moved: dict[UUID, list[dict[str, Any]]] = {}
    for entry in entries:
        shown = {
            "kind": entry["kind"], "amount": str(entry["amount"]),
            "balanceAfter": str(entry["balance"]), "label": entry["label"],
            "occurredAt": entry["occurred_at"],
        }  # fmt: skip
        moved.setdefault(entry["account_id"], []).append(shown)
    now = datetime.now(UTC)
    return [
        {
            "id": str(row["id"]), "externalId": row["external_id"],
            "balances": [_balance(row, now)], "statement": moved[row["account_id"]],
        }
        for row in rows
    ]  # fmt: skip


def _balance(row: Any, now: datetime) -> dict[str, str]:
    lots: Iterable[tuple[datetime, datetime | None, int]] = row["lots"] or ()
    open_lots = [(since, amount) for since, until, amount in lots if not until or until > now]
    return {
        "unit": row["unit"],
        "available": str(sum(amount for since, amount in open_lots if since <= now)),
        "pending": str(sum(amount for since, amount in open_lots if since > now)),
        "version": str(row["version"]),
    }


def _json(shown: object) -> Response:
    return Response(orjson.dumps(shown), media_type="application/json")


def main() -> None:
    told = orjson.loads(sys.stdin.buffer.readline())
    members = tuple(UUID(ident) for ident in told["members"])
    brand = Brand(UUID(told["tenant_id"]), UUID(told["program_id"]), "", members)
    served = app(told["dsn"], brand, told["rules"])
    collect_seldom()
    port = int(environ["LOYALTY_PORT"])
    config = uvicorn.Config(served, port=port, log_level="warning", access_log=False)
    uvicorn.Server(config).run()


if __name__ == "__main__":
    main()
