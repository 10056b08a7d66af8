"""Rows that are kept for a time: deleted in small batches when it is over."""

from datetime import timedelta

from loyalty.backtest.kept import KEPT as BACKTESTS_KEPT
from loyalty.jobs.visit import Visit

COMMAND_KEYS_KEPT = timedelta(days=30)
OUTBOX_KEPT = timedelta(days=7)
BATCH = 1_000

_COMMAND_KEYS = """
delete from loyalty.command_key k using (
    select client, key from loyalty.command_key where created_at < $1
     order by created_at limit $2) old
 where k.client = old.client and k.key = old.key
"""
_OUTBOX = """
delete from loyalty.outbox where id in (
    select id from loyalty.outbox where state = 'DONE' and recorded_at < $1
     order by recorded_at limit $2)
"""
_BACKTESTS = """
delete from loyalty.backtest where id in (
    select id from loyalty.backtest where finished_at < $1 order by finished_at limit $2)
"""
_KEPT = (
    (_COMMAND_KEYS, COMMAND_KEYS_KEPT),
    (_OUTBOX, OUTBOX_KEPT),
    (_BACKTESTS, BACKTESTS_KEPT),
)


async def clean(visit: Visit, *, batch: int = BATCH) -> int:
    """Delete one batch of each; answers how many rows went."""
    deleted = 0
    for query, kept in _KEPT:
        async with visit.transaction() as connection:
            status = await connection.execute(query, visit.now - kept, batch)
        deleted += int(status.split()[-1])
    return deleted
