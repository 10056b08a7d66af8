"""A scratch database of everything that can own tables, the punch card's included."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from loyalty.migrate import migrate
from loyalty_app.logins import Addresses

Rolled = Callable[[], Any]


class _Undo(Exception):
    """Leaves a transaction so that nothing of it stays."""


@pytest.fixture(scope="session")
async def scratch(new_dsn: Callable[[], Awaitable[Addresses]]) -> Addresses:
    made = await new_dsn()
    await migrate(made.admin, ["loyalty_stamps"])
    return made


@pytest.fixture(scope="session")
async def superuser(scratch: Addresses) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(scratch.admin)
    yield connection
    await connection.close()


@pytest.fixture
def undone(superuser: Any) -> Rolled:
    """A transaction of the superuser that is rolled back, whatever happens in it."""

    @asynccontextmanager
    async def transaction() -> AsyncIterator[Any]:
        try:
            async with superuser.transaction():
                yield superuser
                raise _Undo
        except _Undo:
            pass

    return transaction
