"""Returns that wait for their purchase: applied where it came without being noticed, else ended."""

from loyalty.errors import Refused
from loyalty.jobs.visit import SLICE, Visit
from loyalty.recorder.each import parked_request
from loyalty.settlement.batch import Parked

KIND = "parked"
# A purchase and its return may be recorded at the same moment, neither seeing the other.
_ARRIVED = """
exists (select 1 from loyalty.fact f
         where f.scope = 'purchase' || case
                 when coalesce(p.payload ->> 'purchase_revision', '1') = '1' then ''
                 else '#' || (p.payload ->> 'purchase_revision') end || ':' || p.source
           and f.key = p.purchase_external_id)
"""
_WAITING = f"""
select p.id, p.source, p.return_id, p.purchase_external_id, p.payload, p.occurred_at, p.actor
  from loyalty.parked_return p
 where p.state = 'PARKED' and p.id <> all($1::uuid[]) and {_ARRIVED}
 order by p.occurred_at, p.id limit $2
"""
_END = f"""
update loyalty.parked_return set state = 'ENDED', settled_at = $1
 where id in (select p.id from loyalty.parked_return p
               where p.state = 'PARKED' and p.ends_at <= $1 and not {_ARRIVED}
               order by p.ends_at limit $2 for update skip locked)
   and state = 'PARKED'
"""


class ParkedReturns:
    """The duty that ends what waited too long; a purchase that came by then is honoured."""

    name = "parked"

    async def slice(self, visit: Visit) -> int:
        async with visit.transaction() as connection:
            ended = int((await connection.execute(_END, visit.now, SLICE)).split()[-1])
        return ended + await apply_arrived(visit)


async def apply_arrived(visit: Visit) -> int:
    """Apply a slice of the parked returns whose purchase is there."""
    async with visit.transaction(read_only=True) as connection:
        left_out = visit.postponed.ids(visit.tenant_id, KIND, visit.now)
        rows = await connection.fetch(_WAITING, left_out, SLICE)
    if not rows:
        return 0
    requests = [parked_request(visit.recorder.plugins, Parked(**dict(row))) for row in rows]
    outcomes = await visit.record(requests)
    later = 0
    for request, outcome in zip(requests, outcomes, strict=True):
        assert request.parked_id is not None
        if isinstance(outcome, Refused) and outcome.code.retryable:
            visit.postponed.put(visit.tenant_id, KIND, request.parked_id, visit.now)
            later += 1
        else:  # settled, one way or the other: the recorder kept which
            visit.postponed.clear(visit.tenant_id, KIND, request.parked_id)
    return len(requests) - later
