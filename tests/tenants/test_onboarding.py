"""A tenant and its first key come together; lists that operators and admins page through."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from loyalty.database import Database
from loyalty.errors import Code, Refused
from loyalty.ids import new_id
from loyalty_app.logins import Addresses
from loyalty_tenants import audit, tenants
from loyalty_tenants.configs import Configs
from loyalty_tenants.onboarding import onboard
from loyalty_tenants.principal import Actor, Role
from loyalty_tenants.program_records import latest_versions
from loyalty_tenants.programs import create_program
from loyalty_tenants.publishing import publish_program
from loyalty_tenants.tenants import TenantRecord, TenantSettings

SETTINGS = TenantSettings(name="New", zone="UTC", parking=timedelta(seconds=90))


async def test_a_tenant_comes_with_a_key_for_its_admin(
    database: Database, boss: Actor, now: datetime, door: Any
) -> None:
    slug = f"new-{new_id().hex[-10:]}"
    made = await onboard(database, boss, slug=slug, settings=SETTINGS, now=now)
    principal = await door.authenticator.authenticate({"x-api-key": made.key.text})
    assert (principal.tenant_id, principal.role) == (made.tenant.tenant_id, Role.ADMIN)
    assert made.key.text not in repr(made)
    async with database.tenant(made.tenant.tenant_id) as connection:
        actions = [entry.action for entry in await audit.entries(connection)]
    assert actions == ["key.create", "tenant.create"]


async def test_a_tenant_whose_key_cannot_be_made_is_not_there(
    new_dsn: Callable[[], Awaitable[Addresses]], boss: Actor, now: datetime
) -> None:
    dsn = await new_dsn()
    everything = await asyncpg.connect(dsn.admin)
    await everything.execute("revoke insert on loyalty.api_key from loyalty_app")
    database = await Database.open(dsn.app, acquire_timeout=30)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await onboard(database, boss, slug="new", settings=SETTINGS, now=now)
    await database.close()
    assert await everything.fetchval("select count(*) from loyalty.tenant") == 0
    await everything.close()


async def test_a_taken_slug_leaves_no_key_behind(
    database: Database, boss: Actor, now: datetime, tenant: TenantRecord, admin: Any
) -> None:
    counts = "select count(*) from loyalty.api_key"
    before = await admin.fetchval(counts)
    with pytest.raises(Refused) as refused:
        await onboard(database, boss, slug=tenant.slug, settings=SETTINGS, now=now)
    assert (refused.value.code, refused.value.field) == (Code.ALREADY_EXISTS, "slug")
    assert await admin.fetchval(counts) == before


async def test_listed_tenants_are_as_they_read_themselves(
    database: Database, boss: Actor, now: datetime
) -> None:
    made = [
        (await onboard(
            database, boss, slug=f"new-{new_id().hex[-10:]}", settings=SETTINGS, now=now
        )).tenant
        for _ in range(4)
    ]  # fmt: skip
    async with database.tenant(made[0].tenant_id) as connection:
        own = await tenants.tenant(connection)
    before = [tenant.tenant_id for tenant in made]
    forward = await tenants.page(database, beyond=before[0], count=2)
    assert [tenant.tenant_id for tenant in forward] == before[1:3]
    backward = await tenants.page(database, beyond=before[3], count=3, backward=True)
    assert [tenant.tenant_id for tenant in backward] == before[2::-1]
    assert backward[-1] == own
    assert own.parking == timedelta(seconds=90)


async def test_only_the_api_may_list_tenants(dsn: Addresses) -> None:
    for login in (dsn.worker, dsn.audit):
        connection = await asyncpg.connect(login)
        try:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.fetchval("select loyalty.tenant_page(null, 10, false)")
        finally:
            await connection.close()


async def test_the_latest_versions_of_several_programs(
    database: Database, boss: Actor, now: datetime, tenant: TenantRecord, configs: Configs
) -> None:
    async with database.tenant(tenant.tenant_id) as connection:
        ids = []
        for slug, times in (("one", 3), ("two", 1), ("none", 0)):
            program = await create_program(
                connection, configs, boss, slug=slug, kind="punch", name=slug,
                config={"unit": "points"}, now=now,
            )  # fmt: skip
            for number in range(times):
                await publish_program(
                    connection, configs, boss, program.id, expected_version=number + 1, now=now
                )
            ids.append(program.id)
        found = await latest_versions(connection, ids, count=2)
    assert [[version.number for version in found[key]] for key in ids] == [[3, 2], [1], []]
    assert {version.program_id for version in found[ids[0]]} == {ids[0]}
