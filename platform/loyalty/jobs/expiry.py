"""Lots that reached their term: one fact per account and instant, booked at that instant."""

import logging
from collections.abc import Sequence
from typing import Any

from loyalty.errors import Refused
from loyalty.facts import LotsDue, MemberRef
from loyalty.jobs.timeline import Item
from loyalty.jobs.visit import ACTOR, Visit
from loyalty.owners import Owner, holder_of
from loyalty.recorder.each import Outcome
from loyalty.settlement.expiring import NothingDue
from loyalty.settlement.request import Request

log = logging.getLogger(__name__)

_DUE = """
select l.expires_at, a.id as account_id, a.owner_kind, a.owner_id, a.unit, a.version
  from loyalty.lot l
  join loyalty.account a on (a.tenant_id, a.id) = (l.tenant_id, l.account_id)
 where l.remaining > 0 and l.expires_at <= $1 and l.account_id <> all($2::uuid[])
 order by l.expires_at limit $3
"""


class LotExpiry:
    """Another worker that was here before leaves nothing due, and nothing is written then."""

    RANK = 2  # after holds that lapse at the same instant and give their lots back
    KIND = "expiry"

    async def find(self, connection: Any, visit: Visit, limit: int) -> Sequence[Item]:
        left_out = visit.postponed.ids(visit.tenant_id, self.KIND, visit.now)
        rows = await connection.fetch(_DUE, visit.now, left_out, limit)
        due = {(row["account_id"], row["expires_at"]): row for row in rows}
        return [self._item(row) for row in due.values()]

    async def failed(
        self, connection: Any, visit: Visit, items: Sequence[tuple[Item, Outcome]]
    ) -> int:
        """An account of which several ends failed failed once. Where another worker was here before
        nothing did: the two meet less if this one leaves the account alone for a moment."""
        refused = {item.id: outcome for item, outcome in items if isinstance(outcome, Refused)}
        for account_id, outcome in refused.items():
            if isinstance(outcome, NothingDue):
                visit.postponed.rest(visit.tenant_id, self.KIND, account_id, visit.now)
            else:
                log.warning("what ended of account %s could not be booked: %r", account_id, outcome)
                visit.postponed.put(visit.tenant_id, self.KIND, account_id, visit.now)
        return 0

    def _item(self, row: Any) -> Item:
        holder = holder_of(row["owner_kind"], row["owner_id"])
        owner = holder if isinstance(holder, Owner) else None
        fact = LotsDue(
            member=MemberRef(id=row["owner_id"]) if owner is None else None,
            owner=owner,
            occurred_at=row["expires_at"],
            unit=row["unit"],
            version=row["version"],
        )
        return Item(
            at=row["expires_at"],
            rank=self.RANK,
            id=row["account_id"],
            request=Request(fact=fact, actor=ACTOR),
            finder=self,
            lane=row["owner_id"],
        )
