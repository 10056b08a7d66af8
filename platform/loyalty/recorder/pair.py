"""Two sides at once: one transaction over two tenants, each appended by the ordinary function.

The only place that switches tenant inside a transaction. Each side decides for itself; where either
is refused, neither happens.
"""

from dataclasses import dataclass
from uuid import UUID

from loyalty.database import begin, switch
from loyalty.ledger.book import NeedLots
from loyalty.recorder.recorder import TRIES, Recorder
from loyalty.settlement.request import Recorded, Request
from loyalty.settlement.settle import settle


@dataclass(frozen=True, slots=True)
class Leg:
    tenant_id: UUID
    request: Request


async def record_pair(recorder: Recorder, first: Leg, second: Leg) -> tuple[Recorded, Recorded]:
    """Record both legs or none; tenants are locked in ascending order of their ids.

    :raises Refused: either leg cannot stand
    """
    if first.tenant_id == second.tenant_id:
        raise ValueError("the two legs belong to two tenants")
    more_lots: set[tuple[UUID, str]] = set()
    for _ in range(TRIES):
        try:
            recorded = await _once(recorder, first, second, more_lots)
            return recorded[first.tenant_id], recorded[second.tenant_id]
        except NeedLots as need:
            more_lots.add((need.owner_id, need.unit))
    raise RuntimeError("a pair asked for more and more lots")


async def _once(
    recorder: Recorder, first: Leg, second: Leg, more_lots: set[tuple[UUID, str]]
) -> dict[UUID, Recorded]:
    legs = sorted((first, second), key=lambda leg: leg.tenant_id)
    batches = []
    async with recorder.database.tenants() as connection:
        await begin(connection, legs[0].tenant_id)
        recorded: dict[UUID, Recorded] = {}
        for leg in legs:
            await switch(connection, leg.tenant_id)
            setup = await recorder.setups.read(connection, leg.tenant_id)
            batch = await recorder.open(connection, [leg.request], setup, more_lots)
            outcome, _ = settle(batch, leg.request, 0)
            await recorder.append(connection, batch)
            recorded[leg.tenant_id] = outcome
            batches.append(batch)
        if len({outcome.replayed for outcome in recorded.values()}) > 1:
            raise RuntimeError("one leg of the pair is known and the other is not")
        await connection.execute("commit")
    for batch in batches:
        recorder.remember(batch.setup.tenant_id, batch)
    return recorded
