"""A transaction of several tenants, as one of them sees it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from loyalty.database import begin, switch
from loyalty.recorder.loading import OPEN_BATCH
from loyalty.recorder.recorder import APPEND


class Sides:
    """A transaction of these tenants. Whoever has it speaks as one of them at a time."""

    def __init__(self, connection: Any, tenants: frozenset[UUID]) -> None:
        self.connection = connection
        self._tenants = tenants
        self._now: UUID | None = None  # whose rows are seen

    def of(self, tenant_id: UUID) -> "Side":
        """The transaction as this one's own."""
        if tenant_id not in self._tenants:
            raise ValueError(f"{tenant_id} is no side of this transaction")
        return Side(self, tenant_id)

    async def begin(self, tenant_id: UUID) -> None:
        await begin(self.connection, tenant_id)
        self._now = tenant_id

    async def commit(self) -> None:
        await self.connection.execute("commit")

    async def entered(self, tenant_id: UUID, query: str, *args: Any) -> str:
        """The statement to send so that it sees this tenant's rows: a call that names this tenant
        enters by itself, before any other a message does."""
        if self._now == tenant_id:
            return query
        entering = _ENTERING.get(query) if args[:1] == (tenant_id,) else None
        if entering is None:
            await switch(self.connection, tenant_id)
        self._now = tenant_id
        return entering or query


class Side:
    """A `Connection` that each statement goes through as this tenant's, whoever's came before."""

    def __init__(self, sides: Sides, tenant_id: UUID) -> None:
        self._sides = sides
        self._connection = sides.connection
        self._tenant_id = tenant_id

    async def fetch(self, query: str, *args: Any) -> Sequence[Any]:
        query = await self._sides.entered(self._tenant_id, query, *args)
        rows: Sequence[Any] = await self._connection.fetch(query, *args)
        return rows

    async def fetchrow(self, query: str, *args: Any) -> Any:
        query = await self._sides.entered(self._tenant_id, query, *args)
        return await self._connection.fetchrow(query, *args)

    async def fetchval(self, query: str, *args: Any) -> Any:
        query = await self._sides.entered(self._tenant_id, query, *args)
        return await self._connection.fetchval(query, *args)

    async def execute(self, query: str, *args: Any) -> str:
        query = await self._sides.entered(self._tenant_id, query, *args)
        done: str = await self._connection.execute(query, *args)
        return done

    async def executemany(self, command: str, args: Any) -> None:
        command = await self._sides.entered(self._tenant_id, command)
        await self._connection.executemany(command, args)


def _entering(query: str) -> str:
    """A call whose first argument is its tenant. Arguments are worked out before the call, so all
    that it does is this tenant's already."""
    entered = query.replace("($1,", "(set_config('app.tenant', ($1::uuid)::text, true)::uuid,", 1)
    assert entered != query, "it names its tenant first"
    return entered


_ENTERING = {query: _entering(query) for query in (OPEN_BATCH, APPEND)}
