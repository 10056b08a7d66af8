"""The balance cache: right or absent. It is read for show and never asked before a spend."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar
from uuid import UUID

from loyalty.cache.cached_balance import CachedBalance, OpenLot, balance_at, merged
from loyalty.cache.connection import Unanswered, Way
from loyalty.cache.encoding import decode, encode
from loyalty.cache.flights import Flights, Load, Versions, Want
from loyalty.cache.gathered import Gathered
from loyalty.cache.names import balance_key, balance_keys, channel_name, holder_channel
from loyalty.cache.recent import Recent
from loyalty.cache.script import Script
from loyalty.meters import CACHE_READS

__all__ = [
    "BalanceCache",
    "Balances",
    "CacheCounts",
    "CachedBalance",
    "Load",
    "News",
    "OpenLot",
    "Want",
    "balance_at",
    "merged",
]

T = TypeVar("T")
News = tuple[UUID, Want, CachedBalance, bytes]
"""A tenant's balance that moved, how it is kept from now on, and what its listeners are told."""

Call = tuple[UUID, Sequence[str], Sequence[str | bytes | int]]
"""One call of the script: a tenant, by which a cluster's node is found, keys and values."""

TTL_SECONDS = 30.0
JITTER_SECONDS = 5.0
ENTRIES_PER_CALL = 125  # A script blocks Redis for all: so many entries take well under 2 ms.
_RAISE = Script(Path(__file__).with_name("raise_version.lua").read_text())


@dataclass(slots=True)
class CacheCounts:
    """What happened since the process started. `stale`: older than the reader asked for."""

    hits: int = 0
    misses: int = 0
    stale: int = 0
    corrupt: int = 0
    errors: int = 0

    def note(self, answer: str, times: int = 1) -> None:
        """So many reads more came to this; `answer` is a field's name."""
        if times:
            setattr(self, answer, getattr(self, answer) + times)
            CACHE_READS.labels(answer).inc(times)


class Balances(Protocol):
    """Balances as a reader wants them, with a cache before Postgres or without one."""

    counts: CacheCounts

    async def get_many(self, tenant: UUID, wants: Sequence[Want]) -> dict[Want, CachedBalance]: ...

    async def put_many(self, tenant: UUID, entries: Mapping[Want, CachedBalance]) -> None: ...

    def telling(self, news: Sequence[News]) -> Callable[[], Awaitable[bool]]: ...

    async def read(
        self,
        tenant: UUID,
        wants: Sequence[Want],
        load: Load,
        *,
        min_version: Versions | None = None,
    ) -> dict[Want, CachedBalance]: ...

    async def close(self) -> None: ...


