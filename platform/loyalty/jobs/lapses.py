"""Holds whose time is over: their lots go back as they were."""

from collections.abc import Sequence
from typing import Any

from loyalty.errors import Refused
from loyalty.facts import HoldLapsed
from loyalty.jobs.timeline import Item
from loyalty.jobs.visit import ACTOR, Visit
from loyalty.recorder.each import Outcome
from loyalty.settlement.request import Request

_DUE = """
select r.id, r.held_until from loyalty.redemption r
 where r.state = 'HELD' and r.held_until <= $1 and r.id <> all($2::uuid[])
 order by r.held_until limit $3
"""


class HoldLapses:
    """A hold that was settled in the meantime refuses to lapse and stays as it is."""

    RANK = 1
    KIND = "lapse"

    async def find(self, connection: Any, visit: Visit, limit: int) -> Sequence[Item]:
        left_out = visit.postponed.ids(visit.tenant_id, self.KIND, visit.now)
        rows = await connection.fetch(_DUE, visit.now, left_out, limit)
        return [
            Item(
                at=row["held_until"],
                rank=self.RANK,
                id=row["id"],
                request=Request(
                    fact=HoldLapsed(occurred_at=row["held_until"], redemption_id=row["id"]),
                    actor=ACTOR,
                ),
                finder=self,
            )
            for row in rows
        ]

    async def failed(
        self, connection: Any, visit: Visit, items: Sequence[tuple[Item, Outcome]]
    ) -> int:
        for item, outcome in items:
            if isinstance(outcome, Refused):
                visit.postponed.put(visit.tenant_id, self.KIND, item.id, visit.now)
        return 0
