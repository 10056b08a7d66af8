"""A member's exchanges with partners."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import strawberry

from loyalty.plugin import Connection
from loyalty_graphql.context import RequestInfo
from loyalty_graphql.members import Member
from loyalty_partners.graphql.exchanges import PartnerExchange, shown_exchange

NO_EXCHANGES: Sequence[Any] = ()
SHOWN_MAX = 100


@strawberry.field
async def partner_exchanges(
    root: strawberry.Parent[Member], info: RequestInfo
) -> list[PartnerExchange]:
    """The member's exchanges with partners, newest first, at most 100."""
    rows = await info.context.loaders.of(exchanges_of, NO_EXCHANGES).load(root.key)
    setup = await info.context.setup()
    return [shown_exchange(row, setup) for row in rows]


async def exchanges_of(
    connection: Connection, members: Sequence[UUID]
) -> Mapping[UUID, Sequence[Any]]:
    """The newest exchanges of each of these members."""
    rows = await connection.fetch(
        """select m.*, a.partner, l.state as leg,
                  exists (select from loyalty.partners_movement r
                           where r.tenant_id = m.tenant_id and r.of_id = m.id
                             and r.kind = 'REVERSAL') as reversed
             from unnest($1::uuid[]) w (id)
             cross join lateral (
               select * from loyalty.partners_movement m
                where m.tenant_id = (select loyalty.tenant()) and m.member_id = w.id
                  and m.kind = 'EXCHANGE' order by m.occurred_at desc, m.id desc limit $2) m
             join loyalty.partners_agreement a
               on (a.tenant_id, a.id) = (m.tenant_id, m.agreement_id)
             left join loyalty.partners_leg l on (l.tenant_id, l.id) = (m.tenant_id, m.id)
            order by m.occurred_at desc, m.id desc""",
        list(members),
        SHOWN_MAX,
    )
    found: dict[UUID, list[Any]] = {}
    for row in rows:
        found.setdefault(row["member_id"], []).append(row)
    return found
