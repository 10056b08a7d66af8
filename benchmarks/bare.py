"""A bare endpoint to compare with: Starlette, one purchase a transaction, written by hand.

Run as a process of its own: `python -m benchmarks.bare PORT`, its brand as JSON on standard input.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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

READ = """
select a.balance, a.version,
       (select array_agg((l.available_at, l.expires_at, l.remaining)) from loyalty.lot l
         where l.tenant_id = $1 and l.account_id = a.id and l.remaining > 0) as lots
  from loyalty.member m
  join loyalty.account a
    on a.tenant_id = $1 and a.owner_id = m.id and a.unit = 'points' and a.stored
 where m.tenant_id = $1 and m.external_id = $2
"""


def app(dsn: str, brand: Brand) -> Starlette:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[dict[str, Any]]:
        async with asyncpg.create_pool(dsn, min_size=10, max_size=10) as pool:
            yield {"pool": pool}

    async def purchase(request: Request) -> Response:
        given = orjson.loads(await request.body())
        number = int(given["member"]["externalId"][1:])
        async with request.state.pool.acquire() as connection:
            await by_hand.record(connection, brand, [(number, given["externalId"], given)])
        return Response(b'{"userErrors":[]}', media_type="application/json")

    async def balance(request: Request) -> Response:
        name = orjson.loads(await request.body())["member"]
        row = await request.state.pool.fetchrow(READ, brand.tenant_id, name)
        lots = sum(lot[2] for lot in row["lots"] or ())
        shown = {"available": str(lots), "version": str(row["version"])}
        return Response(orjson.dumps(shown), media_type="application/json")

    routes = [Route("/purchase", purchase, methods=["POST"]),
              Route("/balance", balance, methods=["POST"])]  # fmt: skip
    return Starlette(routes=routes, lifespan=lifespan)


def main() -> None:
    told = orjson.loads(sys.stdin.buffer.readline())
    members = tuple(UUID(ident) for ident in told["members"])
    brand = Brand(UUID(told["tenant_id"]), UUID(told["program_id"]), "", members)
    config = uvicorn.Config(
        app(told["dsn"], brand), port=int(sys.argv[1]), log_level="warning", access_log=False
    )
    uvicorn.Server(config).run()


if __name__ == "__main__":
    main()
