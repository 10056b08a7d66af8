"""Setups of tenants as this process last read them; the epoch of each batch proves them current."""

import asyncio
from collections import OrderedDict
from contextvars import Context
from time import monotonic
from typing import Any
from uuid import UUID

from loyalty.database import Database
from loyalty.setup import Setup, SetupSource

TENANTS_MAX = 10_000
FRESH_SECONDS = 5.0


class Setups:
    def __init__(self, database: Database, source: SetupSource) -> None:
        self._database = database
        self._source = source
        self._known: OrderedDict[UUID, Setup] = OrderedDict()
        self._read_at: dict[UUID, float] = {}
        self._loading: dict[UUID, asyncio.Task[Setup]] = {}

    async def current(self, tenant_id: UUID) -> Setup:
        """The setup for reading: at most some seconds old, where a hint of a change got lost."""
        age = monotonic() - self._read_at.get(tenant_id, -FRESH_SECONDS)
        if age >= FRESH_SECONDS:
            self._known.pop(tenant_id, None)
        return await self.get(tenant_id)

    async def get(self, tenant_id: UUID) -> Setup:
        """The setup as last read; read now if it was not."""
        if (known := self._known.get(tenant_id)) is not None:
            self._known.move_to_end(tenant_id)
            return known
        # A page of members asks for it at once, and reads it once.
        if (loading := self._loading.get(tenant_id)) is None:
            # In a context of its own: it may outlive the operation that happens to begin it.
            loading = asyncio.create_task(self._load(tenant_id), context=Context())
            self._loading[tenant_id] = loading
        return await asyncio.shield(loading)

    async def _load(self, tenant_id: UUID) -> Setup:
        try:
            async with self._database.tenant(tenant_id, read_only=True) as connection:
                return await self.read(connection, tenant_id)
        finally:
            if self._loading.get(tenant_id) is asyncio.current_task():
                del self._loading[tenant_id]

    async def read(self, connection: Any, tenant_id: UUID) -> Setup:
        """Read the setup anew inside a transaction of the tenant."""
        setup = await self._source.load(connection, tenant_id)
        self._known[tenant_id] = setup
        self._read_at[tenant_id] = monotonic()
        if len(self._known) > TENANTS_MAX:
            oldest, _ = self._known.popitem(last=False)
            self._read_at.pop(oldest, None)
        return setup

    def forget(self, tenant_id: UUID) -> None:
        """A hint that it changed. Nothing relies on hints: the epoch does."""
        self._known.pop(tenant_id, None)
        self._read_at.pop(tenant_id, None)
        self._loading.pop(tenant_id, None)
