"""Is a pooler (PgBouncer) between us and PostgreSQL, and what does it keep for its clients?"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import asyncpg

log = logging.getLogger(__name__)


class BehindPooler(Exception):
    """What needs a session of its own was sent through a pooler."""


async def is_pooled(connection: Any) -> bool:
    """Whether whom we greeted is not the process that answers: then a pooler is in between."""
    greeted: int = connection.get_server_pid()
    return bool(greeted != await connection.fetchval("select pg_backend_pid()"))


@asynccontextmanager
async def session(dsn: str) -> AsyncIterator[Any]:
    """A connection straight to PostgreSQL: what it locks or sets lasts until it ends.

    :raises BehindPooler: a pooler is in between, which may give each transaction another session
    """
    connection = await asyncpg.connect(dsn, statement_cache_size=0)
    try:
        if await is_pooled(connection):
            raise BehindPooler(
                "the address leads through a pooler: roles and locks need a session of their own"
            )
        yield connection
    finally:
        await connection.close()


async def keeps_statements(connection: Any) -> bool:
    """Whether a prepared statement is still there in the next transaction.

    It is on a direct connection, and where the pooler prepares it anew for whichever session a
    transaction gets. PgBouncer does so from 1.21 on, with `max_prepared_statements` above nought:
    by names of its own, while one that knows nothing of them passes ours on. The connection is one
    without a cache of statements.
    """
    if not await is_pooled(connection):
        return True
    name = f"loyalty_{uuid4().hex}"
    async with connection.transaction():
        prepared = await connection.prepare("select 1", name=name)  # until nobody holds it
        passed_on = await connection.fetchval(_NAMED, prepared.get_name())
        if passed_on:
            await connection.execute(f"deallocate {name}")
    if passed_on:
        log.warning("the pooler keeps no prepared statements: each is parsed anew, which is slower")
    return not passed_on


_NAMED = "select exists (select from pg_catalog.pg_prepared_statements where name = $1)"
