"""Orders carried out, a slice at a time: by who asked for a small one, and by workers."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.database import Database
from loyalty.errors import Refused
from loyalty.jobs.schedule import JobRow
from loyalty.jobs.visit import Visit
from loyalty.plugin import Connection
from loyalty.recorder.each import Outcome
from loyalty.settlement.request import Request
from loyalty_tenants.desk import bulk
from loyalty_tenants.desk.orders import BulkState, Item, ItemState, request_of
from loyalty_tenants.desk.policy import policy

Record = Callable[[Sequence[Request]], Awaitable[list[Outcome]]]
SLICE = 100  # a batch holds its members' locks: whoever buys meanwhile waits for that long at most


async def settle_slice(
    database: Database, record: Record, tenant_id: UUID, bulk_id: UUID, now: datetime
) -> int:
    """Record the next items of an order that runs; answers how many. With none left it is done.

    What was recorded and not marked (a crash lay between) is recorded again: a replay.

    :raises RuntimeError: something may succeed later; what came before it is marked
    """
    async with database.tenant(tenant_id) as connection:
        found = await bulk.locked(connection, bulk_id)
        if found is None or found.state is not BulkState.RUNNING:
            await _over(connection, bulk_id)
            return 0
        items = await bulk.items(connection, bulk_id, state=ItemState.WAITING, count=SLICE)
        if not items:
            await connection.execute(
                """update loyalty.bulk_adjustment set state = 'DONE', done_at = $2
                    where id = $1 and state = 'RUNNING'""",
                bulk_id, now,
            )  # fmt: skip
            await _over(connection, bulk_id)
            return 0
        above = (await policy(connection)).above
    requests = [request_of(found, item, above) for item in items]
    outcomes = await record(requests)
    async with database.tenant(tenant_id) as connection:
        later = await _mark(connection, bulk_id, items, outcomes)
    if later:
        raise RuntimeError(f"{later} corrections of {bulk_id} could not be recorded yet")
    return len(items)


class BulkJob:
    """The worker's part: it goes on where anybody stopped."""

    async def run(self, visit: Visit, row: JobRow) -> int:
        """A slice; and one more turn that finds nothing left."""
        return 1 + await settle_slice(
            visit.recorder.database, visit.record, visit.tenant_id, UUID(row.which), visit.now
        )


async def _mark(
    connection: Connection, bulk_id: UUID, items: Sequence[Item], outcomes: Sequence[Outcome]
) -> int:
    """Note what came of items; answers how many are to be tried again."""
    later, rows = 0, list[tuple[Any, ...]]()
    for item, outcome in zip(items, outcomes, strict=True):
        if not isinstance(outcome, Refused):
            rows.append((item.seq, "DONE", outcome.fact_id, None))
        elif outcome.code.retryable:
            later += 1
        else:
            refusal = {
                "code": outcome.code, "field": outcome.field, "message": outcome.message,
                "details": outcome.details,
            }  # fmt: skip
            rows.append((item.seq, "REFUSED", None, refusal))
    await connection.executemany(
        """update loyalty.bulk_adjustment_item set state = $3, fact_id = $4, refusal = $5
            where bulk_id = $1 and seq = $2 and state = 'WAITING'""",
        [(bulk_id, *row) for row in rows],
    )
    return later


async def _over(connection: Connection, bulk_id: UUID) -> None:
    await connection.execute("delete from loyalty.job where name = $1", f"{bulk.JOB}:{bulk_id}")
