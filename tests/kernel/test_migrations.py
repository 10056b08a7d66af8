"""Migrations: once, by one process at a time, whole or not at all, without making readers wait."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import asyncpg
import pytest

from loyalty import migrate as runner
from loyalty.ids import new_id
from loyalty.migrate import bootstrap, migrate, pending


@pytest.fixture
async def empty(cluster: Any) -> AsyncIterator[str]:
    """An empty database."""
    name = f"empty_{new_id().hex}"
    admin = await asyncpg.connect(cluster.admin)
    await admin.execute(f'create database "{name}"')
    yield urlunsplit(urlsplit(cluster.admin)._replace(path=f"/{name}"))
    await admin.execute(f'drop database "{name}" with (force)')
    await admin.close()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """A package with migrations of its own; `write` adds one."""
    name = f"extra_{new_id().hex}"
    folder = tmp_path / name / "migrations"
    folder.mkdir(parents=True)
    (tmp_path / name / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    yield SimpleNamespace(
        name=name, write=lambda file, sql: (folder / f"{file}.sql").write_text(sql)
    )
    sys.modules.pop(name, None)


async def _one(dsn: str, query: str) -> Any:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_everything_is_applied_once(empty: str) -> None:
    await bootstrap(empty)
    expected = await pending(empty, ["loyalty", "loyalty_tenants"])

    assert await migrate(empty, ["loyalty", "loyalty_tenants"]) == expected
    assert await migrate(empty, ["loyalty", "loyalty_tenants"]) == []
    await bootstrap(empty)
    assert await pending(empty, ["loyalty", "loyalty_tenants"]) == []


async def test_two_migrators_at_once_share_the_work(empty: str) -> None:
    await bootstrap(empty)

    applied = await asyncio.gather(*(migrate(empty, ["loyalty"]) for _ in range(3)))

    assert sorted(map(bool, applied)) == [False, False, True]


async def test_a_migration_that_fails_half_way_leaves_nothing(empty: str, package: Any) -> None:
    await bootstrap(empty)
    package.write("0001_good", "create table loyalty.first_part (x int)")
    package.write("0002_bad", "create table loyalty.second_part (x int); select 1 / 0")

    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(empty, [package.name])

    assert await _one(empty, "select to_regclass('loyalty.first_part') is not null")
    assert await _one(empty, "select to_regclass('loyalty.second_part') is null")
    package.write("0002_bad", "create table loyalty.second_part (x int)")
    assert await migrate(empty, [package.name]) == [f"{package.name}/0002_bad"]


async def test_a_file_that_changed_after_it_was_applied_is_refused(
    empty: str, package: Any
) -> None:
    await bootstrap(empty)
    package.write("0001_table", "create table loyalty.a_table (x int)")
    await migrate(empty, [package.name])
    package.write("0001_table", "create table loyalty.a_table (x bigint)")

    with pytest.raises(RuntimeError, match="write a new migration instead"):
        await migrate(empty, [package.name])


async def test_it_gives_way_to_a_reader_and_comes_back(
    empty: str, package: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "PAUSE_SECONDS", 0.05)
    await bootstrap(empty)
    await migrate(empty, ["loyalty"])
    package.write("0001_column", "alter table loyalty.installation add column note text")
    reader = await asyncpg.connect(empty)
    await reader.execute("begin; select * from loyalty.installation")

    migrating = asyncio.create_task(migrate(empty, [package.name]))
    await asyncio.sleep(0.6)
    # While the migration waits for the reader, another reader must not wait behind it for long.
    assert await _one(empty, "select count(*) from loyalty.installation") == 1
    assert not migrating.done()
    await reader.execute("commit")

    assert await migrating == [f"{package.name}/0001_column"]
    await reader.close()


async def test_terms_given_before_they_had_versions_are_numbered_as_they_were_given(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the release before left them: two accounts, one of whose lots was given two terms."""
    every = runner.migrations_of
    await bootstrap(empty)
    monkeypatch.setattr(
        runner, "migrations_of", lambda package: (m for m in every(package) if m.name < "0004")
    )
    await migrate(empty, ["loyalty"])
    connection = await asyncpg.connect(empty)
    tenant, mine, other = (UUID(int=n) for n in (1, 2, 3))
    for account in (mine, other):
        await connection.execute(
            """insert into loyalty.account (tenant_id, id, owner_kind, owner_id, unit, kind, stored)
               values ($1, $2, 'MEMBER', $2, 'points', 'main', true)""", tenant, account,
        )  # fmt: skip
    given = [(mine, 1, 3), (mine, 2, 1), (mine, 1, 2), (other, 1, 1)]  # account, lot, day
    for account, lot in {(account, lot) for account, lot, _ in given}:
        await connection.execute(
            """insert into loyalty.lot (tenant_id, account_id, id, fact_id, rule, granted,
                 remaining, accounting_class, occurred_at, available_at)
               values ($1, $2, $3, $3, '', 5, 0, '', now(), now())""",
            tenant, account, UUID(int=lot),
        )  # fmt: skip
    for account, lot, day in given:
        await connection.execute(
            """insert into loyalty.lot_term
                 (tenant_id, account_id, lot_id, fact_id, occurred_at, recorded_at)
               values ($1, $2, $3, $4, now(), now() + make_interval(days => $5))""",
            tenant, account, UUID(int=lot), UUID(int=100 + day), day,
        )  # fmt: skip
    monkeypatch.setattr(runner, "migrations_of", every)

    await migrate(empty, ["loyalty"])

    rows = await connection.fetch(
        "select account_id, lot_id, version from loyalty.lot_term order by account_id, version"
    )
    numbered = [(row["account_id"], row["lot_id"].int, row["version"]) for row in rows]
    assert numbered == [(mine, 2, 1), (mine, 1, 2), (mine, 1, 3), (other, 1, 1)]
    terms = await connection.fetch("select terms from loyalty.account order by id")
    assert [row["terms"] for row in terms] == [3, 1]
    forced = await connection.fetchval(
        "select bool_and(relforcerowsecurity) from pg_class"
        " where relname in ('account', 'lot_term')"
    )
    assert forced
    await connection.close()


async def test_tenants_from_before_slugs_had_a_table_are_found_by_theirs(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = runner.migrations_of
    await bootstrap(empty)
    monkeypatch.setattr(
        runner, "migrations_of", lambda package: (m for m in every(package) if m.name < "0006")
    )
    await migrate(empty, ["loyalty"])
    connection = await asyncpg.connect(empty)
    await connection.execute(
        "insert into loyalty.tenant (tenant_id, slug, name, zone, created_at)"
        " values ($1, 'acme', 'Acme', 'UTC', now())", UUID(int=1),
    )  # fmt: skip
    monkeypatch.setattr(runner, "migrations_of", every)

    await migrate(empty, ["loyalty"])

    assert await connection.fetchval("select loyalty.tenant_of_slug('acme')") == UUID(int=1)
    assert await connection.fetchval(
        "select relforcerowsecurity from pg_class where oid = 'loyalty.tenant'::regclass"
    )
    await connection.close()
