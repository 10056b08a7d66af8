"""What was corrected by hand in the last day without a second person: those add up to a limit."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from loyalty.commands import AdjustBalance
from loyalty.settlement.batch import Batch, Corrected
from loyalty.settlement.request import Request

DAY = timedelta(days=1)
# The members are locked: nothing is corrected in between.
_CORRECTED = """
select f.member_id, f.payload ->> 'unit' as unit, (d.body ->> 'alone')::bigint > 0 as gives,
       sum(abs((d.body ->> 'alone')::bigint))::bigint as amount
  from loyalty.fact f
  join loyalty.decision d on (d.tenant_id, d.fact_id) = (f.tenant_id, f.id)
 where f.tenant_id = (select loyalty.tenant()) and f.member_id = any($1)
   and f.kind = 'AdjustBalance' and f.recorded_at > $2 and d.body ? 'alone'
 group by 1, 2, 3
"""


async def corrected_of(
    connection: Any, requests: Sequence[Request], batch: Batch
) -> dict[Corrected, int]:
    """By member, unit and direction; no statement where nobody asks."""
    members = [
        member.id
        for request in requests
        if isinstance(request.fact, AdjustBalance) and request.alone_up_to is not None
        if (member := batch.member_of(request.fact.member)) is not None
    ]
    if not members:
        return {}
    rows = await connection.fetch(_CORRECTED, members, batch.now - DAY)
    return {(row["member_id"], row["unit"], row["gives"]): row["amount"] for row in rows}
