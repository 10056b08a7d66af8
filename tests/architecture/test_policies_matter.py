"""Were any one policy to let everybody through, the suite would see it: table by table."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from loyalty.migrate import migrate
from loyalty_app.logins import Addresses

from .structure import faults, tenant_tables

MINE, THEIRS = UUID(int=1), UUID(int=2)
OF_TYPE: dict[str, Any] = {
    "uuid": UUID(int=7), "text": "x", "bigint": 1, "integer": 1, "smallint": 1, "boolean": True,
    "text[]": ["x"], "bytea": b"x" * 32, "jsonb": json.dumps({}),
    "date": date(2026, 1, 1), "uuid[]": [UUID(int=7)],
}  # fmt: skip
NOW = ("timestamp with time zone", "interval")


@pytest.fixture(scope="module")
async def superuser(new_dsn: Callable[[], Awaitable[Addresses]]) -> AsyncIterator[Any]:
    """Of a database of its own, for its tables lose their own rules about rows."""
    made = await new_dsn()
    await migrate(made.admin, ["loyalty_stamps"])
    connection = await asyncpg.connect(made.admin)
    yield connection
    await connection.close()


@pytest.fixture(scope="module")
async def filled(superuser: Any) -> list[str]:
    """One row of each tenant in every table."""
    tables = await tenant_tables(superuser)
    async with superuser.transaction():
        await superuser.execute("set local session_replication_role = replica")
        for table in tables:
            await _free(superuser, table)
            for tenant in (MINE, THEIRS):
                await _plant(superuser, table, tenant)
    return tables


async def _free(connection: Any, table: str) -> None:
    checks = await connection.fetch(
        """select conname from pg_constraint
            where conrelid = $1::regclass and contype = 'c'""",
        f"loyalty.{table}",
    )
    for check in checks:
        name = check["conname"]
        await connection.execute(f'alter table loyalty.{table} drop constraint "{name}"')
    await connection.execute("alter table loyalty.slug drop constraint if exists slug_pkey")


async def _plant(connection: Any, table: str, tenant: UUID) -> None:
    columns = await connection.fetch(
        """select attname as name, format_type(atttypid, null) as type from pg_attribute
            where attrelid = $1::regclass and attnum > 0 and attnotnull and not attisdropped""",
        f"loyalty.{table}",
    )
    names, values, marks = [], [], []
    for column in columns:
        names.append(column["name"])
        if column["type"] in NOW:
            marks.append("now()" if "timestamp" in column["type"] else "'1 day'")
            continue
        values.append(tenant if column["name"] == "tenant_id" else OF_TYPE[column["type"]])
        marks.append(f"${len(values)}")
    await connection.execute(
        f"insert into loyalty.{table} ({', '.join(names)}) values ({', '.join(marks)})", *values
    )


async def _reader(connection: Any, table: str) -> tuple[str, str]:
    """A role that may read the table, and a column it may read."""
    row = await connection.fetchrow(
        """select r.rolname, a.attname from pg_roles r, pg_attribute a
            where r.rolname in ('loyalty_app', 'loyalty_ledger', 'loyalty_worker')
              and a.attrelid = $1::regclass and a.attname = 'tenant_id'
              and has_column_privilege(r.rolname, a.attrelid, a.attnum, 'select')
            order by r.rolname limit 1""",
        f"loyalty.{table}",
    )
    return row["rolname"], row["attname"]


async def _seen(connection: Any, table: str) -> set[UUID]:
    """Whose rows a transaction of MINE sees."""
    role, column = await _reader(connection, table)
    await connection.execute(f"set local role {role}; set local app.tenant = '{MINE}'")
    rows = await connection.fetch(f"select {column} as tenant_id from loyalty.{table}")
    await connection.execute("reset role")
    return {row["tenant_id"] for row in rows}


async def test_a_tenant_sees_its_own_rows_of_every_table(undone: Any, filled: list[str]) -> None:
    seen = {}
    for table in filled:
        async with undone() as connection:
            seen[table] = await _seen(connection, table)

    assert seen == {table: {MINE} for table in filled}


async def test_a_policy_that_lets_everybody_through_is_seen_twice(
    undone: Any, filled: list[str]
) -> None:
    unseen = []
    for table in filled:
        async with undone() as connection:
            await connection.execute(
                f"alter policy tenant_isolation on loyalty.{table} using (true) with check (true)"
            )
            probe = await _seen(connection, table)
            structure = await faults(connection)
        if probe != {MINE, THEIRS}:
            unseen.append(f"{table}: the probe sees {probe}")
        if f"{table}: lacks the policy of its own rows" not in structure:
            unseen.append(f"{table}: the structure check is green")

    assert unseen == []


async def test_without_a_tenant_every_table_is_shut(undone: Any, filled: list[str]) -> None:
    answers = {}
    for table in filled:
        async with undone() as connection:
            role, column = await _reader(connection, table)
            try:
                async with connection.transaction():
                    await connection.execute(f"set local role {role}")
                    await connection.fetch(f"select {column} from loyalty.{table}")
                answers[table] = "answered"
            except Exception as error:
                answers[table] = getattr(error, "sqlstate", repr(error))

    assert answers == dict.fromkeys(filled, "42501")
