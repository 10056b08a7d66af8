"""Facts that were stored to be settled later: each once, in order, and never after it was called
off. Success is marked by the append itself, in the same transaction."""

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from loyalty.errors import Refused
from loyalty.facts import FactReversed, MemberRef
from loyalty.jobs.postponed import pause
from loyalty.jobs.timeline import Item
from loyalty.jobs.visit import ACTOR, Visit
from loyalty.recorder.each import Outcome
from loyalty.settlement.request import Follows, Request

UNKNOWN_PAUSE = timedelta(minutes=10)
log = logging.getLogger(__name__)

# What undoes a fact waits until that fact is settled, however often that one fails before.
_DUE = """
select d.id, d.cause_id, d.root_id, d.hop, d.kind, d.member_id, d.payload, d.due_at
  from loyalty.due_fact d
 where d.state = 'WAITING' and d.due_at <= $1 and (d.retry_at is null or d.retry_at <= $1)
   and case when d.kind = $2 and d.payload ->> 'reversed_scope' = 'follow' then not exists (
         select 1 from loyalty.due_fact b
          where b.id = (d.payload ->> 'reversed_key')::uuid and b.state = 'WAITING')
       else true end
 order by d.due_at, d.id limit $3
"""
_REFUSE = """
update loyalty.due_fact set state = 'REFUSED', reason = $2 where id = $1 and state = 'WAITING'
"""
_RETRY = """
update loyalty.due_fact set attempts = attempts + 1, retry_at = $2
 where id = $1 and state = 'WAITING' returning attempts
"""


class FollowOns:
    """A fact of a plugin that is not installed here waits; that is logged once."""

    RANK = 3  # after what ended at the same instant

    def __init__(self) -> None:
        self._unknown: set[str] = set()

    async def find(self, connection: Any, visit: Visit, limit: int) -> Sequence[Item]:
        found = []
        for row in await connection.fetch(_DUE, visit.now, FactReversed.KIND, limit):
            request = self._request(visit, row)
            if request is None:
                await connection.fetchval(_RETRY, row["id"], visit.now + UNKNOWN_PAUSE)
            else:
                item = Item(
                    at=row["due_at"], rank=self.RANK, id=row["id"], request=request, finder=self
                )
                found.append(item)
        return found

    async def failed(
        self, connection: Any, visit: Visit, items: Sequence[tuple[Item, Outcome]]
    ) -> int:
        settled = 0
        for item, outcome in items:
            if not isinstance(outcome, Refused):
                continue  # another worker was faster
            if outcome.code.retryable:
                await self._later(connection, visit, item)
            else:
                log.warning("%s %s is refused: %r", item.request.fact.KIND, item.id, outcome)
                await connection.execute(_REFUSE, item.id, reason_of(outcome))
                settled += 1
        return settled

    async def _later(self, connection: Any, visit: Visit, item: Item) -> None:
        attempts = await connection.fetchval(
            "select attempts from loyalty.due_fact where id = $1", item.id
        )
        await connection.fetchval(_RETRY, item.id, visit.now + pause(attempts + 1))

    def _request(self, visit: Visit, row: Any) -> Request | None:
        """The request that settles a stored fact; None where this process cannot read it."""
        codec, member_id = visit.recorder.plugins.codec, row["member_id"]
        member = None if member_id is None else MemberRef(id=member_id)
        try:
            fact = codec.load(row["kind"], row["payload"], member)
        except (KeyError, ValidationError) as error:
            if row["kind"] not in self._unknown:
                self._unknown.add(row["kind"])
                log.warning("facts of kind %s wait: %s cannot be read here", row["kind"], error)
            return None
        follows = Follows(
            due_id=row["id"], cause_id=row["cause_id"], root_id=row["root_id"], hop=row["hop"]
        )
        return Request(fact=fact, actor=ACTOR, follows=follows, any_time=True)


def reason_of(refused: Refused) -> dict[str, Any]:
    """A refusal as it is kept beside what was refused."""
    return {"code": refused.code, "field": refused.field, "message": refused.message}
