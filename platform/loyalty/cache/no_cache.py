"""The cache that is switched off: Postgres answers everything, one load per want at a time."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from uuid import UUID

from loyalty.cache.balances import CacheCounts, News
from loyalty.cache.cached_balance import CachedBalance
from loyalty.cache.flights import Flights, Load, Versions, Want


class NoCache:
    """Balances where there is no Redis. Everything is a miss."""

    def __init__(self) -> None:
        self.counts = CacheCounts()
        self._flights = Flights()

    async def get_many(self, tenant: UUID, wants: Sequence[Want]) -> dict[Want, CachedBalance]:
        self.counts.note("misses", len(wants))
        return {}

    async def put_many(self, tenant: UUID, entries: Mapping[Want, CachedBalance]) -> None:
        """Keeps nothing."""

    def telling(self, news: Sequence[News]) -> Callable[[], Awaitable[bool]]:
        """Tells nobody."""
        return _nobody

    async def read(
        self,
        tenant: UUID,
        wants: Sequence[Want],
        load: Load,
        *,
        min_version: Versions | None = None,
    ) -> dict[Want, CachedBalance]:
        """Each want's balance by `load`, as `BalanceCache.read` does on a miss."""
        self.counts.note("misses", len(wants))
        return await self._flights.load(tenant, wants, load, min_version or {})

    async def close(self) -> None:
        await self._flights.close()


async def _nobody() -> bool:
    return False
