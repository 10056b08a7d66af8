"""What loaders ask: each answers many keys by one statement, or one read of the cache."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from loyalty import redemptions
from loyalty.cache.cached_balance import CachedBalance
from loyalty.facts import MemberRef
from loyalty.ledger import balances, statement
from loyalty.ledger.balances import Want
from loyalty.ledger.statement import Entry, Page
from loyalty.owners import Holder
from loyalty.plugin import Connection
from loyalty.redemptions import RedemptionView
from loyalty.setup import Setup
from loyalty.units import Unit
from loyalty.view import MemberView
from loyalty_graphql.caller import tenant_of
from loyalty_graphql.units import no_unit
from loyalty_tenants.principal import Principal

if TYPE_CHECKING:
    from loyalty_graphql.context import Api

K = TypeVar("K")
V = TypeVar("V")

Movements = tuple[Unit, Sequence[Entry]]


class Reads:
    """Those of one operation, in its caller's tenant.

    `least` are versions of balances that it wrote and so must not fall behind.
    """

    def __init__(
        self, api: "Api", principal: Principal | None, least: Mapping[Want, int] | None = None
    ) -> None:
        self._api = api
        self._principal = principal
        self.least = least or {}

    def by(
        self, query: Callable[[Any, list[K]], Awaitable[Any]], missing: V
    ) -> Callable[[list[K]], Awaitable[list[V]]]:
        """What `query(connection, keys)` answers by key, in a transaction of its own."""

        async def load(keys: list[K]) -> list[V]:
            async with self._transaction() as connection:
                return await in_order(query, missing, connection, keys)

        return load

    async def members(self, refs: list[MemberRef]) -> list[MemberView | None]:
        return await self._api.lookups.members(self._tenant_id, refs)

    async def redemptions(self, ids: list[UUID]) -> list[RedemptionView | None]:
        async with self._transaction() as connection:
            found = await redemptions.by_ids(connection, ids, self._api.clock.now())
        return [found.get(ident) for ident in ids]

    async def holdings(self, keys: list[tuple[Holder, str, int]]) -> list[CachedBalance]:
        """Open lots of units, from the cache where it is fresh enough for everybody."""
        least = dict[Want, int]()
        for holder, unit, version in keys:
            want = holder, unit
            least[want] = max(version, least.get(want, 0), self.least.get(want, 0))
        found = await self._held(least)
        return [found[holder, unit] for holder, unit, _ in keys]

    async def all_holdings(self, members: list[UUID]) -> list[list[tuple[Unit, CachedBalance]]]:
        """What members hold of every unit of the tenant, by code."""
        setup = await self._setup()
        units = [setup.units[code] for code in sorted(setup.units)]
        wants: list[Want] = [(member, unit.code) for member in members for unit in units]
        found = await self._held({want: self.least.get(want, 0) for want in wants})
        return [[(unit, found[member, unit.code]) for unit in units] for member in members]

    async def _held(self, least: Mapping[Want, int]) -> Mapping[Want, CachedBalance]:
        """Balances of at least these versions."""

        async def load(wants: Sequence[Want]) -> dict[Want, CachedBalance]:
            async with self._transaction() as connection:
                return await balances.holdings(connection, wants)

        return await self._api.cache.read(self._tenant_id, list(least), load, min_version=least)

    async def statements(self, pages: list[Page]) -> list[Movements | BaseException]:
        setup = await self._setup()
        async with self._transaction() as connection:
            return await movements(connection, setup, pages)

    @property
    def _tenant_id(self) -> UUID:
        return tenant_of(self._principal)

    def _transaction(self) -> AbstractAsyncContextManager[Any]:
        return self._api.database.tenant(self._tenant_id, read_only=True)

    async def _setup(self) -> Setup:
        return await self._api.setups.current(self._tenant_id)


async def in_order(
    query: Callable[[Any, list[K]], Awaitable[Any]],
    missing: V,
    connection: Connection,
    keys: list[K],
) -> list[V]:
    """What `query` answers by key, as a loader wants it."""
    found = await query(connection, keys)
    return [found.get(key, missing) for key in keys]


async def movements(
    connection: Connection, setup: Setup, pages: list[Page]
) -> list[Movements | BaseException]:
    """Pages of statements, each with its unit, or the refusal of what is none."""
    found = await statement.statements(
        connection, [one for one in pages if one.unit in setup.units]
    )
    return [
        (unit, found.get(page, ()))
        if (unit := setup.units.get(page.unit)) is not None
        else no_unit(setup, page.unit)
        for page in pages
    ]
