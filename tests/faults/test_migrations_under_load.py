"""A new schema comes under the feet of the old code; and a migrator dies at any statement."""

import asyncio
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from loyalty.ids import new_id
from loyalty.migrate import bootstrap, migrate, pending
from loyalty_app.installed import migration_packages
from tests.faults import report
from tests.faults.brand import Brand
from tests.faults.child import Child
from tests.faults.conftest import Loading, SizeOf
from tests.faults.sizes import CLEAN_SECONDS
from tests.faults.stand import Stand
from tests.faults.verdict import judge, served

P99_SECONDS = 1.0
READER_SECONDS = 5
TABLES = ("member", "fact", "posting", "account", "lot", "lot_use", "outbox", "redemption")
READER = """begin; select count(*) from loyalty.fact; select count(*) from loyalty.member;
  select pg_sleep({seconds}); commit"""
MIGRATOR = """
import asyncio, sys
from loyalty.migrate import bootstrap, migrate
async def run():
    await bootstrap(sys.argv[1])
    await migrate(sys.argv[1], sys.argv[2:])
asyncio.run(run())
"""
_SCHEMA = """
select md5(string_agg(c::text, ',' order by c::text)) from (
  select table_name, column_name, data_type, column_default, is_nullable
    from information_schema.columns where table_schema = 'loyalty'
  union all
  select routine_name, md5(routine_definition), '', '', '' from information_schema.routines
   where routine_schema = 'loyalty') c
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Path]]:
    """A package with migrations of its own: its name, and where their files go."""
    name = f"extra_{new_id().hex}"
    folder = tmp_path / name / "migrations"
    folder.mkdir(parents=True)
    (tmp_path / name / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    yield name, folder
    sys.modules.pop(name, None)


async def test_the_schema_changes_under_load(
    platform: Stand, brand: Brand, put_load: Loading, package: tuple[str, Path], size: SizeOf
) -> None:
    """Expanded and contracted again, while old code serves and somebody reads for five seconds."""
    name, folder = package
    files = _write_migrations(name, folder, size("migrations under load"))
    async with put_load(brand, await platform.apis(), rate=50) as load:
        await asyncio.sleep(size(CLEAN_SECONDS))
        begun = load.now
        reading = asyncio.create_task(_read_for_long(platform))
        await asyncio.sleep(0.3)
        admin = platform.settings.need("database_url")
        applied = await migrate(admin, [name])
        await reading
        took = load.now - begun
        answers = list(load.journal.answers(since=begun))
        verdict = await judge(platform.settings, load)
    p99 = quantiles([answer.seconds for answer in answers], n=100)[98]
    assert len(applied) == files
    served(load.journal, since=begun)
    report.within(P99_SECONDS, p99, "a call while the schema changes")
    report.note(
        report.Row(
            place=100,
            what="the schema changes under load",
            tried=(
                f"{files} migrations of tables that every call uses, beside a reader of "
                f"{READER_SECONDS} s and {load.rate:g} calls/s of the old code"
            ),
            held=f"no call fails, 99 of 100 are answered within {P99_SECONDS:g} s",
            measured=f"applied in {took:.1f} s, p99 {1000 * p99:.0f} ms; {verdict}",
        )
    )


def _write_migrations(name: str, folder: Path, count: int) -> int:
    """Half of them add columns, checks and indexes to the tables, the others take them away."""
    half = count // 2
    for n in range(half):
        tables = TABLES[n % len(TABLES) :: half]  # each has one, however many there are
        grown = [
            f"alter table loyalty.{t} add column {name}_{n} text default 'x',"
            f" add constraint {name}_{n} check ({name}_{n} <> '') not valid;"
            f"alter table loyalty.{t} validate constraint {name}_{n};"
            f"create index {name}_{n}_{t} on loyalty.{t} (tenant_id, {name}_{n});"
            for t in tables
        ]
        shrunk = [f"alter table loyalty.{t} drop column {name}_{n};" for t in tables]
        (folder / f"{n:04}_grow.sql").write_text("\n".join(grown))
        (folder / f"{n + half:04}_shrink.sql").write_text("\n".join(shrunk))
    return 2 * half


async def _read_for_long(platform: Stand) -> None:
    async with platform.admin() as reader:
        await reader.execute(READER.format(seconds=READER_SECONDS))


class Migrator(Child):
    """`loyalty migrate` without what is around it, so that it may be killed more often."""

    def __init__(self, url: str, log: Path) -> None:
        super().__init__("migrator", url, *migration_packages(), settings={}, log=log)

    def program(self) -> tuple[str, ...]:
        return ("-c", MIGRATOR)


async def test_a_migrator_is_killed_at_any_statement(platform: Stand, size: SizeOf) -> None:
    kills, chance = size("kills of a migrator"), random.Random(23)
    reference, unfinished = "", 0
    for number in range(kills + 1):
        url = await _empty_database(platform, f"killed_{number}")
        if number:  # the first one is left alone: what the others must come to
            unfinished += await _kill_in_the_middle(platform, url, number, chance)
        await bootstrap(url)
        await migrate(url, migration_packages())
        assert await pending(url, migration_packages()) == []
        found = await _one(url, _SCHEMA)
        reference = reference or found
        assert found == reference
    assert unfinished
    report.note(
        report.Row(
            place=101,
            what="a migrator is killed in the middle",
            tried=f"`kill -9` {kills} times at a random moment, a second one waiting each time",
            held="the next run completes what is missing; two at once wait for each other",
            measured=f"{unfinished} of {kills} left work to do; the same schema each time",
        )
    )


async def _kill_in_the_middle(
    platform: Stand, url: str, number: int, chance: random.Random
) -> bool:
    """Kill one of two migrators; whether it had left something to do."""
    killed, other = (Migrator(url, platform.folder / f"migrator-{number}-{n}.log") for n in (1, 2))
    killed.start()
    async with asyncio.timeout(60):
        while not await _busy(platform, url):
            await asyncio.sleep(0.005)
    other.start()
    await asyncio.sleep(chance.random() * 0.5)
    killed.kill()
    left = bool(await pending(url, migration_packages()))
    code, _ = await other.ended()
    assert code == 0, other.said()[-2000:]
    return left


async def _busy(platform: Stand, url: str) -> bool:
    query = "select exists (select 1 from pg_stat_activity where datname = $1)"
    async with platform.admin() as admin:
        return bool(await admin.fetchval(query, urlsplit(url).path[1:]))


async def _empty_database(platform: Stand, name: str) -> str:
    url = platform.settings.need("database_url")
    async with platform.admin() as admin:
        await admin.execute(f'create database "{name}"')
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


async def _one(url: str, query: str) -> str:
    connection = await asyncpg.connect(url)
    try:
        return str(await connection.fetchval(query))
    finally:
        await connection.close()
