"""A database that went away: how it shows, and what callers are told.

Told apart, because clients act on it: either nothing was begun (OVERLOADED), or something was and
nobody knows what came of it (UNAVAILABLE), perhaps only its answer was lost.
"""

from typing import Any

import asyncpg

from loyalty.errors import Code, Refused

# While a connection is made or used. asyncpg says InternalClientError where a server dies while it
# shakes hands, and InterfaceError where it has died already.
NOBODY_THERE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InternalClientError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
)


def nobody_answers(error: BaseException) -> bool:
    """Whether opening a connection failed because there is no server to talk to."""
    return isinstance(error, (*NOBODY_THERE, asyncpg.InterfaceError))


def lost(connection: Any, error: BaseException) -> bool:
    """Whether this error, or one that hides behind it, is the end of the connection."""
    if not isinstance(error, Exception) or isinstance(error, Refused):
        return False
    return isinstance(error, NOBODY_THERE) or _closed(connection)


def end(connection: Any) -> None:
    """End a connection whose state nobody knows."""
    if not _closed(connection):
        connection.terminate()


def _closed(connection: Any) -> bool:
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:  # closed, and the pool has taken it back already
        return True


def no_room(error: BaseException) -> bool:
    """Whether Postgres lacks disk or memory: reading goes on, writing not until there is more."""
    return isinstance(error, asyncpg.InsufficientResourcesError)


def full() -> Refused:
    return Refused(
        Code.OVERLOADED, "the database has no room left: nothing was written, try again later"
    )


def unavailable() -> Refused:
    return Refused(
        Code.UNAVAILABLE, "the database did not answer: send the same again under the same key"
    )
