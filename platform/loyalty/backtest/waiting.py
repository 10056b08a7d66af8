"""Facts that follow from facts of a walk, until their time comes."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID


class FollowsLater(NamedTuple):
    """A row of due facts, as the settlement writes it."""

    id: UUID
    cause_id: UUID
    root_id: UUID
    hop: int
    sequence: int
    kind: str
    member_id: UUID | None
    payload: Any
    due_at: datetime


@dataclass(slots=True)
class Waiting:
    """In order of their instants; of one instant, in the order in which they came."""

    _heap: list[tuple[datetime, int, FollowsLater]] = field(default_factory=list)
    _called_off: set[UUID] = field(default_factory=set)
    _number: int = 0

    def add(self, later: FollowsLater) -> None:
        self._number += 1
        heapq.heappush(self._heap, (later.due_at, self._number, later))

    def call_off(self, due_id: UUID) -> None:
        self._called_off.add(due_id)

    def due(self, by: datetime) -> Iterator[FollowsLater]:
        """Take out what is due by an instant, also what is added meanwhile."""
        while self._heap and self._heap[0][0] <= by:
            _, _, later = heapq.heappop(self._heap)
            if later.id in self._called_off:
                self._called_off.discard(later.id)
            else:
                yield later
