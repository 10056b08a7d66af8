"""Loaders of one operation: a page of members costs the same few statements as one member.

Never shared between operations: a batch runs in the context of whoever scheduled it.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from strawberry.dataloader import DataLoader

from loyalty import journal, members, redemptions
from loyalty.cache.cached_balance import CachedBalance
from loyalty.facts import MemberRef
from loyalty.journal import JournalFact
from loyalty.ledger.balances import Want, holdings
from loyalty.ledger.statement import Entry, Page, statements
from loyalty.owners import Holder
from loyalty.redemptions import RedemptionView
from loyalty.view import MemberView

if TYPE_CHECKING:
    from loyalty_graphql.context import Context

K = TypeVar("K")
V = TypeVar("V")


class Loaders:
    """`least` are versions of balances that this operation wrote and so must not fall behind."""

    def __init__(self, context: "Context", least: Mapping[Want, int] | None = None) -> None:
        self._context = context
        self.least = least or {}
        self._of_plugins: dict[Any, DataLoader[Any, Any]] = {}

    # Each is made when it is first asked: most operations want one or two.

    @cached_property
    def member(self) -> DataLoader[MemberRef, MemberView | None]:
        return DataLoader(self._members)

    @cached_property
    def identifiers(self) -> DataLoader[UUID, Sequence[str]]:
        return DataLoader(self._read(members.identifiers_of, ()))

    @cached_property
    def fact(self) -> DataLoader[UUID, JournalFact | None]:
        return DataLoader(self._read(journal.by_ids, None))

    @cached_property
    def decision(self) -> DataLoader[UUID, Any]:
        return DataLoader(self._read(journal.decisions, None))

    @cached_property
    def returns(self) -> DataLoader[UUID, Sequence[JournalFact]]:
        return DataLoader(self._read(journal.returns_of, ()))

    @cached_property
    def redemption(self) -> DataLoader[UUID, RedemptionView | None]:
        return DataLoader(self._read(self._redemptions, None))

    @cached_property
    def statement(self) -> DataLoader[Page, Sequence[Entry]]:
        return DataLoader(self._read(statements, ()))

    @cached_property
    def holding(self) -> DataLoader[tuple[Holder, str, int], CachedBalance]:
        return DataLoader(self._holdings)

    @cached_property
    def holdings(self) -> DataLoader[UUID, Sequence[CachedBalance]]:
        return DataLoader(self._all_holdings)

    def of(
        self, query: Callable[[Any, list[K]], Awaitable[Mapping[K, V]]], missing: V
    ) -> DataLoader[K, V]:
        """A plugin's own: `query(connection, keys)` answers by key what a page asks for at once."""
        if query not in self._of_plugins:
            self._of_plugins[query] = DataLoader(self._read(query, missing))
        return self._of_plugins[query]

    def _read(
        self, query: Callable[[Any, list[K]], Awaitable[Any]], missing: V
    ) -> Callable[[list[K]], Awaitable[list[V]]]:
        """A batch function: one statement in a transaction of the caller's tenant."""

        async def load(keys: list[K]) -> list[V]:
            tenant_id = self._context.tenant_id
            async with self._context.api.database.tenant(tenant_id, read_only=True) as connection:
                found = await query(connection, keys)
            return [found.get(key, missing) for key in keys]

        return load

    async def _redemptions(self, connection: Any, ids: list[UUID]) -> Mapping[UUID, RedemptionView]:
        return await redemptions.by_ids(connection, ids, self._context.api.clock.now())

    async def _members(self, refs: list[MemberRef]) -> list[MemberView | None]:
        context = self._context
        return await context.api.lookups.members(context.tenant_id, refs)

    async def _holdings(self, keys: list[tuple[Holder, str, int]]) -> list[CachedBalance]:
        """Open lots of units, from the cache where it is fresh enough for everybody."""
        context, least = self._context, dict[Want, int]()
        for holder, unit, version in keys:
            want = holder, unit
            least[want] = max(version, least.get(want, 0), self.least.get(want, 0))

        async def load(wants: Sequence[Want]) -> dict[Want, CachedBalance]:
            async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
                return await holdings(connection, wants)

        found = await context.api.cache.read(
            context.tenant_id, list(least), load, min_version=least
        )
        return [found[holder, unit] for holder, unit, _ in keys]

    async def _all_holdings(self, members: list[UUID]) -> list[Sequence[CachedBalance]]:
        """Of each member what `_holdings` answers for every unit of the tenant, by code."""
        units = sorted((await self._context.setup()).units)
        found = await self._holdings([(member, unit, 0) for member in members for unit in units])
        return [found[n * len(units) : (n + 1) * len(units)] for n in range(len(members))]
