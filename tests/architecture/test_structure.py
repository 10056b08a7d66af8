"""Every table and function of the schema keeps tenants apart; each check finds what is planted."""

from typing import Any

import pytest

from .structure import FAULTS, OF_NO_TENANT, SERVING, UNIQUE_OVER_TENANTS, faults, tenant_tables

KEYED = "(tenant_id uuid not null, id uuid not null, primary key (tenant_id, id))"
PROTECTED = f"create table loyalty.planted {KEYED}; call loyalty.protect('planted');"
DEFINER = """
    create function loyalty.planted() returns int language sql security definer {options}
      as $$ select 1 $$;
    {after}
    alter function loyalty.planted() owner to {owner};"""
PINNED = "set search_path = pg_catalog, pg_temp"
REVOKED = "revoke all on function loyalty.planted() from public;"

PLANTED: list[tuple[str, str]] = [
    ("has no tenant_id", "create table loyalty.planted (id uuid primary key)"),
    ("does not have row security", f"create table loyalty.planted {KEYED}"),
    ("does not have row security", "alter table loyalty.lot no force row level security"),
    ("does not have row security", "alter table loyalty.lot disable row level security"),
    ("lacks the policy", "drop policy tenant_isolation on loyalty.lot"),
    ("lacks the policy", "alter policy tenant_isolation on loyalty.lot with check (true)"),
    ("lacks the policy", "alter policy tenant_isolation on loyalty.lot to public"),
    ("lacks the policy", "alter policy tenant_isolation on loyalty.lot to loyalty_app"),
    ("has a policy beside it", "create policy more on loyalty.lot for select using (true)"),
    (
        "has a policy beside it",
        "create policy more on loyalty.lot to loyalty_app using (rule = 'shared')",
    ),
    ("has a policy beside it", "alter policy queue_reads on loyalty.lot to loyalty_worker"),
    ("is unique without", "create unique index on loyalty.member (external_id)"),
    ("is unique without", "create unique index on loyalty.member (external_id, tenant_id)"),
    ("is unique without", "create unique index on loyalty.member (lower(external_id), tenant_id)"),
    (
        "has no primary key",
        "create table loyalty.planted (tenant_id uuid not null); call loyalty.protect('planted')",
    ),
    (
        "refers to another table",
        PROTECTED
        + "create unique index u on loyalty.member (id);"
        + "alter table loyalty.planted add foreign key (id) references loyalty.member (id)",
    ),
    ("shows rows with", "create view loyalty.planted as select * from loyalty.lot"),
    ("shows rows with", "create materialized view loyalty.planted as select 1 as one"),
    ("runs as another", DEFINER.format(options="", after=REVOKED, owner="loyalty_ledger")),
    (
        "runs as another",
        DEFINER.format(options="set search_path = loyalty", after=REVOKED, owner="loyalty_ledger"),
    ),
    ("runs as another", DEFINER.format(options=PINNED, after=REVOKED, owner="loyalty_owner")),
    ("runs as another", DEFINER.format(options=PINNED, after=REVOKED, owner="current_user")),
    (
        "runs as another",
        DEFINER.format(
            options=PINNED,
            after="grant execute on function loyalty.planted() to public;",
            owner="loyalty_ledger",
        ),
    ),
    ("belongs to a serving role", PROTECTED + "alter table loyalty.planted owner to loyalty_app"),
    ("lets a serving role make", "grant create on schema loyalty to loyalty_app"),
    ("lets everybody in", "grant select on loyalty.member to public"),
    ("lets everybody in", "grant select (status) on loyalty.member to public"),
]
ROLES_PLANTED = [
    "alter role loyalty_app bypassrls",
    "alter role loyalty_worker superuser",
    "alter role loyalty_audit createrole",
    "grant loyalty_ledger to loyalty_app",
]


async def test_the_schema_has_no_fault(superuser: Any) -> None:
    assert await faults(superuser) == []


async def test_there_is_something_to_look_at(superuser: Any) -> None:
    tables = await tenant_tables(superuser)
    indexes = await superuser.fetch("select indexname from pg_indexes where schemaname = 'loyalty'")
    roles = await superuser.fetch("select rolname from pg_roles where rolname = any($1)", SERVING)

    assert {"tenant", "posting", "program_version", "stamps_card"} <= set(tables)
    assert len(tables) > 25
    assert len(roles) == len(SERVING)
    assert UNIQUE_OVER_TENANTS.keys() <= {row["indexname"] for row in indexes}
    for table in OF_NO_TENANT:
        assert await superuser.fetchval("select to_regclass($1)", f"loyalty.{table}") is not None


@pytest.mark.parametrize(("what", "statements"), PLANTED)
async def test_a_planted_fault_is_flagged(undone: Any, what: str, statements: str) -> None:
    async with undone() as connection:
        await connection.execute(statements)
        found = await faults(connection)

    assert [fault for fault in found if what in fault], found


@pytest.mark.parametrize("statement", ROLES_PLANTED)
async def test_a_role_that_may_too_much_is_flagged(undone: Any, statement: str) -> None:
    async with undone() as connection:
        await connection.execute(statement)
        found = await faults(connection)

    assert [fault for fault in found if "may do more than serve" in fault], found


def test_every_check_has_a_planted_fault() -> None:
    planted = {what for what, _ in PLANTED} | {"is a serving role"}

    assert [what for what in FAULTS if not what.startswith(tuple(planted))] == []


async def test_what_is_planted_is_gone(superuser: Any) -> None:
    assert await faults(superuser) == []
