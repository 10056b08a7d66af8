"""What falls due at an instant, of all kinds, recorded in order of the instants.

A worker that was away for three days meets, in this order, a hold that lapsed on the first, points
whose term ended on the second and a fact that fell due on the third: as if it had been there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from loyalty.jobs import schedule, sides
from loyalty.jobs.visit import Visit
from loyalty.recorder.each import Outcome
from loyalty.settlement.request import Recorded, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Something due at `at`; `id` is whatever `finder` knows it by.

    What has a `lane` needs to keep its order only within it.
    """

    at: datetime
    rank: int
    id: UUID
    request: Request
    finder: "Finder"
    lane: UUID | None = None

    @property
    def order(self) -> tuple[datetime, int, UUID]:
        return self.at, self.rank, self.id


class Finder(Protocol):
    """Finds one kind of what is due. Of one instant, the lowest rank comes first."""

    async def find(self, connection: Any, visit: Visit, limit: int) -> Sequence[Item]:
        """The first `limit` items that are due, by instant."""

    async def failed(
        self, connection: Any, visit: Visit, items: Sequence[tuple[Item, Outcome]]
    ) -> int:
        """Note what was not recorded anew; answers how many of them are settled for good."""


class Timeline:
    """The duty that records due items of all finders in one order.

    A plugin's job has its turn in that order too: what lies behind its turn waits until it was
    asked, or points that a late job is to convert as of their day would have ended before.
    """

    name = "timeline"

    def __init__(self, finders: Sequence[Finder], *, size: int) -> None:
        self._finders = tuple(finders)
        self._size = size

    async def slice(self, visit: Visit) -> int:
        await visit.pace.look()
        async with visit.transaction() as connection:
            turn = await schedule.earliest(connection, schedule.PLUGIN, visit.now)
            until = replace(visit, now=turn or visit.now)
            found = [
                item
                for finder in self._finders
                for item in await finder.find(connection, until, self._size)
            ]
        items = sorted(found, key=lambda item: item.order)[: self._size]
        if not items:
            return 0
        outcomes = await sides.record(
            visit, [item.request for item in items], [item.lane for item in items]
        )
        failed = [
            (item, outcome)
            for item, outcome in zip(items, outcomes, strict=True)
            if not isinstance(outcome, Recorded) or outcome.replayed
        ]
        return len(items) - len(failed) + await self._note(visit, failed)

    async def _note(self, visit: Visit, failed: Sequence[tuple[Item, Outcome]]) -> int:
        if not failed:
            return 0
        settled = 0
        async with visit.transaction() as connection:
            for finder in self._finders:
                if own := [pair for pair in failed if pair[0].finder is finder]:
                    settled += await finder.failed(connection, visit, own)
        return settled
