"""What a plugin's job named and was refused: kept with why, and tried again by itself.

One member of whom something can not be recorded holds up nobody else, and no job. It is tried again
after an hour, two, four, ... and then once a day, for as long as it is refused; an error of ours
sooner. Who left in the meantime is left alone, and what another worker recorded is recorded.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from loyalty.errors import Code, Refused
from loyalty.facts import FactKey, MemberRef
from loyalty.ids import new_id
from loyalty.jobs import schedule, sides
from loyalty.jobs.follow_ons import UNKNOWN_PAUSE, reason_of
from loyalty.jobs.postponed import pause
from loyalty.jobs.schedule import JobRow
from loyalty.jobs.visit import ACTOR, SLICE, Visit
from loyalty.plugin import Connection
from loyalty.recorder.each import Outcome
from loyalty.settlement.request import Request

KIND = "again"
FIRST, LONGEST = timedelta(hours=1), timedelta(days=1)
OF_ALL = frozenset({Code.OVERLOADED, Code.TENANT_SUSPENDED, Code.UNAVAILABLE})
NO_MORE = frozenset({Code.MEMBER_CLOSED, Code.IDEMPOTENCY_MISMATCH})
log = logging.getLogger(__name__)

# Of two workers that were refused the same at once, the first one's row stands.
_NOTE = """
insert into loyalty.refused_due as r (tenant_id, scope, key, id, job, kind, member_id, payload,
    due_at, reason, refused_at, retry_at)
  values (loyalty.tenant(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict do nothing
"""
_STANDING = "select key from loyalty.refused_due where scope = $1 and key = any($2::text[])"
_DUE = """
select key, kind, member_id, payload, attempts from loyalty.refused_due
 where scope = $1 and retry_at <= $2 order by retry_at, key limit $3
"""
_LATER = """
update loyalty.refused_due set reason = coalesce($3, reason), attempts = $4, retry_at = $5
 where scope = $1 and key = $2
"""
_DONE = "delete from loyalty.refused_due where scope = $1 and key = any($2::text[])"
_NEXT = "select min(retry_at) from loyalty.refused_due where scope = $1"


def about_all(outcome: Outcome) -> bool:
    """Whether it says something about the platform or the tenant, not about what was named."""
    return isinstance(outcome, Refused) and outcome.code in OF_ALL


async def standing(
    connection: Connection, scope: str, requests: Sequence[Request]
) -> list[Request]:
    """These without those that were refused before and wait for their time."""
    keys = [key.key for request in requests if (key := request.natural_key) is not None]
    rows = await connection.fetch(_STANDING, scope, keys) if keys else ()
    left_out = {row["key"] for row in rows}
    return [one for one in requests if one.natural_key and one.natural_key.key not in left_out]


async def note(
    visit: Visit, plugin: str, job: str, refused: Sequence[tuple[Request, Refused]]
) -> int:
    """Keep what was refused until it is tried again; answers of how much nobody had done so."""
    refused = [(one, why) for one, why in refused if why.code not in NO_MORE]
    if not refused:
        return 0
    noted, codec = 0, visit.recorder.plugins.codec
    async with visit.transaction() as connection:
        for request, why in refused:
            key, member = request.natural_key, request.fact.member
            assert key is not None, "a job names it"
            status = await connection.execute(
                _NOTE, key.scope, key.key, new_id(), f"{plugin}/{job}", request.fact.KIND,
                None if member is None else member.id, dict(request.payload(codec)),
                request.fact.occurred_at, reason_of(why), visit.now, visit.now + _after(why, 1),
            )  # fmt: skip
            noted += status == "INSERT 0 1"
            log.warning("%s/%s named %s: %r; it is tried again", plugin, job, key, why)
        soonest = await connection.fetchval(_NEXT, f"job:{plugin}")
        await schedule.soon(connection, f"{KIND}:{plugin}", soonest)
    return noted


class Again:
    """Tries again what was refused to the jobs of one plugin, under the keys that it had."""

    async def run(self, visit: Visit, row: JobRow) -> int:
        scope = f"job:{row.which}"
        async with visit.transaction() as connection:
            rows = await connection.fetch(_DUE, scope, visit.now, SLICE)
            found = [(one, request) for one in rows if (request := _request(visit, scope, one))]
            for one in rows if len(found) < len(rows) else ():
                if all(one is not known for known, _ in found):
                    later = visit.now + UNKNOWN_PAUSE
                    await connection.execute(
                        _LATER, scope, one["key"], None, one["attempts"], later
                    )
        requests = [request for _, request in found]
        outcomes = await sides.record(visit, requests, [None] * len(requests))
        if any(map(about_all, outcomes)):
            raise RuntimeError(f"what was refused to {row.which} could not be tried again")
        async with visit.transaction() as connection:
            await _settle(connection, visit.now, scope, found, outcomes)
            soonest = await connection.fetchval(_NEXT, scope)
            await schedule.move_on(connection, row, soonest or visit.now + LONGEST)
        return len(found)


async def _settle(
    connection: Connection, now: datetime, scope: str, found: Sequence[tuple[Any, Request]],
    outcomes: Sequence[Outcome],
) -> None:  # fmt: skip
    done = []
    for (row, _), outcome in zip(found, outcomes, strict=True):
        if isinstance(outcome, Refused) and outcome.code not in NO_MORE:
            attempts = row["attempts"] + 1
            later = now + _after(outcome, attempts)
            await connection.execute(_LATER, scope, row["key"], reason_of(outcome), attempts, later)
        else:
            done.append(row["key"])
    await connection.execute(_DONE, scope, done)


def _request(visit: Visit, scope: str, row: Any) -> Request | None:
    """None where this process cannot read it: it is of a plugin that is not installed here."""
    member = None if row["member_id"] is None else MemberRef(id=row["member_id"])
    try:
        fact = visit.recorder.plugins.codec.load(row["kind"], row["payload"], member)
    except (KeyError, ValidationError) as error:
        log.warning("%s of kind %s waits: %s cannot be read here", row["key"], row["kind"], error)
        return None
    return Request(fact=fact, actor=ACTOR, key=FactKey(scope, row["key"]), any_time=True)


def _after(refused: Refused, attempts: int) -> timedelta:
    """How long it is left alone after so many attempts."""
    if refused.code.retryable:
        return pause(attempts)
    return min(FIRST * (1 << min(attempts - 1, 10)), LONGEST)
