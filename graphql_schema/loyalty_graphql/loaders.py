"""Loaders of one operation: a page of members costs the same few statements as one member.

Never shared between operations: a batch runs in the context of whoever scheduled it. What they hold
goes with the last who refers to them: nothing that they refer to leads back, or each page of
members would be left to the garbage collector, with a thousand objects.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar
from uuid import UUID

from strawberry.dataloader import DataLoader

from loyalty import journal, members
from loyalty.cache.cached_balance import CachedBalance
from loyalty.facts import MemberRef
from loyalty.journal import JournalFact
from loyalty.ledger.statement import Page
from loyalty.owners import Holder
from loyalty.redemptions import RedemptionView
from loyalty.units import Unit
from loyalty.view import MemberView
from loyalty_graphql.reads import Movements, Reads

K = TypeVar("K")
V = TypeVar("V")


class Loaders:
    """Answers are remembered, errors too."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self._of_plugins: dict[Any, DataLoader[Any, Any]] = {}

    # Each is made when it is first asked: most operations want one or two.

    @cached_property
    def member(self) -> DataLoader[MemberRef, MemberView | None]:
        return DataLoader(self._reads.members)

    @cached_property
    def identifiers(self) -> DataLoader[UUID, Sequence[str]]:
        return DataLoader(self._reads.by(members.identifiers_of, ()))

    @cached_property
    def fact(self) -> DataLoader[UUID, JournalFact | None]:
        return DataLoader(self._reads.by(journal.by_ids, None))

    @cached_property
    def cause(self) -> DataLoader[UUID, str]:
        """The kinds of facts."""
        return DataLoader(self._reads.by(journal.kinds, ""))

    @cached_property
    def decision(self) -> DataLoader[UUID, Any]:
        return DataLoader(self._reads.by(journal.decisions, None))

    @cached_property
    def returns(self) -> DataLoader[UUID, Sequence[JournalFact]]:
        return DataLoader(self._reads.by(journal.returns_of, ()))

    @cached_property
    def redemption(self) -> DataLoader[UUID, RedemptionView | None]:
        return DataLoader(self._reads.redemptions)

    @cached_property
    def statement(self) -> DataLoader[Page, Movements]:
        """Refused: UNIT_NOT_FOUND for a page of what is no unit of the tenant."""
        return DataLoader(self._reads.statements)

    @cached_property
    def holding(self) -> DataLoader[tuple[Holder, str, int], CachedBalance]:
        return DataLoader(self._reads.holdings)

    @cached_property
    def holdings(self) -> DataLoader[UUID, list[tuple[Unit, CachedBalance]]]:
        return DataLoader(self._reads.all_holdings)

    def of(
        self, query: Callable[[Any, list[K]], Awaitable[Mapping[K, V]]], missing: V
    ) -> DataLoader[K, V]:
        """A plugin's own: `query(connection, keys)` answers by key what a page asks for at once."""
        if query not in self._of_plugins:
            self._of_plugins[query] = DataLoader(self._reads.by(query, missing))
        return self._of_plugins[query]
