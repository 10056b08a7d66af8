"""The inbox: what an outside system delivers, each event of it settled exactly once.

The facts of an event are recorded under keys derived from the sender's own event id, so a delivery
that comes twice, or half, or again after a crash, changes nothing more. The inbox row says what
became of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from loyalty.errors import Refused
from loyalty.facts import FactKey
from loyalty.given_id import check_ids, is_seen
from loyalty.plugin import InboundEvent
from loyalty.recorder.lane import Lanes
from loyalty.recorder.recorder import Recorder
from loyalty.settlement.request import Request

EVENTS_MAX = 500
EVENT_ID_MAX = 200


@dataclass(slots=True)
class Accepted:
    """What came of a delivery, by number of events."""

    recorded: int = 0
    known: int = 0
    ignored: list[dict[str, Any]] = field(default_factory=list)


class Unacceptable(ValueError):
    """A delivery that cannot be taken as it is, however often it comes."""


async def accept(
    lanes: Lanes, tenant_id: UUID, source: str, events: Sequence[InboundEvent]
) -> Accepted:
    """Record the facts of a delivery's events, in their order.

    An event whose facts are refused for good is kept as ignored, with the reason: sending it again
    would not help. `source` names the program, e.g. `stamps/card`.

    :raises Unacceptable: too many events, or an event without a usable id
    :raises Refused: INTERNAL or OVERLOADED: the sender should deliver again
    """
    if len(events) > EVENTS_MAX:
        raise Unacceptable(f"a delivery has at most {EVENTS_MAX} events")
    if not all(1 <= len(e.event_id) <= EVENT_ID_MAX and is_seen(e.event_id) for e in events):
        raise Unacceptable(f"an event id has 1 to {EVENT_ID_MAX} characters, all of them seen")
    refusals = [_refusal(event) for event in events]
    requests = [
        Request(
            fact=fact,
            actor=f"inbound:{source}",
            request_id=event.event_id,
            key=FactKey(f"in:{source}", f"{event.event_id}:{index}"),
        )
        for event, refused in zip(events, refusals, strict=True)
        if refused is None
        for index, fact in enumerate(event.facts)
    ]
    outcomes = iter(await lanes.record_many(tenant_id, requests))
    accepted, rows = Accepted(), []
    for event, refused in zip(events, refusals, strict=True):
        mine = [refused] if refused else [next(outcomes) for _ in event.facts]
        rows.append((source, event.event_id, _outcome(event, mine, accepted)))
    await _note(lanes.recorder, tenant_id, rows)
    return accepted


def _refusal(event: InboundEvent) -> Refused | None:
    """Why an event is not even tried: it names something by an id that may not be."""
    try:
        for fact in event.facts:
            check_ids(fact)
    except Refused as refused:
        return refused
    return None


def _outcome(event: InboundEvent, mine: Sequence[Any], accepted: Accepted) -> dict[str, Any]:
    """What the inbox keeps of one event."""
    refused = next((one for one in mine if isinstance(one, Refused)), None)
    if refused is not None and refused.code.retryable:
        raise refused
    if refused is not None:
        reason = {"code": refused.code, "field": refused.field, "message": refused.message}
        accepted.ignored.append({"eventId": event.event_id, **reason})
        return {"ignored": reason}
    if mine and all(one.replayed for one in mine):
        accepted.known += 1
    else:
        accepted.recorded += 1
    return {"facts": [str(one.fact_id) for one in mine]}


async def _note(recorder: Recorder, tenant_id: UUID, rows: Sequence[tuple[Any, ...]]) -> None:
    async with recorder.database.tenant(tenant_id) as connection:
        await connection.execute(
            """insert into loyalty.inbox (tenant_id, source, event_id, received_at, outcome)
               select loyalty.tenant(), s, e, $4, o
                 from unnest($1::text[], $2::text[], $3::jsonb[]) x(s, e, o) order by s, e
               on conflict do nothing""",
            [source for source, _, _ in rows],
            [event_id for _, event_id, _ in rows],
            [outcome for _, _, outcome in rows],
            recorder.clock.now(),
        )
