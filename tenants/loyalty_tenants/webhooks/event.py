"""Events: what is said of a fact, in the very bytes that are signed and sent on every try."""

import logging
from collections.abc import Collection, Iterator, Set
from dataclasses import dataclass
from uuid import UUID, uuid5

import orjson

from loyalty.jobs.outbox import OutboxRow
from loyalty_tenants.webhooks.data import Shape
from loyalty_tenants.webhooks.scene import Scene
from loyalty_tenants.webhooks.told import moved
from loyalty_tenants.webhooks.topics import EVERYTHING, Topics, name_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """`line`: the member it is about, or itself; endpoints are told a line's events in order."""

    id: UUID
    topic: str
    line: UUID
    body: str


def envelope(topic: str, timestamp: str, said: Shape) -> str:
    """The payload as text."""
    content = {"type": topic, "timestamp": timestamp, "data": said.model_dump(by_alias=True)}
    return orjson.dumps(content).decode()


def events(
    rows: Collection[OutboxRow], scene: Scene, topics: Topics, wanted: Set[str]
) -> tuple[list[Event], set[UUID]]:
    """The events of the wanted topics in the order of their rows, and the rows that failed."""
    made: list[Event] = []
    failed: set[UUID] = set()
    for row in rows:
        try:
            made += list(_events_of(row, scene, topics, wanted))
        except Exception:  # a mistake of ours: one fact waits, and the others go on
            log.exception("outbox row %s could not be put into words", row.id)
            failed.add(row.id)
    return made, failed


def _events_of(row: OutboxRow, scene: Scene, topics: Topics, wanted: Set[str]) -> Iterator[Event]:
    """The fact itself, then what it moved; each under an id that follows from the row's."""
    if topics.leaves(row.topic):
        if (known := topics.teller(row.topic)) is None:
            if wanted & {EVERYTHING, name_of(row.topic)}:
                raise LookupError(f"no plugin that is installed here publishes {row.topic}")
            return
        topic, tell = known
        if topic in wanted:
            said = tell(row, scene)
            body = envelope(topic, said.occurred_at, said)
            yield Event(id=row.id, topic=topic, line=row.member_id or row.id, body=body)
    for posting in scene.postings.get(row.fact_id, ()) if row.content is None else ():
        topic = topics.values[posting["kind"]]
        if topic in wanted:
            said = moved(row, posting, scene)
            ident = uuid5(row.id, f"posting {posting['seq']}")
            body = envelope(topic, said.occurred_at, said)
            yield Event(id=ident, topic=topic, line=row.member_id or ident, body=body)
