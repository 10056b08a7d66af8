"""Single flight: while a balance is being asked of Postgres, others who want it wait for that."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextvars import Context
from uuid import UUID

from loyalty.cache.cached_balance import CachedBalance
from loyalty.owners import Holder

Want = tuple[Holder, str]
"""A member, or another owner, and the code of a unit."""

Load = Callable[[Sequence[Want]], Awaitable[Mapping[Want, CachedBalance]]]
"""Asks Postgres, in a transaction of its own: it runs in a task and a context of its own."""

Versions = Mapping[Want, int]


class Flights:
    """The loads under way in this process."""

    def __init__(self) -> None:
        self._flying: dict[tuple[UUID, Want], asyncio.Task[Mapping[Want, CachedBalance]]] = {}

    async def load(
        self, tenant: UUID, wants: Iterable[Want], load: Load, min_version: Versions
    ) -> dict[Want, CachedBalance]:
        """What `load` answers for `wants`, or what a load already under way does.

        One that took off before the caller's own write may land below `min_version`; any that
        takes off after it has landed is new enough, so twice is enough.
        """
        wanted = list(dict.fromkeys(wants))
        joined = [want for want in wanted if (tenant, want) in self._flying]
        answers = await self._round(tenant, wanted, load)
        behind = [
            want
            for want in joined
            if want in answers and answers[want].version < min_version.get(want, 0)
        ]
        if behind:
            answers |= await self._round(tenant, behind, load)
        return answers

    async def close(self) -> None:
        flying = set(self._flying.values())
        for flight in flying:
            flight.cancel()
        await asyncio.gather(*flying, return_exceptions=True)

    async def _round(
        self, tenant: UUID, wants: Sequence[Want], load: Load
    ) -> dict[Want, CachedBalance]:
        alone = [want for want in wants if (tenant, want) not in self._flying]
        if alone:
            self._take_off(tenant, alone, load)
        flights = {want: self._flying[tenant, want] for want in wants}
        # Shielded: a caller that goes away must not take the others' answer with it.
        landed = {
            flight: await asyncio.shield(flight) for flight in dict.fromkeys(flights.values())
        }
        return {
            want: landed[flight][want] for want, flight in flights.items() if want in landed[flight]
        }

    def _take_off(self, tenant: UUID, wants: Sequence[Want], load: Load) -> None:
        # A fresh context: the first caller's open transaction is not the others' to read in.
        flight = asyncio.create_task(_awaited(load, wants), context=Context())

        def landed(task: asyncio.Task[Mapping[Want, CachedBalance]]) -> None:
            for want in wants:
                del self._flying[tenant, want]
            if not task.cancelled():
                task.exception()  # seen, also where every caller has gone away

        for want in wants:
            self._flying[tenant, want] = flight
        flight.add_done_callback(landed)


async def _awaited(load: Load, wants: Sequence[Want]) -> Mapping[Want, CachedBalance]:
    return await load(wants)
