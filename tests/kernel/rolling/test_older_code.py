"""The release before still runs on the newest schema: processes are replaced one after the other.

`released.txt` holds what the schema of the last release promised. It is written when a release is
made (LOYALTY_RECORD_PROMISES=1) and never to make this test pass.
"""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from loyalty.recorder.loading import OPEN_BATCH
from loyalty.recorder.recorder import APPEND
from loyalty_app.logins import Addresses

from .promises import NEEDED, PROMISES, ROLES, broken

RELEASED = Path(__file__).with_name("released.txt")


@pytest.fixture
async def schema(new_dsn: Callable[[], Awaitable[Addresses]]) -> AsyncIterator[Any]:
    """The newest schema, in a database of its own: tests break it."""
    connection = await asyncpg.connect((await new_dsn()).admin)
    yield connection
    await connection.close()


async def lines(schema: Any) -> list[str]:
    return sorted({row[0] for row in await schema.fetch(PROMISES, list(ROLES))})


async def complaints(schema: Any) -> list[str]:
    needed = [row[0] for row in await schema.fetch(NEEDED)]
    return broken(RELEASED.read_text("utf-8").splitlines(), await lines(schema), needed)


async def test_the_newest_schema_keeps_what_the_last_release_relies_on(schema: Any) -> None:
    if "LOYALTY_RECORD_PROMISES" in os.environ:
        RELEASED.write_text("\n".join(await lines(schema)) + "\n", "utf-8")
    assert await complaints(schema) == []


async def test_what_is_recorded_is_what_the_code_calls(schema: Any) -> None:
    """Or the record could be empty and nobody would notice."""
    kept = RELEASED.read_text("utf-8").splitlines()
    for call, name in ((OPEN_BATCH, "open_batch"), (APPEND, "append")):
        there = [one for one in kept if one.startswith(f"loyalty_app may call {name}(")]
        assert call.count("$") in [one.count(",") + 1 for one in there]
    for line in (
        "loyalty_app may select fact.payload jsonb",
        "loyalty_worker may update due_fact.state text",
        "loyalty_worker may call tenants_telling()",
        "type key_in is (scope text, key text)",
        "fact.cause_id may be left out",
    ):
        assert line in kept
    assert not [line for line in kept if "may insert posting" in line]  # only the ledger does


BREAKING = {
    "a column is dropped": "alter table loyalty.due_fact drop column reason",
    "a column is renamed": "alter table loyalty.member rename external_id to name",
    "a column has another type": "alter table loyalty.outbox alter attempts type integer",
    "a new column must be named": "alter table loyalty.member add tier text not null",
    "a column must be named from now on": "alter table loyalty.due_fact alter reason set not null",
    "a default is gone": "alter table loyalty.due_fact alter attempts drop default",
    "a grant is removed": "revoke update (epoch) on loyalty.tenant from loyalty_worker",
    "a table may not be read": "revoke select on loyalty.fact from loyalty_app",
    "rows may not be deleted": "revoke delete on loyalty.counter from loyalty_worker",
    "a function is dropped": "drop function loyalty.tenant_of_slug(text)",
    "a function has another argument": """
        drop function loyalty.tenants_due(timestamptz);
        create function loyalty.tenants_due(_now timestamptz, _n integer) returns uuid[]
          language sql as 'select null::uuid[]'""",
    "a function answers something else": """
        drop function loyalty.tenant_of_slug(text);
        create function loyalty.tenant_of_slug(text) returns text language sql as 'select $1'""",
    "a function may not be called": """
        revoke execute on function loyalty.tenant_of_slug(text) from public, loyalty_app""",
    "a row that is handed over is longer": "alter type loyalty.key_in add attribute more text",
    "a row that is handed over is sorted otherwise": """
        alter type loyalty.lots_in drop attribute unit;
        alter type loyalty.lots_in add attribute unit text""",
}
HARMLESS = {
    "a column that may be left out": "alter table loyalty.member add tier text",
    "a column with a default": "alter table loyalty.member add tier text not null default 'none'",
    "a table": "create table loyalty.shelf (tenant_id uuid not null, name text not null)",
    "an index": "create index shelf on loyalty.member (tenant_id, status)",
    "a function beside the old one": """
        create function loyalty.tenants_due(_now timestamptz, _n integer) returns uuid[]
          language sql as 'select null::uuid[]'""",
    "another grant": "grant select on loyalty.outbox to loyalty_audit",
    "a wider check": "alter table loyalty.tenant drop constraint tenant_status_check",
}


@pytest.mark.parametrize("change", BREAKING.values(), ids=BREAKING)
async def test_what_would_break_the_release_before_is_found(schema: Any, change: str) -> None:
    await schema.execute("set role loyalty_owner")
    try:
        await schema.execute(change)
    except (asyncpg.InsufficientPrivilegeError, asyncpg.InvalidGrantorError):
        await schema.execute("reset role")  # what belongs to another role
        await schema.execute(change)
    await schema.execute("reset role")
    assert await complaints(schema) != []


@pytest.mark.parametrize("change", HARMLESS.values(), ids=HARMLESS)
async def test_what_only_adds_is_not(schema: Any, change: str) -> None:
    await schema.execute(change)
    assert await complaints(schema) == []
