"""The schema is fit for Citus, plugins' tables too: what is decidable without one."""

import re
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner

from loyalty.citus import KEPT_WHOLE, OF_THE_COORDINATOR, Step, plan, tenant_tables
from loyalty.recorder.buckets import _BUCKETS
from loyalty.recorder.sums import _SUMS
from loyalty_app.cli import app
from loyalty_app.logins import Addresses

KEYED = "(tenant_id uuid not null, id uuid not null, primary key (tenant_id, id))"
PLANTED: list[tuple[str, str]] = [
    ("has no tenant_id", "create table loyalty.planted (id uuid primary key)"),
    ("is unique without tenant_id", "create unique index on loyalty.member (external_id)"),
    ("is unique without tenant_id", "alter table loyalty.lot add exclude (id with =)"),
    (
        "refers to another table without its tenant",
        f"create unique index u on loyalty.member (id); create table loyalty.planted {KEYED};"
        "alter table loyalty.planted add foreign key (id) references loyalty.member (id)",
    ),
    (
        "sets or changes rows",
        f"create table loyalty.planted {KEYED}; alter table loyalty.planted"
        " add foreign key (tenant_id, id) references loyalty.member on update cascade",
    ),
    (
        "is a trigger",
        "create trigger t before update on loyalty.lot for each row"
        " execute function suppress_redundant_updates_trigger()",
    ),
    ("numbers its rows", "alter table loyalty.lot add n bigint generated always as identity"),
    ("numbers its rows", "alter table loyalty.lot add n bigserial"),
    ("inherits", "create table loyalty.planted () inherits (loyalty.lot)"),
]


def texts(steps: list[Step]) -> list[str]:
    return [statement.text for step in steps for statement in step.statements]


async def test_every_table_is_named_once(superuser: Any) -> None:
    rows = await superuser.fetch(
        "select relname from pg_class where relnamespace = 'loyalty'::regnamespace"
        " and relkind in ('r', 'p')"
    )
    said = "\n".join(texts(await plan(superuser)))
    spread = re.findall(r"create_distributed_table\('loyalty\.(\w+)', 'tenant_id'", said)
    copied = re.findall(r"create_reference_table\('loyalty\.(\w+)'\)", said)
    assert sorted([*spread, *copied, *OF_THE_COORDINATOR]) == sorted(r["relname"] for r in rows)
    assert {"stamps_card", "posting", "program_version"} <= set(spread)
    assert copied == list(KEPT_WHOLE)


async def test_tables_come_after_those_they_refer_to_and_live_with_the_tenant(
    superuser: Any,
) -> None:
    tables = await tenant_tables(superuser)
    assert tables[0] == "tenant"
    for before, after in (("member", "redemption"), ("account", "lot"), ("lot", "lot_use"),
                          ("program", "program_version"), ("member", "stamps_card")):  # fmt: skip
        assert tables.index(before) < tables.index(after)
    distributing = [t for t in texts(await plan(superuser)) if "create_distributed_table" in t]
    assert [text for text in distributing[1:] if "'loyalty.tenant')" not in text] == []


async def test_the_write_path_is_delegated_by_its_tenant(superuser: Any) -> None:
    said = [t for t in texts(await plan(superuser)) if "create_distributed_function" in t]
    named = {re.search(r"'(?:loyalty\.)?(\w+)\(uuid,", text)[1] for text in said}  # type: ignore[index]
    assert named == {
        "append",
        "open_batch",
        "read_batch",
    }  # of each the one of the release before, too
    assert all("'_t', colocate_with => 'loyalty.tenant', force_delegation" in text for text in said)


@pytest.mark.parametrize("statement", [_SUMS, _BUCKETS], ids=["sums", "buckets"])
def test_who_looks_members_counters_up_laterally_names_the_tenant_by_a_value(
    statement: str,
) -> None:
    """Tried on a real one in tests/kernel/citus: it would be refused."""
    assert len(re.findall(r"tenant_id = \$\d", statement)) == 1
    assert "loyalty.tenant()" not in statement


@pytest.mark.parametrize(("what", "statements"), PLANTED)
async def test_a_table_that_does_not_fit_is_named(undone: Any, what: str, statements: str) -> None:
    async with undone() as connection:
        await connection.execute(statements)
        with pytest.raises(ValueError, match=what):
            await plan(connection)


async def test_every_statement_but_citus_own_is_valid(undone: Any) -> None:
    async with undone() as connection:
        for text in texts(await plan(connection)):
            if text.startswith(("alter", "create or replace")) and "citus." not in text:
                await connection.execute(text)


def test_print_needs_no_citus_and_the_rest_says_so(
    scratch: Addresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOYALTY_DATABASE_URL", scratch.admin)
    printed = CliRunner().invoke(app, ["scale", "citus", "--print"])
    assert printed.exit_code == 0
    assert "select create_distributed_table('loyalty.stamps_card'" in printed.output
    refused = CliRunner().invoke(app, ["scale", "citus"])
    assert "has no Citus" in str(refused.exception)


async def test_a_policy_in_the_form_for_citus_keeps_tenants_apart(undone: Any) -> None:
    async with undone() as connection:
        for text in texts(await plan(connection)):
            if text.startswith("alter policy"):
                await connection.execute(text)
        await connection.execute("set local role loyalty_app")
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="no tenant is set"):
            await connection.execute("select count(*) from loyalty.member")
