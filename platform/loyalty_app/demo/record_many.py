"""How fast `record_many` is by itself: a part of the same baskets, in this process, elsewhere."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from itertools import islice
from uuid import UUID, uuid4

from loyalty.clock import SetClock
from loyalty.errors import Refused
from loyalty.recorder.recorder import Recorder
from loyalty.settlement.request import Request
from loyalty_app.demo import facts
from loyalty_app.demo.baskets import Basket
from loyalty_app.demo.packing import deal, packed
from loyalty_app.demo.stand import stand
from loyalty_app.demo.timeline import YEAR_START
from loyalty_app.ledger import Ledger

BASKETS = 10_000


async def record_many_alone(
    ledger: Ledger,
    clock: SetClock,
    baskets: Iterable[Basket],
    households: Sequence[str],
    *,
    count: int = BASKETS,
) -> float:
    """Baskets a second, of the first so many, recorded for a tenant that is made for it.

    The requests are ready beforehand, and go in the batches and lanes of the replay.
    """
    slug = f"record-many-{uuid4().hex[:12]}"
    tenant_id = await stand(ledger.database, ledger.configs, slug, YEAR_START)
    clock.at = YEAR_START
    await _record(ledger.recorder, tenant_id, [facts.enrolment(one) for one in households])
    first = list(islice(baskets, count))
    clock.at = first[-1].at
    lanes = [
        [[facts.purchase(basket) for basket in pack] for pack in packed(lane)]
        for lane in deal(first)
    ]
    begun = time.monotonic()
    await asyncio.gather(*(_lane(ledger.recorder, tenant_id, packs) for packs in lanes))
    return len(first) / (time.monotonic() - begun)


async def _lane(recorder: Recorder, tenant_id: UUID, packs: list[list[Request]]) -> None:
    for pack in packs:
        await _record(recorder, tenant_id, pack)


async def _record(recorder: Recorder, tenant_id: UUID, requests: list[Request]) -> None:
    for outcome in await recorder.record_many(tenant_id, requests):
        if isinstance(outcome, Refused):
            raise outcome
