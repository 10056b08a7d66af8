"""Counters bucket by bucket, for rules that ask for periods of their own; once a batch."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.counters import kept_since
from loyalty.ids import NIL
from loyalty.plugin import Scope
from loyalty.recorder.looks import looks_of
from loyalty.recorder.needs import subject
from loyalty.settlement.batch import Batch
from loyalty.settlement.request import Request

_BUCKETS = """
select w.at, c.bucket, c.value
  from unnest($1::int[], $2::text[], $3::uuid[], $4::timestamptz[]) w (at, name, member_id, since)
  cross join lateral (
    select c.bucket, c.value from loyalty.counter c
     where c.tenant_id = $5 and c.name = w.name
       and c.member_id = w.member_id and c.bucket >= w.since and c.value <> 0 offset 0) c
 order by w.at, c.bucket
"""


async def load_buckets(connection: Any, requests: Sequence[Request], batch: Batch) -> None:
    """Load what the batch's rules see bucket by bucket; no statement where there is nothing."""
    wanted: dict[tuple[str, UUID], datetime] = {}
    for request in requests:
        for name, member_id, since in _asked(request, batch):
            wanted[name, member_id] = min(since, wanted.get((name, member_id), since))
    if not wanted:
        return
    rows: dict[int, list[tuple[datetime, int]]] = {at: [] for at in range(len(wanted))}
    names = [name for name, _ in wanted]
    for row in await connection.fetch(
        _BUCKETS, list(rows), names, [member_id for _, member_id in wanted], [*wanted.values()],
        batch.setup.tenant_id,
    ):  # fmt: skip
        rows[row["at"]].append((row["bucket"], row["value"]))
    batch.by_bucket.update(zip(wanted, rows.values(), strict=True))


def _asked(request: Request, batch: Batch) -> Iterator[tuple[str, UUID, datetime]]:
    fact, setup = request.fact, batch.setup
    if not (bucketed := looks_of(fact, batch.plugins, setup).bucketed):
        return
    member_id = subject(batch, fact)
    for name, counter in bucketed:
        whose = member_id if counter.scope is Scope.MEMBER else NIL
        if whose is not None:
            yield name, whose, kept_since(counter, fact.occurred_at, setup.zone)
