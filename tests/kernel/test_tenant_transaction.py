"""The tenant's transaction: its tenant holds in it and nowhere else."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import pytest

from loyalty.database import Database
from loyalty_app.logins import Addresses


@pytest.fixture
async def single(dsn: Addresses) -> AsyncIterator[Database]:
    """A pool of one connection: whoever comes next has the session of whoever came before."""
    opened = await Database.open(dsn.app, size=1)
    yield opened
    await opened.close()


async def tenant_of(database: Database, tenant: UUID) -> UUID:
    async with database.tenant(tenant) as connection:
        found: UUID = await connection.fetchval("select loyalty.tenant()")
        return found


@pytest.mark.parametrize("fails", [False, True], ids=["committed", "rolled back"])
async def test_nothing_of_a_tenant_stays_in_a_session(single: Database, fails: bool) -> None:
    tenant = uuid4()

    async def stumble() -> None:
        async with single.tenant(tenant):
            raise ZeroDivisionError

    if fails:
        with pytest.raises(ZeroDivisionError):
            await stumble()
    else:
        assert await tenant_of(single, tenant) == tenant

    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="no tenant is set"):
        await single.unscoped("select loyalty.tenant()")


@pytest.mark.parametrize("same", [False, True], ids=["of another tenant", "of the same tenant"])
async def test_none_is_opened_inside_another(database: Database, same: bool) -> None:
    outer = uuid4()
    async with database.tenant(outer) as connection:
        with pytest.raises(RuntimeError, match="is open in this task already"):
            await tenant_of(database, outer if same else uuid4())

        assert await connection.fetchval("select loyalty.tenant()") == outer