class BalanceCache:
    """Balances of all tenants in one Redis, or in one cluster.

    `epoch` names one life of the database (a restore begins another). Entries live `ttl` seconds
    and up to `jitter` more, so that those written together do not all end together. `seconds` is a
    clock that only goes forward.
    """

    def __init__(
        self,
        link: Way,
        *,
        epoch: str | int,
        ttl: float = TTL_SECONDS,
        jitter: float = JITTER_SECONDS,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self.counts = CacheCounts()
        self._link = link
        self._reads = Gathered(link)
        self._epoch = str(epoch)
        self._ttl = ttl
        self._jitter = jitter
        self._flights = Flights()
        self._recent = Recent(seconds)

    async def get_many(self, tenant: UUID, wants: Sequence[Want]) -> dict[Want, CachedBalance]:
        """The entries that are there, tombstones too. Never raises for a Redis in trouble."""
        try:
            found = await self._ask(tenant, wants)
        except Unanswered:
            return {}
        self.counts.note("hits", len(found))
        return found

    async def put_many(self, tenant: UUID, entries: Mapping[Want, CachedBalance]) -> None:
        """Write what is committed, each entry only where it raises the version that is there.

        Never raises for a Redis in trouble.
        """
        self._recent.drop(tenant, entries)
        try:
            for part in _parts(list(entries.items())):
                await self._run(self._call([(tenant, *one, None) for one in part]))
        except Unanswered:
            self.counts.note("errors")

    def telling(self, news: Sequence[News]) -> Callable[[], Awaitable[bool]]:
        """`put_many` of what was committed, and whoever listens to its owners hears of it, in one
        round trip: a listener that looks at once finds nothing older.

        It is written out now, which may be before the commit, and sent by who calls the answer.
        False where Redis is in trouble or full: who listens is yet to be told.
        """
        groups = [news] if self._link.one_server else _by_tenant(news)
        calls = [self._call(part) for group in groups for part in _parts(group)]
        return partial(self._tell, news, calls)

    async def _tell(self, news: Sequence[News], calls: Sequence[Call]) -> bool:
        for tenant, want, _, _ in news:
            self._recent.drop(tenant, [want])
        try:
            if len(calls) == 1:
                await self._run(calls[0])
            else:
                await self._side_by_side(calls)
        except Unanswered:
            self.counts.note("errors")
            return False
        return True

    async def _side_by_side(self, calls: Iterable[Call]) -> None:
        """Two at a time: while Redis works on one the next is on its way. Others come between."""
        left = iter(calls)

        async def some() -> None:
            for call in left:
                await self._run(call)

        for fault in await asyncio.gather(some(), some(), return_exceptions=True):
            if fault is not None:
                raise fault

    async def read(
        self,
        tenant: UUID,
        wants: Sequence[Want],
        load: Load,
        *,
        min_version: Versions | None = None,
    ) -> dict[Want, CachedBalance]:
        """Each want's balance, of at least its `min_version`: cached, or by `load` from Postgres.

        `load` gets what is missing and opens a transaction of its own; wants under way in this
        process are not loaded twice, nor, while Redis is in trouble, again within 100 ms. It
        answers all open lots, merged; no entry where there is no such balance (a balance of version
        0 is kept, an absence is not).
        """
        least = min_version or {}
        try:
            found, answered = await self._ask(tenant, wants), True
        except Unanswered:
            found, answered = self._recent.of(tenant, wants), False
        good = {want: entry for want, entry in found.items() if self._serves(want, entry, least)}
        missing = [want for want in wants if want not in good]
        self.counts.note("hits", len(good))
        if not missing:
            return good

        async def load_and_put(asked: Sequence[Want]) -> Mapping[Want, CachedBalance]:
            loaded = await load(asked)
            # A Redis that has just failed to answer costs this reader no second budget.
            if answered:
                await self.put_many(tenant, loaded)
            else:
                self._recent.keep(tenant, loaded)
            return loaded

        return good | await self._flights.load(tenant, missing, load_and_put, least)

    async def close(self) -> None:
        """End the loads and reads under way. The link belongs to whoever made it."""
        await self._flights.close()
        await self._reads.close()

    def _serves(self, want: Want, entry: CachedBalance, least: Versions) -> bool:
        if entry.version < least.get(want, 0):
            self.counts.note("stale")
            return False
        if entry.overflow:
            self.counts.note("misses")
        return not entry.overflow

    async def _ask(self, tenant: UUID, wants: Sequence[Want]) -> dict[Want, CachedBalance]:
        try:
            raws = await self._reads.get(tenant, balance_keys(tenant, self._epoch, wants))
        except Unanswered:
            self.counts.note("errors")
            raise
        decoded = zip(wants, map(self._decoded, raws), strict=True)
        return {want: entry for want, entry in decoded if entry is not None}

    def _decoded(self, raw: bytes | str | None) -> CachedBalance | None:
        if raw is None:
            self.counts.note("misses")
            return None
        entry = decode(raw) if isinstance(raw, bytes) else None
        if entry is None:
            self.counts.note("corrupt")
        return entry

    def _call(self, part: Sequence[tuple[UUID, Want, CachedBalance, bytes | None]]) -> Call:
        """Of one tenant, or of several where one server has them all; hints where there are any."""
        keys: list[str] = []
        values: list[str | bytes | int] = []
        hints: list[str | bytes] = []
        for tenant, (holder, unit), balance, hint in part:
            keys.append(balance_key(tenant, self._epoch, holder, unit))
            lifetime = self._ttl + random.random() * self._jitter
            values += (str(balance.version), encode(balance), max(1, round(lifetime * 1000)))
            if hint is not None:
                hints += (channel_name(tenant, holder_channel(holder)), hint)
        return part[0][0], keys, [*values, *hints]

    async def _run(self, call: Call) -> None:
        tenant, keys, values = call
        _, foreign = await self._link.ask(lambda redis: _RAISE.run(redis, keys, values), tenant)
        self.counts.note("corrupt", foreign)


def _parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), ENTRIES_PER_CALL):
        yield items[start : start + ENTRIES_PER_CALL]


def _by_tenant(news: Sequence[News]) -> list[list[News]]:
    tenants: dict[UUID, list[News]] = {}
    for one in news:
        tenants.setdefault(one[0], []).append(one)
    return list(tenants.values())
