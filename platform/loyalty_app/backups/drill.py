"""The drill: a database is dumped, restored into another server and compared there.

Whatever is copied is of one snapshot: what is counted in the database is counted in the very
transaction that the dump reads.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex

import asyncpg

from loyalty.audit import audit
from loyalty.database import Database, UnsafeLogin
from loyalty.migrate import bootstrap
from loyalty_app.backups import programs
from loyalty_app.backups.restored import new_epoch
from loyalty_app.backups.state import State, state_of
from loyalty_app.installed import installed
from loyalty_app.logins import ROLES, address, set_passwords
from loyalty_app.problem import Problem


@dataclass(slots=True)
class Report:
    """How long each step took, what was copied, and what is wrong with the copy."""

    file: Path
    seconds: dict[str, float] = field(default_factory=dict)
    source: State | None = None
    faults: list[str] = field(default_factory=list)

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.seconds[step] = time.monotonic() - began


async def drill(source: str, target: str, file: Path) -> Report:
    """Copy `source` by `file` into `target`, an empty database of another server, and look.

    Both are addresses of superusers. The target's serving logins get passwords of their own: on the
    source's server they would be the passwords of those that serve.

    :raises Problem: both are of one server; a program failed, or is missing
    """
    if await _server(source) == await _server(target):
        raise Problem(
            "The drill was given a database of the server that it copies",
            "Name one of another server: databases of one share its roles and their passwords",
        )
    report = Report(file)
    with report.timed("dump"):
        report.source = await _dump(source, file)
    with report.timed("restore"):
        await _restore(target, file)
    with report.timed("check"):
        report.faults = await _faults(target, report.source)
    return report


async def _server(url: str) -> int:
    """What PostgreSQL calls itself: drawn when its data folder was made."""
    connection = await asyncpg.connect(url)
    try:
        found: int = await connection.fetchval("select system_identifier from pg_control_system()")
    finally:
        await connection.close()
    return found


async def _dump(source: str, file: Path) -> State:
    connection = await asyncpg.connect(source)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            snapshot = await connection.fetchval("select pg_export_snapshot()")
            what = ("-Fc", "-n", "loyalty", f"--snapshot={snapshot}")
            programs.run("pg_dump", [*what, "-f", file], url=source)
            return await state_of(connection)
    finally:
        await connection.close()


async def _restore(target: str, file: Path) -> None:
    await bootstrap(target)  # the roles; the schema that it makes comes out of the dump
    connection = await asyncpg.connect(target)
    try:
        await connection.execute("drop schema loyalty cascade")
        programs.run("pg_restore", ["--exit-on-error", "-j", "2", file], url=target)
        await connection.execute("analyze")
    finally:
        await connection.close()


async def _faults(target: str, source: State) -> list[str]:
    """What is otherwise in the copy, what the audit finds in it, and who cannot get in."""
    connection = await asyncpg.connect(target)
    try:
        faults = source.differences(await state_of(connection))
        if await new_epoch(connection) == source.epoch:
            faults.append("the epoch is that of the former life")
    finally:
        await connection.close()
    passwords = {role: token_hex() for role in ROLES}
    await set_passwords(target, passwords)
    found = await audit(_login(target, "loyalty_audit", passwords), plugins=installed())
    faults += [f"audit: {one.tenant_id}  {one.invariant}  {one.row}" for one in found]
    for role in ("loyalty_app", "loyalty_worker"):
        faults += await _serves(_login(target, role, passwords), role)
    return faults


async def _serves(url: str, role: str) -> list[str]:
    """Whether a process would start with this login: it checks itself, as it does then."""
    try:
        await (await Database.open(url, size=1)).close()
    except (UnsafeLogin, asyncpg.PostgresError, OSError) as error:
        return [f"{role}: {error}"]
    return []


def _login(target: str, role: str, passwords: Mapping[str, str]) -> str:
    return address(target, role, passwords[role])
