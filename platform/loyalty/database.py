"""The pool and the tenant transaction: the only way to a connection.

One asyncpg pool. A tenant's transaction is opened with the tenant set (`SET LOCAL`, sent with BEGIN
in one round trip) and survives cancellation: a connection whose state is in doubt is terminated,
never handed back. A transaction inside another one for a different tenant is refused, because a
setting made inside would outlive the inner block.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg

from loyalty.array_items import ask_plain_classes
from loyalty.away import end, full, lost, no_room, nobody_answers, unavailable
from loyalty.errors import Code, Refused
from loyalty.json_codecs import json_in_binary
from loyalty.login_check import LOGIN_CHECK, POLICIES_ASK
from loyalty.meters import POOL_USED, POOL_WAIT_SECONDS
from loyalty.pool_shares import PoolShares, share_of
from loyalty.pooler import keeps_statements
from loyalty.pulse import Pulse
from loyalty.tracing import here, written

ACQUIRE_SECONDS = 1.0
log = logging.getLogger(__name__)
COMMAND_SECONDS = 10.0
STATEMENTS_KEPT = 100  # prepared ones, by a connection

_open_for: ContextVar[UUID | None] = ContextVar("tenant_of_transaction", default=None)


class _Connection(asyncpg.Connection):  # type: ignore[misc]
    def get_reset_query(self) -> str:
        # Only SET LOCAL is ever used here, so nothing needs resetting: one round trip less.
        return ""


class Database:
    """A pool of connections to one Postgres, as one of the serving roles."""

    def __init__(self, pool: Any, pulse: Pulse, acquire_timeout: float, tenants_share: int) -> None:
        self._pool = pool
        self._used: dict[Any, float] = {}  # connections in use, each since when
        self._pulse = pulse
        pulse.watch(self._longest, self._end_used)
        self._acquire_timeout = acquire_timeout
        self._shares = PoolShares(tenants_share)
        self.transactions = 0  # so many times a connection was had: each for one transaction

    @classmethod
    async def open(
        cls,
        dsn: str,
        *,
        size: int = 10,
        ready: int = 1,
        share: int | None = None,
        acquire_timeout: float = ACQUIRE_SECONDS,
        command_timeout: float = COMMAND_SECONDS,
        check: bool = True,
    ) -> "Database":
        """Open the pool; `ready` of its connections at once, the others when they are needed.

        One tenant has at most `share` of them at a time; three of five where that is not said.

        The address may lead through PgBouncer in transaction mode. Where that keeps no prepared
        statements for its clients, none are used.

        :raises UnsafeLogin: the login owns tables, is a superuser or bypasses row security
        """
        ask_plain_classes()
        pulse = Pulse(partial(asyncpg.connect, dsn, statement_cache_size=0))
        try:
            pool = await _pool(dsn, await pulse.open(), size, ready, command_timeout)
        except BaseException:
            await pulse.close()
            raise
        shared = share_of(size) if share is None else share
        database = cls(pool, pulse, acquire_timeout, shared)
        if check:
            try:
                await database.check_login()
            except BaseException:
                await database.close()
                raise
        return database

    async def close(self) -> None:
        await self._pulse.close()
        await self._pool.close()

    @property
    def idle(self) -> int:
        """Connections that are open and not in use."""
        return int(self._pool.get_idle_size())

    @property
    def size(self) -> int:
        return int(self._pool.get_size())

    def has_room(self, tenant_id: UUID) -> bool:
        """Whether a connection of this tenant's share could be had at once."""
        return len(self._used) < self._pool.get_max_size() and self._shares.has_room(tenant_id)

    @asynccontextmanager
    async def tenant(self, tenant_id: UUID, *, read_only: bool = False) -> AsyncIterator[Any]:
        """A connection inside a transaction of this tenant; committed when the block ends well.

        :raises Refused: OVERLOADED where no connection (or session of a pooler) came free in time;
            UNAVAILABLE where the database went away in the middle, and nobody knows whether it was
            committed
        """
        outer = _open_for.get()
        if outer is not None:
            raise RuntimeError(f"a transaction of tenant {outer} is open in this task already")
        async with self._shares.part(tenant_id, self._acquire_timeout):
            connection = await self._acquire()
            token = _open_for.set(tenant_id)
            try:
                await self._begin(connection, tenant_id, read_only)
                yield connection
                await connection.execute("commit")
            except BaseException as error:
                await self._give_up(connection, error)
                raise
            else:
                await self._release(connection)
            finally:
                _open_for.reset(token)

    @asynccontextmanager
    async def tenants(self) -> AsyncIterator[Any]:
        """A connection with no transaction yet, for what switches tenants on purpose.

        Only `record_pair` may use it; it begins, sets each tenant and commits by itself.
        """
        connection = await self._acquire()
        try:
            yield connection
        except BaseException as error:
            await self._give_up(connection, error)
            raise
        else:
            await self._release(connection)

    async def unscoped(self, query: str, *args: Any) -> Any:
        """One value of one of the narrow functions that answer before a tenant is known."""
        rows = await self.unscoped_rows(query, *args)
        return rows[0][0] if rows else None

    async def unscoped_rows(self, query: str, *args: Any) -> Any:
        """The rows of such a function."""
        connection = await self._acquire()
        try:
            rows = await connection.fetch(query, *args)
        except BaseException as error:
            await self._give_up(connection, error)
            raise
        await self._release(connection)
        return rows

    async def check_login(self) -> None:
        """Refuse a login that row security would not hold, or a schema where it does not hold."""
        connection = await self._acquire()
        try:
            reasons = [row["reason"] for row in await connection.fetch(LOGIN_CHECK)]
            if not reasons:
                # Over an empty table no plan need ask for the tenant: its policies are read then.
                with suppress(asyncpg.InsufficientPrivilegeError):
                    seen = await connection.fetchval("select count(*) from loyalty.tenant")
                    if seen or not await connection.fetchval(POLICIES_ASK):
                        reasons = ["a query without a tenant was answered instead of refused"]
        except BaseException as error:
            await self._give_up(connection, error)
            raise
        await self._release(connection)
        if reasons:
            raise UnsafeLogin(
                "refusing to serve with this database login: "
                + "; ".join(reasons)
                + ". Use the login role loyalty_app or loyalty_worker."
            )

    async def _acquire(self) -> Any:
        if not self._pulse.beats:
            raise Refused(Code.OVERLOADED, "the database does not answer: try again shortly")
        try:
            with POOL_WAIT_SECONDS.time():
                connection = await self._pool.acquire(timeout=self._acquire_timeout)
        except TimeoutError:
            raise Refused(
                Code.OVERLOADED, "no database connection came free in time: try again shortly"
            ) from None
        except Exception as error:
            if not nobody_answers(error):
                raise
            log.warning("the database does not answer: %r", error)
            raise Refused(
                Code.OVERLOADED, "the database does not answer: try again shortly"
            ) from None
        self.transactions += 1
        POOL_USED.inc()
        self._used[connection] = asyncio.get_running_loop().time()
        return connection

    async def _begin(self, connection: Any, tenant_id: UUID, read_only: bool) -> None:
        try:
            await begin(connection, tenant_id, read_only=read_only)
        except asyncpg.PostgresConnectionError:
            log.warning("a pooler had no session to give, or it was lost", exc_info=True)
            raise Refused(
                Code.OVERLOADED, "no database session came free in time: try again shortly"
            ) from None

    async def _give_up(self, connection: Any, error: BaseException) -> None:
        """Roll back after an error of ours; end a connection whose state nobody knows.

        :raises Refused: UNAVAILABLE: the error was the end of the connection; OVERLOADED: Postgres
            has no room
        """
        gone = lost(connection, error)
        try:
            if gone or not isinstance(error, Exception):
                end(connection)
            elif connection.is_in_transaction():
                await connection.execute("rollback")
        except BaseException as fault:  # cancelled in the middle of the rollback, for example
            end(connection)
            if not isinstance(fault, Exception):
                raise
        finally:
            await self._release(connection)
        if gone:
            log.warning("the database went away: %r", error)
            raise unavailable() from error
        if no_room(error):
            log.error("the database has no room left: %r", error)
            raise full() from error

    def _longest(self) -> float:
        """For how long the connection that is in use for longest has been, in seconds."""
        now = asyncio.get_running_loop().time()
        return now - min(self._used.values(), default=now)

    def _end_used(self) -> None:
        for connection in list(self._used):
            end(connection)

    async def _release(self, connection: Any) -> None:
        if self._used.pop(connection, None) is not None:
            POOL_USED.dec()
        await self._pool.release(connection)  # which shields itself from cancellation


