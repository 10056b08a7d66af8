"""`loyalty wait`: over once the database can be served from, and not before."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import pytest
from typer.testing import CliRunner

from loyalty_app.cli import app
from loyalty_app.logins import Addresses
from loyalty_app.ports import free_port

PENDING = "Migrations pending: loyalty/0001_kernel, "


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    def wait(url: str) -> str:
        monkeypatch.setenv("LOYALTY_WORKER_DATABASE_URL", url)
        result = CliRunner().invoke(app, ["wait", "--seconds", "0"])
        return "" if result.exit_code == 0 else str(result.exception)

    return wait


async def test_a_database_that_can_be_served_from_is_waited_for_no_longer(
    dsn: Addresses, waited: Callable[[str], str]
) -> None:
    assert await in_thread(waited, dsn.worker) == ""


async def test_a_migration_that_is_missing_is_waited_for(
    new_dsn: Callable[[], Awaitable[Addresses]], waited: Callable[[str], str]
) -> None:
    fresh = await new_dsn()
    admin = await asyncpg.connect(fresh.admin)
    await admin.execute("delete from loyalty.migration where name = '0001_kernel'")
    missing = await in_thread(waited, fresh.worker)
    await admin.execute("revoke select on loyalty.migration from loyalty_worker")
    unseen = await in_thread(waited, fresh.worker)
    await admin.close()
    assert missing == "Migrations pending: loyalty/0001_kernel. Run `loyalty migrate`."
    assert unseen.startswith(PENDING)


async def test_a_login_that_does_not_get_in_is_waited_for(
    dsn: Addresses, waited: Callable[[str], str]
) -> None:
    nobody = await in_thread(waited, dsn.worker.replace("@", "x@"))
    nowhere = await in_thread(waited, f"postgresql://loyalty_worker:p@127.0.0.1:{free_port()}/x")
    assert "LOYALTY_WORKER_DATABASE_URL: the login does not work" in nobody
    assert "LOYALTY_WORKER_DATABASE_URL: the login does not work" in nowhere


async def in_thread(wait: Callable[[str], str], url: str) -> str:
    """The command has a loop of its own, so it is run where none is."""
    return await asyncio.to_thread(wait, url)
