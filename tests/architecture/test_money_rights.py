"""Posted rows stay as they were posted, whatever a serving login tries."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from loyalty.database import Database, UnsafeLogin
from loyalty_app.logins import Addresses, address

from .structure import SERVING

MONEY = (
    "account", "posting", "lot", "lot_use", "lot_term", "redemption", "fact", "decision", "trait",
)  # fmt: skip
MINE, THEIRS = uuid4(), uuid4()

# What is tried on each table of money. {t} is the table.
ON_A_TABLE = {
    "insert": "insert into loyalty.{t} select * from loyalty.{t}",
    "update": "update loyalty.{t} set tenant_id = tenant_id",
    "delete": "delete from loyalty.{t}",
    "truncate": "truncate loyalty.{t} cascade",
    "merge": "merge into loyalty.{t} a using loyalty.{t} b on false when matched then delete",
    "upsert": "insert into loyalty.{t} select * from loyalty.{t} on conflict do nothing",
    "copy": "copy loyalty.{t} from program 'true'",
    "lock rows": "select 1 from loyalty.{t} for update",
    "lock table": "lock table loyalty.{t} in access exclusive mode",
    "row security off": "alter table loyalty.{t} disable row level security",
    "no force": "alter table loyalty.{t} no force row level security",
    "drop policy": "drop policy tenant_isolation on loyalty.{t}",
    "open policy": "alter policy tenant_isolation on loyalty.{t} using (true)",
    "own policy": "create policy mine on loyalty.{t} using (true)",
    "own it": "alter table loyalty.{t} owner to current_user",
    "drop": "drop table loyalty.{t} cascade",
    "trigger": "create trigger t before insert on loyalty.{t}"
    " execute function suppress_redundant_updates_trigger()",
    "rule": "create rule r as on insert to loyalty.{t} do instead nothing",
    "grant": "grant update on loyalty.{t} to current_user;"
    " update loyalty.{t} set tenant_id = tenant_id",
    "index": "create unique index on loyalty.{t} (tenant_id)",
    "view": "create view loyalty.mine as select * from loyalty.{t}",
}
# What is tried once.
BESIDES = {
    "become the owner": "set role loyalty_owner",
    "become the ledger": "set role loyalty_ledger",
    "become the queue": "set role loyalty_queue",
    "become the migrator": "set session authorization loyalty_migrator",
    "a function of its own": "create function loyalty.mine() returns int language sql as"
    " $$ select 1 $$",
    "another body for append": "create or replace function loyalty.tenant() returns uuid language"
    " sql as $$ select null::uuid $$",
    "not as a replica": "set session_replication_role = replica",
    "a right for itself": "grant loyalty_ledger to current_user",
    "a role": "create role mine superuser",
    "past row security": "alter role current_user bypassrls",
    "protect nothing": "call loyalty.protect('lot')",
    "a file": "select pg_read_file('/etc/hostname')",
}
REFUSED = {"42501"}  # insufficient privilege


@pytest.fixture(scope="module", params=SERVING)
async def login(
    request: pytest.FixtureRequest, scratch: Addresses, superuser: Any
) -> AsyncIterator[Any]:
    """A connection as a serving login, in a database with postings of two tenants."""
    if not await superuser.fetchval("select count(*) from loyalty.account"):
        await _post(superuser)
    dsn = {"loyalty_app": scratch.app, "loyalty_worker": scratch.worker}
    connection = await asyncpg.connect(dsn.get(request.param, scratch.audit))
    assert await connection.fetchval("select current_user") == request.param
    yield connection
    await connection.close()


async def _post(superuser: Any) -> None:
    for tenant in (MINE, THEIRS):
        await superuser.execute(
            """insert into loyalty.tenant (tenant_id, slug, name, zone, created_at)
               values ($1, $2, 'x', 'UTC', now())""",
            tenant,
            f"t-{tenant.hex[:8]}",
        )
        accounts = [uuid4(), uuid4()]
        await superuser.executemany(
            """insert into loyalty.account (tenant_id, id, owner_kind, owner_id, unit, kind, stored)
               values ($1, $2, 'PROGRAM', $2, 'points', 'main', false)""",
            [(tenant, account) for account in accounts],
        )
        await superuser.execute(
            """insert into loyalty.posting (tenant_id, fact_id, seq, unit, from_id, to_id, amount,
                 kind, occurred_at, recorded_at)
               values ($1, $2, 1, 'points', $3, $4, 5, 'GRANT', now(), now())""",
            tenant,
            uuid4(),
            *accounts,
        )


async def _everything(superuser: Any) -> list[str]:
    return [
        await superuser.fetchval(
            f"select coalesce(md5(string_agg(x::text, ',' order by x::text)), '') "
            f"from loyalty.{table} x"
        )
        for table in MONEY
    ]


async def _tried(connection: Any, statement: str) -> str:
    """What a transaction of MINE is answered to a statement: an SQLSTATE, or `done`."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(f"set local app.tenant = '{MINE}'")
        await connection.execute(statement)
    except asyncpg.PostgresError as error:
        return str(error.sqlstate)
    finally:
        await transaction.rollback()
    return "done"


