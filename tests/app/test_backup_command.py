"""`loyalty backup`: a dump is restored into another server, and what it lacks is seen."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from typer.testing import CliRunner

from loyalty.database import Database
from loyalty_app.backups import drill as drills
from loyalty_app.backups.state import State, state_of
from loyalty_app.cli import app
from loyalty_app.demo_tenant import demo_tenant
from loyalty_app.embedded.postgres import FORGETFUL, Postgres, postgres
from loyalty_app.embedded.unprivileged import home
from loyalty_app.ledger import open_ledger
from loyalty_app.logins import Addresses
from loyalty_app.settings import Settings


@pytest.fixture(scope="module")
async def dsn(
    new_dsn: Callable[[], Awaitable[Addresses]], tmp_path_factory: pytest.TempPathFactory
) -> Addresses:
    """A database of the module's own, with the demo tenant in it."""
    made = await new_dsn()
    async with open_ledger(Settings(), made.app, pool=2) as ledger:
        folder = tmp_path_factory.mktemp("demo")
        await demo_tenant(ledger, folder, ledger.recorder.clock.now())
    return made


@pytest.fixture
async def state(dsn: Addresses) -> AsyncIterator[State]:
    connection = await asyncpg.connect(dsn.admin)
    yield await state_of(connection)
    await connection.close()


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Another server: roles and passwords are its own."""
    folder = tmp_path_factory.mktemp("other")
    for step in (folder, *folder.parents[:2]):
        step.chmod(0o711)  # root's servers run as another user and must pass through
    with postgres(Postgres(home(folder), password="other", options=FORGETFUL)) as url:
        yield url


@pytest.fixture
async def target(other: str) -> str:
    """An empty database there."""
    name = f"copy_{uuid4().hex[-12:]}"
    connection = await asyncpg.connect(other)
    await connection.execute(f"create database {name}")
    await connection.close()
    return other.rpartition("/")[0] + f"/{name}"


def loyalty(*words: str) -> Any:
    return CliRunner().invoke(app, list(words))


async def test_a_drill_finds_the_copy_whole(
    dsn: Addresses, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LOYALTY_DATABASE_URL", dsn.admin)
    kept = tmp_path / "kept.dump"
    result = await asyncio.to_thread(loyalty, "backup", "drill", "--keep", str(kept))
    assert result.exit_code == 0, result.output
    assert "The copy is whole" in result.output
    assert kept.stat().st_size > 10_000
    assert all(step in result.output for step in ("file ", "dump ", "restore ", "check "))


async def test_what_a_copy_lacks_is_told(state: State) -> None:
    rows = {**state.rows, "posting": state.rows["posting"] - 1}
    lacking = replace(state, rows=rows, outbox="{}")
    assert [one.split(":")[0] for one in state.differences(lacking)] == ["posting", "outbox"]
    assert state.differences(state) == []


async def test_a_copy_that_is_wrong_in_itself_is_found(
    dsn: Addresses, target: str, tmp_path: Path
) -> None:
    file = tmp_path / "a.dump"
    source = await drills._dump(dsn.admin, file)
    await drills._restore(target, file)
    connection = await asyncpg.connect(target)
    await connection.execute("update loyalty.account set balance = balance + 1 where stored")
    await connection.execute("drop policy tenant_isolation on loyalty.lot")
    await connection.close()
    faults = await drills._faults(target, source)
    assert any(fault.startswith("balances:") for fault in faults)
    assert any(fault.startswith("audit:") for fault in faults)


async def test_after_a_restore_the_epoch_is_another(
    dsn: Addresses, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOYALTY_DATABASE_URL", dsn.admin)
    result = await asyncio.to_thread(loyalty, "backup", "restored")
    assert result.exit_code == 0, result.output
    connection = await asyncpg.connect(dsn.admin)
    epoch = await connection.fetchval("select epoch from loyalty.installation")
    await connection.close()
    assert epoch != state.epoch
    assert str(epoch) in result.output
    assert str(state.newest) in result.output


async def test_an_empty_database_is_tried_too(
    new_dsn: Callable[[], Awaitable[Addresses]], target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its copy is analyzed: a plan over no rows asks for no tenant, and nobody is to mind."""
    monkeypatch.setenv("LOYALTY_DATABASE_URL", (await new_dsn()).admin)
    result = await asyncio.to_thread(loyalty, "backup", "drill", "--into", target)
    assert result.exit_code == 0, result.output


async def test_the_server_that_is_copied_is_no_place_for_the_copy(
    new_dsn: Callable[[], Awaitable[Addresses]], dsn: Addresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would give those who serve other passwords."""
    monkeypatch.setenv("LOYALTY_DATABASE_URL", dsn.admin)
    result = await asyncio.to_thread(loyalty, "backup", "drill", "--into", (await new_dsn()).admin)
    assert "the server that it copies" in str(result.exception)
    await (await Database.open(dsn.app, size=1)).close()
