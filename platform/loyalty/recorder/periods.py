"""What members bought in whole periods, for the few returns that sums do not answer."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from loyalty.codec import Codec
from loyalty.facts import MemberRef
from loyalty.settlement.need_period import Period
from loyalty.settlement.sale import Sale

# By the member's own index; a purchase that was corrected since is all taken back by its returns.
_BOUGHT = """
select f.id, f.kind, f.payload, d.body,
       (select array_agg(rd.body order by r.id) from loyalty.fact r
          join loyalty.decision rd on (rd.tenant_id, rd.fact_id) = (r.tenant_id, r.id)
         where r.tenant_id = f.tenant_id and r.cause_id = f.id and r.kind = 'PurchaseReversed'
           and ($4::uuid is null or r.id < $4)) as returns,
       (select jsonb_object_agg(e.lot_id, e.amount) from (
          select u.lot_id, sum(u.amount) as amount
            from (select f.id union all
                  select r.id from loyalty.fact r where r.tenant_id = f.tenant_id
                     and r.cause_id = f.id and r.kind = 'PurchaseReversed') g(id)
            join loyalty.lot l on l.tenant_id = f.tenant_id and l.fact_id = g.id
             and l.remaining = 0
            join loyalty.lot_use u on (u.tenant_id, u.account_id, u.lot_id, u.kind)
               = (l.tenant_id, l.account_id, l.id, 'EXPIRE')
           group by u.lot_id) e) as ends
  from loyalty.fact f
  join loyalty.decision d on (d.tenant_id, d.fact_id) = (f.tenant_id, f.id)
 where f.tenant_id = (select loyalty.tenant()) and f.member_id = $1
   and f.kind = 'PurchaseRecorded' and f.occurred_at >= $2 and f.occurred_at < $3
   and ($4::uuid is null or f.id < $4)
 order by f.id
"""


async def periods_of(
    connection: Any, wanted: Collection[Period], codec: Codec, *, until: UUID | None = None
) -> dict[Period, list[Sale]]:
    """Each period's purchases in the order of recording, as they were before the fact `until`, if
    one is given; no statement where none is wanted."""
    found: dict[Period, list[Sale]] = {}
    for period in wanted:
        rows = await connection.fetch(_BOUGHT, *period, until)
        found[period] = [_sale(row, period.member_id, codec) for row in rows]
    return found


def _sale(row: Any, member_id: UUID, codec: Codec) -> Sale:
    body = row["body"] or {}
    fact = codec.load(row["kind"], row["payload"], MemberRef(id=member_id))
    sale = Sale(
        fact_id=row["id"], member_id=member_id, fact=fact, grants=body.get("grants", []),
        emitted=body.get("emitted", ()), ends=row["ends"] or {},
    )  # fmt: skip
    for returned in row["returns"] or ():
        if returned and "returned" in returned:
            sale.with_return(returned)
    return sale
