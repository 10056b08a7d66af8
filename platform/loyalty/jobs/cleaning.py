"""Rows of the kernel that are kept for a time: deleted in small batches when it is over."""

from loyalty.backtest.kept import KEPT as BACKTESTS_KEPT
from loyalty.jobs.visit import Visit
from loyalty.retention import BATCH, Retention, Term

TERMS: tuple[Term, ...] = (
    Term(
        what="command_keys",
        description="idempotency keys of commands, with their first answers",
        days=30,
        least=7,
        statements=(
            """delete from loyalty.command_key k using (
                 select client, key from loyalty.command_key where created_at < $1
                  order by created_at limit $2) old
                where k.client = old.client and k.key = old.key""",
        ),
    ),
    Term(
        what="outbox",
        description="rows of the outbox that were told",
        days=7,
        least=1,
        statements=(
            """delete from loyalty.outbox where id in (
                 select id from loyalty.outbox where state = 'DONE' and recorded_at < $1
                  order by recorded_at limit $2)""",
        ),
    ),
    Term(
        what="inbound",
        description="what became of deliveries from outside (`/in/…`)",
        days=90,
        least=7,
        statements=(
            """delete from loyalty.inbox i using (
                 select source, event_id from loyalty.inbox where received_at < $1 limit $2) old
                where i.source = old.source and i.event_id = old.event_id""",
        ),
    ),
    Term(
        what="parked_returns",
        description="returns that waited for their purchase, once that was settled",
        days=90,
        least=7,
        statements=(
            """delete from loyalty.parked_return where id in (
                 select id from loyalty.parked_return
                  where state in ('APPLIED', 'REFUSED', 'ENDED') and settled_at < $1 limit $2)""",
        ),
    ),
    Term(
        what="backtests",
        description="back-tests that are over, with their reports",
        days=BACKTESTS_KEPT.days,
        least=1,
        statements=(
            """delete from loyalty.backtest where id in (
                 select id from loyalty.backtest where finished_at < $1
                  order by finished_at limit $2)""",
        ),
    ),
)


async def clean(visit: Visit, retention: Retention | None = None, *, batch: int = BATCH) -> int:
    """Delete one batch of each; answers how many rows went."""
    kept = retention or Retention(TERMS)
    return await kept.clean(visit.recorder.database, visit.tenant_id, visit.now, batch=batch)
