"""A tenant's share of the pool: however much one tenant asks at once, connections are left."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from loyalty.errors import Code, Refused


@dataclass(slots=True)
class _Share:
    free: asyncio.Semaphore
    used_by: int = 0  # tasks that hold or wait for a part of it


class PoolShares:
    """`most` connections of one tenant at a time; the tenant's others wait for those."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._shares: dict[UUID, _Share] = {}

    def has_room(self, tenant_id: UUID) -> bool:
        """Whether a part of this tenant's share is free."""
        share = self._shares.get(tenant_id)
        return share is None or not share.free.locked()

    @asynccontextmanager
    async def part(self, tenant_id: UUID, seconds: float) -> AsyncIterator[None]:
        """Hold a part of the tenant's share while the block runs.

        :raises Refused: OVERLOADED, none came free in time
        """
        share = self._shares.get(tenant_id)
        if share is None:
            share = self._shares[tenant_id] = _Share(asyncio.Semaphore(self._most))
        share.used_by += 1
        try:
            await _acquired(share.free, seconds)
            try:
                yield
            finally:
                share.free.release()
        finally:
            share.used_by -= 1
            if not share.used_by:
                del self._shares[tenant_id]


def share_of(size: int) -> int:
    """The connections of a pool that one tenant may have at a time: three of five."""
    return max(1, size * 3 // 5)


async def _acquired(free: asyncio.Semaphore, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await free.acquire()
    except TimeoutError:
        raise Refused(
            Code.OVERLOADED, "this tenant asks for too much at once: try again shortly"
        ) from None