@pytest.mark.parametrize("way", ON_A_TABLE)
async def test_no_row_of_money_is_touched(login: Any, superuser: Any, way: str) -> None:
    before = await _everything(superuser)

    answers = {table: await _tried(login, ON_A_TABLE[way].format(t=table)) for table in MONEY}

    assert {table: a for table, a in answers.items() if a not in REFUSED} == {}
    assert await _everything(superuser) == before


@pytest.mark.parametrize("way", BESIDES)
async def test_no_login_becomes_more_than_it_is(login: Any, way: str) -> None:
    assert await _tried(login, BESIDES[way]) in REFUSED


async def test_switching_row_security_off_shows_nothing_more(login: Any) -> None:
    answer = await _tried(login, "set local row_security = off; select * from loyalty.posting")

    assert answer in REFUSED  # Postgres will not answer rather than answer past a policy


async def test_the_same_ways_are_open_to_who_owns_the_tables(superuser: Any) -> None:
    """Or the statements above would prove nothing: they are refused for lack of rights alone."""
    unfit = {}
    for way, statement in ON_A_TABLE.items():
        if way in ("insert", "copy"):
            continue  # a row twice; a program on the server
        answer = await _tried(superuser, statement.format(t="posting"))
        if answer != "done":
            unfit[way] = answer

    assert unfit == {}


async def _append(superuser: Any, tenant: UUID) -> str:
    """A call of the append function that brings nothing."""
    count = await superuser.fetchval(
        "select pronargs from pg_proc where proname = 'append' order by oid desc limit 1"
    )
    return f"select loyalty.append('{tenant}', 1, now(), {', '.join(['null'] * (count - 3))})"


async def test_the_append_function_serves_its_own_tenant_only(login: Any, superuser: Any) -> None:
    may = await login.fetchval("select current_user") != "loyalty_audit"

    assert await _tried(login, await _append(superuser, THEIRS)) in REFUSED
    assert await _tried(login, await _append(superuser, MINE)) == ("done" if may else "42501")


async def test_a_table_of_its_name_does_not_divert_the_append_function(
    login: Any, superuser: Any
) -> None:
    """Who may make temporary tables cannot put one in the way: the search path is pinned."""
    before = await _everything(superuser)

    answer = await _tried(
        login,
        "create temp table fact as select * from loyalty.fact;"
        "create function pg_temp.tenant() returns uuid language sql as"
        f" $$ select '{THEIRS}'::uuid $$;"
        "set local search_path = pg_temp, loyalty;" + await _append(superuser, THEIRS),
    )

    assert answer in REFUSED
    assert await _everything(superuser) == before


# --- the start-up self-test -----------------------------------------------------------------------


@pytest.fixture
async def strong_login(
    request: pytest.FixtureRequest, scratch: Addresses, superuser: Any
) -> AsyncIterator[str]:
    """The address of a login that is more than a serving one."""
    role, grant = f"loyalty_test_{uuid4().hex[:12]}", request.param
    await superuser.execute(f"create role {role} login password 'x' {grant[0]}")
    try:
        await superuser.execute(
            f"grant usage on schema loyalty to {role};"
            f"grant select on loyalty.tenant to {role};" + grant[1].format(role=role)
        )
        yield address(scratch.admin, role, "x", scratch.admin.rpartition("/")[2])
    finally:
        await superuser.execute(f"drop owned by {role}; drop role {role}")


@pytest.mark.parametrize(
    ("strong_login", "why"),
    [
        (("superuser", ""), "superuser"),
        (("bypassrls", ""), "bypasses row-level security"),
        (("", "grant loyalty_owner to {role};"), "it owns"),
        (("", "create table loyalty.planted (); alter table loyalty.planted owner to {role};"),
         "it owns planted"),
    ],
    indirect=["strong_login"],
    ids=["superuser", "bypassrls", "owner by membership", "owner of one table"],
)  # fmt: skip
async def test_a_login_that_row_security_does_not_hold_is_refused(
    strong_login: str, why: str
) -> None:
    with pytest.raises(UnsafeLogin, match=why):
        await Database.open(strong_login, size=1)


@pytest.mark.parametrize("role", ["app", "worker"])
async def test_the_serving_logins_are_accepted(scratch: Addresses, role: str) -> None:
    database = await Database.open(getattr(scratch, role), size=1)
    await database.close()


async def test_a_schema_that_answers_without_a_tenant_is_refused(
    new_dsn: Any,
) -> None:
    made = await new_dsn()
    connection = await asyncpg.connect(made.admin)
    await connection.execute("alter policy tenant_isolation on loyalty.tenant using (true)")
    await connection.close()

    with pytest.raises(UnsafeLogin, match="without a tenant was answered"):
        await Database.open(made.app, size=1)
