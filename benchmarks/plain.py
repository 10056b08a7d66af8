"""The recorder behind an endpoint that takes JSON: what it does without GraphQL and its checks.

Run as a process of its own: `python -m benchmarks.plain`, its tenant as JSON on standard input.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from benchmarks import goods
from loyalty.facts import MemberRef, PurchaseRecorded
from loyalty.purchase import Tender, TenderKind
from loyalty.recorder.lane import Lanes
from loyalty.settlement.request import Request
from loyalty_app.garbage import collect_seldom
from loyalty_app.ledger import POOL, open_ledger
from loyalty_app.settings import Settings


def app(settings: Settings, tenant_id: UUID) -> Starlette:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[dict[str, Any]]:
        dsn = settings.need("app_database_url")
        async with open_ledger(settings, dsn, pool=POOL, ready=POOL) as ledger:
            lanes = Lanes(ledger.recorder)
            yield {"lanes": lanes}
            await lanes.close()

    async def purchase(request: HttpRequest) -> Response:
        fact = _fact(orjson.loads(await request.body()))
        recorded = await request.state.lanes.record(tenant_id, Request(fact=fact, actor="bench"))
        shown = {"id": str(recorded.fact_id), "replayed": recorded.replayed, **recorded.answer}
        return Response(orjson.dumps(shown), media_type="application/json")

    return Starlette(
        routes=[Route("/purchase", purchase, methods=["POST"])], lifespan=lifespan
    )  # fmt: skip


def _fact(given: dict[str, Any]) -> PurchaseRecorded:
    cents = goods.minor(given["total"])
    return PurchaseRecorded(
        member=MemberRef(external_id=given["member"]["externalId"]),
        occurred_at=datetime.fromisoformat(given["occurredAt"]),
        source=given["source"],
        external_id=given["externalId"],
        currency=given["currency"],
        total=cents,
        lines=tuple(goods.line_of(line) for line in given["lines"]),
        tenders=(Tender(kind=TenderKind.OTHER, amount=cents),),
    )


def main() -> None:
    told = orjson.loads(sys.stdin.buffer.readline())
    settings = Settings.load()
    served = app(settings, UUID(told["tenant_id"]))
    collect_seldom()
    config = uvicorn.Config(served, port=settings.port, log_level="warning", access_log=False)
    uvicorn.Server(config).run()


if __name__ == "__main__":
    main()
