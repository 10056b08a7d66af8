"""Two sides at once: one transaction over two tenants, each appended by the ordinary function.

The only place that switches tenant inside a transaction. Each side decides for itself; where either
is refused, neither happens.
"""

from dataclasses import dataclass
from uuid import UUID

from loyalty.database import begin, switch
from loyalty.errors import Code, Refused
from loyalty.recorder.attempts import MoreLots, persistently
from loyalty.recorder.each import settle_each
from loyalty.recorder.recorder import Recorder
from loyalty.settlement.batch import Batch
from loyalty.settlement.request import Change, Recorded, Request


@dataclass(frozen=True, slots=True)
class Leg:
    tenant_id: UUID
    request: Request


async def record_pair(recorder: Recorder, first: Leg, second: Leg) -> tuple[Recorded, Recorded]:
    """Record both legs or none; tenants are locked in ascending order of their ids.

    :raises Refused: either leg cannot stand, or only one of them is known under its key
    """
    if first.tenant_id == second.tenant_id:
        raise ValueError("the two legs belong to two tenants")

    def forget() -> None:
        recorder.forget(first.tenant_id)
        recorder.forget(second.tenant_id)

    recorded = await persistently(
        lambda more_lots: _once(recorder, first, second, more_lots), lost=forget
    )
    return recorded[first.tenant_id], recorded[second.tenant_id]


async def _once(
    recorder: Recorder, first: Leg, second: Leg, more_lots: MoreLots
) -> dict[UUID, Recorded]:
    legs = sorted((first, second), key=lambda leg: leg.tenant_id)
    setups = [await recorder.setups.get(leg.tenant_id) for leg in legs]
    recorded: dict[UUID, Recorded] = {}
    settled: list[tuple[Batch, list[Change]]] = []
    async with recorder.database.tenants() as connection:
        await begin(connection, legs[0].tenant_id)
        for leg, setup in zip(legs, setups, strict=True):
            await switch(connection, leg.tenant_id)
            batch = await recorder.open(connection, [leg.request], setup, more_lots)
            changes: list[Change] = []
            outcome = settle_each(batch, leg.request, 0, changes)
            if isinstance(outcome, Refused):
                raise outcome
            await recorder.append(connection, batch)
            recorded[leg.tenant_id] = outcome
            settled.append((batch, changes))
        if len({outcome.replayed for outcome in recorded.values()}) > 1:
            raise Refused(
                Code.IDEMPOTENCY_MISMATCH,
                "one side of this is known under its key and the other is not",
                field="idempotencyKey",
            )
        await connection.execute("commit")
    for batch, changes in settled:
        await recorder.committed(batch, changes)
    return recorded
