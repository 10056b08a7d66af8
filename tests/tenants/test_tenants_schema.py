"""The tables of this floor: models that fit them, rights that are narrow, tenants kept apart."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import asyncpg
import pytest
from tortoise.models import Model

from loyalty.database import Database
from loyalty.orm import bound
from loyalty.plugin_set import PluginSet
from loyalty_app.logins import Addresses
from loyalty_tenants import models
from loyalty_tenants.configs import Configs
from loyalty_tenants.egress import Reach
from loyalty_tenants.issuers import Issuer, set_issuer
from loyalty_tenants.keys import issue_key
from loyalty_tenants.principal import Actor, Role
from loyalty_tenants.programs import create_program
from loyalty_tenants.publishing import publish_program
from loyalty_tenants.signing import rotate_secret
from loyalty_tenants.tenants import TenantRecord
from loyalty_tenants.webhooks.deliveries import ping
from loyalty_tenants.webhooks.endpoints import Rules
from loyalty_tenants.webhooks.endpoints import create as create_endpoint
from loyalty_tenants.webhooks.topics import Topics

MODELS = [
    model
    for model in vars(models).values()
    if isinstance(model, type) and issubclass(model, Model) and not model._meta.abstract
]
TABLES = sorted(model._meta.db_table for model in MODELS)
TYPES = {
    "CharField": "text",
    "TextField": "text",
    "UUIDField": "uuid",
    "SmallIntField": "smallint",
    "IntField": "integer",
    "BigIntField": "bigint",
    "DatetimeField": "timestamp with time zone",
    "BinaryField": "bytea",
    "Json": "jsonb",
    "ArrayField": "ARRAY",
}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
async def test_a_model_is_its_table(model: type[Model], admin: Any) -> None:
    rows = await admin.fetch(
        """select column_name, data_type, is_nullable from information_schema.columns
            where table_schema = $1 and table_name = $2""",
        model._meta.schema,
        model._meta.db_table,
    )
    columns = {row["column_name"]: (row["data_type"], row["is_nullable"] == "YES") for row in rows}
    fields = {
        field.source_field or name: (TYPES[type(field).__name__], field.null)
        for name, field in model._meta.fields_map.items()
    }
    assert fields == columns


async def test_every_table_of_this_floor_has_a_model() -> None:
    assert TABLES == [
        "api_key",
        "audit_entry",
        "program",
        "program_secret",
        "program_version",
        "tenant_issuer",
        "tenant_secret",
        "unit",
        "webhook_delivery",
        "webhook_endpoint",
        "webhook_event",
        "webhook_line",
        "webhook_secret",
    ]


@pytest.fixture
async def full(
    database: Database,
    make_tenant: Callable[[], Awaitable[TenantRecord]],
    configs: Configs,
    boss: Actor,
    now: datetime,
) -> TenantRecord:
    """A tenant with a row in every table."""
    made = await make_tenant()
    async with database.tenant(made.tenant_id) as connection:
        program = await create_program(
            connection,
            configs,
            boss,
            slug="punch",
            kind="punch",
            name="P",
            config={"unit": "points", "webhook_secret": "hush"},
            now=now,
        )
        await publish_program(connection, configs, boss, program.id, expected_version=1, now=now)
        await issue_key(connection, boss, role=Role.ADMIN, client="c", now=now)
        await rotate_secret(connection, boss, now=now)
        issuer = Issuer(
            issuer="https://a.example",
            jwks_url="https://a.example/keys",
            algorithms=("RS256",),
            audience="loyalty",
        )
        await set_issuer(connection, boss, issuer, now=now)
        rules = Rules(topics=Topics(PluginSet([])), reach=Reach())
        hook = await create_endpoint(
            connection, boss, rules, url="https://a.example/", topics=["*"], description="", now=now
        )
        await ping(connection, boss, hook.endpoint.id, now=now)
    return made


@pytest.mark.parametrize("table", TABLES)
async def test_rows_of_others_are_neither_seen_nor_changed(
    table: str,
    full: TenantRecord,
    make_tenant: Callable[[], Awaitable[TenantRecord]],
    database: Database,
    admin: Any,
) -> None:
    count = f"select count(*) from loyalty.{table}"
    theirs = await admin.fetchval(count + " where tenant_id = $1", full.tenant_id)
    assert theirs > 0
    other = await make_tenant()
    async with database.tenant(other.tenant_id) as connection:
        where = " where tenant_id = $1"
        assert await connection.fetchval(count + where, full.tenant_id) == 0
    row = await admin.fetchrow(
        f"select * from loyalty.{table}" + where + " limit 1", full.tenant_id
    )
    values = ", ".join(f"${number + 1}" for number in range(len(row)))

    async def plant() -> None:
        async with database.tenant(other.tenant_id) as connection:
            await connection.execute(f"insert into loyalty.{table} values ({values})", *row)

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await plant()
    assert await admin.fetchval(count + where, full.tenant_id) == theirs


@pytest.mark.parametrize(
    "statement",
    [
        "update loyalty.program_version set config = '{}'",
        "update loyalty.program_version set effective_from = now()",
        "update loyalty.program_version set draw_secret = draw_secret",
        "delete from loyalty.program_version",
        "update loyalty.audit_entry set details = '{}'",
        "delete from loyalty.audit_entry",
        "update loyalty.api_key set hash = hash",
        "update loyalty.api_key set scopes = '{}'",
        "delete from loyalty.api_key",
        "update loyalty.tenant_secret set secret = secret",
        "update loyalty.unit set places = 3",
        "delete from loyalty.unit",
        "delete from loyalty.program",
        "truncate loyalty.audit_entry",
        "select secret from loyalty.webhook_secret",
        "update loyalty.webhook_secret set secret = secret",
        "select body from loyalty.webhook_event",
        "update loyalty.webhook_event set topic = topic",
        "update loyalty.webhook_line set lease_until = now()",
        "delete from loyalty.webhook_delivery",
        "select loyalty.claim_webhooks(1, 1, 1, '1 minute')",
    ],
)
async def test_what_the_app_may_never_do(
    statement: str, full: TenantRecord, database: Database
) -> None:
    async def attempt() -> None:
        async with database.tenant(full.tenant_id) as connection:
            await connection.execute(statement)

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await attempt()


@pytest.mark.parametrize(
    "columns",
    [
        "draw_secret from loyalty.program_version",
        "value from loyalty.program_secret",
        "hash from loyalty.api_key",
        "secret from loyalty.tenant_secret",
        "id from loyalty.tenant_secret",
        "secret from loyalty.webhook_secret",
    ],
)
async def test_the_auditor_reads_no_secret(
    columns: str, full: TenantRecord, dsn: Addresses
) -> None:
    auditor = await Database.open(dsn.audit, size=1)

    async def read(what: str) -> Any:
        async with auditor.tenant(full.tenant_id) as connection:
            return await connection.fetch("select " + what)

    try:
        assert await read("action from loyalty.audit_entry")
        assert await read("config from loyalty.program_version")
        assert await read("client from loyalty.api_key")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await read(columns)
    finally:
        await auditor.close()


async def test_without_a_tenant_only_the_owner_of_a_key_is_answered(
    full: TenantRecord, database: Database, admin: Any
) -> None:
    ask = "select loyalty.tenant_of_key($1)"
    prefix = await admin.fetchval(
        "select prefix from loyalty.api_key where tenant_id = $1", full.tenant_id
    )
    assert str(await database.unscoped(ask, prefix)) == str(full.tenant_id)
    assert await database.unscoped(ask, "a" * 16) is None
    assert await database.unscoped(ask, None) is None
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.unscoped("select prefix from loyalty.api_key limit 1")
    plan = await admin.fetchrow(
        """select r.rolname, p.prosecdef, p.proconfig,
                  has_function_privilege('loyalty_audit', p.oid, 'execute') as for_all
             from pg_proc p join pg_roles r on r.oid = p.proowner
            where p.proname = 'tenant_of_key'"""
    )
    assert tuple(plan) == ("loyalty_queue", True, ["search_path=pg_catalog, pg_temp"], False)


async def test_a_query_that_names_no_connection_leads_nowhere() -> None:
    with pytest.raises(OSError, match="Connect call failed"):
        await models.Unit.all()


async def test_json_is_not_encoded_twice(full: TenantRecord, database: Database) -> None:
    async with database.tenant(full.tenant_id) as connection:
        client = bound(connection)
        program = await models.Program.get(slug="punch", using_db=client)
        assert program.draft == {"unit": "points"}
        kind = await connection.fetchval("select jsonb_typeof(draft) from loyalty.program")
    assert kind == "object"
