"""A tenant with a referral program, told to the real server over HTTP."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from loyalty.jobs.worker import Worker
from loyalty_app.ledger import open_ledger
from loyalty_app.logins import Addresses
from loyalty_app.settings import Settings
from loyalty_app.worker import JOBS, PublishedVersions
from tests.graphql.brand import Brand, Server
from tests.graphql.conftest import http, make_brand, make_server, server
from tests.graphql.rows import TABLES
from tests.plugins.referrals.circle import FRIENDS, Circle

__all__ = ["http", "make_brand", "make_server", "server"]


@pytest.fixture(scope="session")
async def work(
    dsn: Addresses, valkey_url: str, server: Server
) -> AsyncIterator[Callable[[Brand], Awaitable[int]]]:
    """Does all that is due in a tenant now, as one worker that serves all of these tests."""
    settings = Settings(worker_database_url=dsn.worker, redis_url=valkey_url)
    async with open_ledger(settings, dsn.worker, clock=server.clock, pool=2) as ledger:
        worker = Worker(ledger.recorder, PublishedVersions(), jobs=JOBS)
        yield lambda brand: worker.run_due(brand.tenant_id)


@pytest.fixture
def circle(
    make_brand: Callable[..., Awaitable[Brand]], work: Callable[[Brand], Awaitable[int]]
) -> Callable[..., Awaitable[Circle]]:
    """Begins with the program `friends`, of these keys beside those of `FRIENDS`."""

    async def begin(units: dict[str, int] | None = None, **config: Any) -> Circle:
        brand = await make_brand(config=None, backdating=timedelta(days=400))
        for code, places in (units or {}).items():
            await brand.make_unit(code, places)
        await brand.run_program("friends", FRIENDS | config, kind="referrals")
        return Circle(brand, work)

    return begin


@pytest.fixture
def written(dsn: Addresses) -> Callable[[UUID], Awaitable[dict[str, list[str]]]]:
    """All that is written of a tenant, each row as JSON, by table; past row-level security."""

    async def read(tenant_id: UUID) -> dict[str, list[str]]:
        connection = await asyncpg.connect(dsn.admin)
        try:
            names = [row["relname"] for row in await connection.fetch(TABLES)]
            return {
                name: [
                    row["row"]
                    for row in await connection.fetch(
                        f"select to_jsonb(t)::text as row from loyalty.{name} t"
                        " where tenant_id = $1",
                        tenant_id,
                    )
                ]
                for name in names
            }
        finally:
            await connection.close()

    return read
