"""Migrations: plain SQL files, run in order, once, by one process at a time.

Each file runs in one transaction together with the row that says it was applied, so a crash at any
statement leaves either both or neither. Files are never edited after a release: a checksum that
changed is an error. The next release's schema must still serve this release's code.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from typing import Any

import asyncpg

from loyalty.pooler import session

LOCK = 0x6C6F79616C  # one migrator at a time in a database
LOCK_TIMEOUT = "300ms"  # while we wait for a table, its readers wait behind us
TRIES = 40
PAUSE_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    package: str
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return sha256(self.sql.encode()).hexdigest()


def migrations_of(package: str) -> Iterator[Migration]:
    """The SQL files of a package's `migrations` folder by name."""
    folder = files(package) / "migrations"
    if not folder.is_dir():
        return
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".sql"):
            yield Migration(package=package, name=entry.name[:-4], sql=entry.read_text("utf-8"))


async def bootstrap(admin_dsn: str) -> None:
    """Create the roles and the schema; harmless when they are there. Needs the right to do so.

    :raises BehindPooler: as `migrate`
    """
    async with session(admin_dsn) as connection:
        await connection.execute("select pg_advisory_lock($1)", LOCK)
        await connection.execute((files("loyalty") / "bootstrap.sql").read_text("utf-8"))


async def migrate(admin_dsn: str, packages: Sequence[str]) -> list[str]:
    """Apply what is missing, package by package; returns the names of what was applied.

    :raises BehindPooler: through a pooler, the lock and the role would be some other session's
    """
    async with session(admin_dsn) as connection:
        await connection.execute("select pg_advisory_lock($1)", LOCK)
        await connection.execute("set role loyalty_owner")
        await connection.execute(MIGRATION_TABLE)
        if not await connection.fetchval(LOGINS_SEE_IT):
            await connection.execute(LET_LOGINS_SEE_IT)
        known = {
            (row["package"], row["name"]): row["checksum"]
            for row in await connection.fetch("select * from loyalty.migration")
        }
        return [
            f"{migration.package}/{migration.name}"
            for package in packages
            for migration in migrations_of(package)
            if await _apply(connection, migration, known)
        ]


async def pending(dsn: str, packages: Sequence[str]) -> list[str]:
    """What `migrate` would apply.

    :raises BehindPooler: as `migrate`
    """
    async with session(dsn) as connection:
        if await connection.fetchval(MAY_BE_OWNER):  # else it sees what it sees
            await connection.execute("set role loyalty_owner")
        there = await connection.fetchval("select to_regclass('loyalty.migration') is not null")
        return await _missing(connection, packages, there)


async def awaited(dsn: str, packages: Sequence[str]) -> list[str]:
    """The same by a serving login, through a pooler or not: which may look and no more."""
    connection = await asyncpg.connect(dsn, statement_cache_size=0)
    try:
        return await _missing(connection, packages, await connection.fetchval(MAY_LOOK))
    finally:
        await connection.close()


async def _missing(connection: Any, packages: Sequence[str], there: bool) -> list[str]:
    rows = await connection.fetch("select package, name from loyalty.migration") if there else []
    known = {(row["package"], row["name"]) for row in rows}
    return [
        f"{m.package}/{m.name}"
        for package in packages
        for m in migrations_of(package)
        if (m.package, m.name) not in known
    ]


async def _apply(connection: Any, migration: Migration, known: dict[tuple[str, str], str]) -> bool:
    checksum = known.get((migration.package, migration.name))
    if checksum == migration.checksum:
        return False
    if checksum is not None:
        raise RuntimeError(
            f"{migration.package}/{migration.name} was changed after it was applied: "
            "write a new migration instead"
        )
    for attempt in range(1, TRIES + 1):
        try:
            await _run(connection, migration)
            break
        except asyncpg.LockNotAvailableError:
            if attempt == TRIES:
                raise
            await asyncio.sleep(PAUSE_SECONDS)
    return True


async def _run(connection: Any, migration: Migration) -> None:
    async with connection.transaction():
        await connection.execute(f"set local lock_timeout = '{LOCK_TIMEOUT}'")
        await connection.execute(migration.sql)
        await connection.execute(
            "insert into loyalty.migration (package, name, checksum) values ($1, $2, $3)",
            migration.package,
            migration.name,
            migration.checksum,
        )


MIGRATION_TABLE = """
create table if not exists loyalty.migration (
  package text not null, name text not null, checksum text not null,
  applied_at timestamptz not null default clock_timestamp(),
  primary key (package, name))
"""
MAY_BE_OWNER = """
select exists (select from pg_roles
                where rolname = 'loyalty_owner' and pg_has_role(current_user, oid, 'SET'))
"""
# So that a process can wait for its schema without the right to change it.
LOGINS_SEE_IT = "select has_table_privilege('loyalty_audit', 'loyalty.migration', 'select')"
LET_LOGINS_SEE_IT = """
grant select on loyalty.migration to loyalty_app, loyalty_worker, loyalty_audit
"""
MAY_LOOK = """
select coalesce(has_schema_privilege(current_user, to_regnamespace('loyalty')::oid, 'usage')
  and has_table_privilege(current_user, to_regclass('loyalty.migration')::oid, 'select'), false)
"""