async def _pool(dsn: str, other: Any, size: int, ready: int, command_timeout: float) -> Any:
    """The pool; `other` is a connection to the same database."""
    kept = STATEMENTS_KEPT if await keeps_statements(other) else 0
    return await asyncpg.create_pool(
        dsn,
        min_size=ready,
        max_size=size,
        command_timeout=command_timeout,
        connection_class=_Connection,
        init=json_in_binary,
        statement_cache_size=kept,
        server_settings={"application_name": "loyalty"},  # a pooler refuses most others
    )


class UnsafeLogin(Exception):
    """The database login could read or write past row-level security."""


async def begin(connection: Any, tenant_id: UUID, *, read_only: bool = False) -> None:
    """Begin a transaction of a tenant in one round trip. Only a parsed UUID reaches the text."""
    mode = " read only" if read_only else ""
    span = here()
    traced = f"; set local app.trace = '{written(span)}'" if span and not read_only else ""
    await connection.execute(
        f"begin{mode}; set local app.tenant = '{UUID(str(tenant_id))}'{traced}"
    )


async def switch(connection: Any, tenant_id: UUID) -> None:
    """Change the tenant of an open transaction: `record_pair` only."""
    await connection.execute(f"set local app.tenant = '{UUID(str(tenant_id))}'")
