"""Tenants are created, changed, suspended and resumed; each change leaves a trace."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from loyalty.database import Database
from loyalty.errors import Code, Refused
from loyalty.setup import TenantStatus
from loyalty_tenants import audit
from loyalty_tenants.principal import Actor
from loyalty_tenants.settings import check_zone, zones
from loyalty_tenants.tenants import (
    TenantRecord,
    TenantSettings,
    create_tenant,
    resume_tenant,
    suspend_tenant,
    tenant_of_slug,
    update_tenant,
)
from loyalty_tenants.tenants import tenant as read_tenant

Make = Callable[[], Awaitable[TenantRecord]]


async def test_a_new_tenant_has_its_settings_and_an_entry_in_its_trail(
    database: Database, tenant: TenantRecord
) -> None:
    assert (tenant.zone, tenant.currencies, tenant.status) == (
        "Europe/Madrid",
        ("EUR",),
        TenantStatus.ACTIVE,
    )
    assert await tenant_of_slug(database, tenant.slug) == tenant.tenant_id
    async with database.tenant(tenant.tenant_id) as connection:
        written = await audit.entries(connection)
    assert [entry.action for entry in written] == ["unit.create", "tenant.create"]
    assert written[1].subject == f"tenant:{tenant.slug}"
    assert (written[1].actor, written[1].role, written[1].request_id) == ("boss", "ADMIN", "r-1")


async def test_a_slug_is_given_once(
    database: Database, tenant: TenantRecord, boss: Actor, now: datetime
) -> None:
    settings = TenantSettings(name="Other", zone="UTC")
    with pytest.raises(Refused) as refused:
        await create_tenant(database, boss, slug=tenant.slug, settings=settings, now=now)
    assert (refused.value.code, refused.value.field) == (Code.ALREADY_EXISTS, "slug")


@pytest.mark.parametrize(
    ("slug", "given", "code", "field"),
    [
        ("a", {}, Code.BAD_USER_INPUT, "slug"),
        ("Brand", {}, Code.BAD_USER_INPUT, "slug"),
        ("-brand", {}, Code.BAD_USER_INPUT, "slug"),
        ("x" * 41, {}, Code.BAD_USER_INPUT, "slug"),
        ("loyalty", {}, Code.BAD_USER_INPUT, "slug"),
        ("0192e4b0-1234-7abc-8def-0123456789ab", {}, Code.BAD_USER_INPUT, "slug"),
        ("brand", {"name": " "}, Code.BAD_USER_INPUT, "name"),
        ("brand", {"name": "a\nb"}, Code.BAD_USER_INPUT, "name"),
        ("brand", {"name": None}, Code.BAD_USER_INPUT, "name"),
        ("brand", {"zone": "Madrid"}, Code.BAD_USER_INPUT, "zone"),
        ("brand", {"currencies": ("EUR", "EURO")}, Code.CURRENCY_NOT_LISTED, "currencies.1"),
        ("brand", {"total_tolerance": -1}, Code.BAD_AMOUNT, "totalTolerance"),
        ("brand", {"backdating": timedelta(days=-1)}, Code.BAD_USER_INPUT, "backdating"),
        ("brand", {"ahead": timedelta(days=2)}, Code.BAD_USER_INPUT, "ahead"),
        ("brand", {"parking": timedelta(days=400)}, Code.BAD_USER_INPUT, "parking"),
    ],
)
async def test_bad_settings_are_refused_with_their_field(
    database: Database,
    boss: Actor,
    now: datetime,
    slug: str,
    given: dict[str, Any],
    code: Code,
    field: str,
) -> None:
    settings = TenantSettings(**{"name": "Brand", "zone": "UTC", **given})
    with pytest.raises(Refused) as refused:
        await create_tenant(database, boss, slug=slug, settings=settings, now=now)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert await tenant_of_slug(database, slug) is None


async def test_a_change_raises_the_epoch_and_is_written_down(
    database: Database, tenant: TenantRecord, boss: Actor, now: datetime
) -> None:
    settings = TenantSettings(currencies=("EUR", "JPY"), backdating=timedelta(days=3))
    async with database.tenant(tenant.tenant_id) as connection:
        before = await read_tenant(connection)
        after = await update_tenant(connection, boss, settings, now=now)
        newest = (await audit.entries(connection, first=1))[0]
    assert after.epoch == before.epoch + 1
    assert (after.currencies, after.backdating, after.name) == (
        ("EUR", "JPY"),
        timedelta(days=3),
        before.name,
    )
    assert newest.action == "tenant.update"
    assert newest.details == {"currencies": ["EUR", "JPY"], "backdating": 3 * 86400}


async def test_a_change_that_fails_leaves_neither_epoch_nor_entry(
    database: Database, tenant: TenantRecord, boss: Actor, now: datetime
) -> None:
    async def change_and_stumble() -> None:
        async with database.tenant(tenant.tenant_id) as connection:
            await update_tenant(connection, boss, TenantSettings(name="Other"), now=now)
            raise ZeroDivisionError

    async with database.tenant(tenant.tenant_id) as connection:
        before = await read_tenant(connection)
    with pytest.raises(ZeroDivisionError):
        await change_and_stumble()
    async with database.tenant(tenant.tenant_id) as connection:
        assert await read_tenant(connection) == before
        assert "tenant.update" not in {e.action for e in await audit.entries(connection)}


async def test_suspend_and_resume(
    database: Database, tenant: TenantRecord, boss: Actor, now: datetime
) -> None:
    async with database.tenant(tenant.tenant_id) as connection:
        before = await read_tenant(connection)
        suspended = await suspend_tenant(connection, boss, now=now)
        resumed = await resume_tenant(connection, boss, now=now)
        actions = [entry.action for entry in await audit.entries(connection, first=2)]
    assert (suspended.status, resumed.status) == (TenantStatus.SUSPENDED, TenantStatus.ACTIVE)
    assert resumed.epoch == before.epoch + 2
    assert actions == ["tenant.resume", "tenant.suspend"]


async def test_what_is_not_there_is_not_found(
    database: Database, boss: Actor, now: datetime
) -> None:
    with pytest.raises(Refused) as refused:
        async with database.tenant(uuid4()) as connection:
            await suspend_tenant(connection, boss, now=now)
    assert refused.value.code is Code.NOT_FOUND


async def test_the_trail_is_read_in_pages_and_only_by_its_tenant(
    database: Database, make_tenant: Make, boss: Actor, now: datetime
) -> None:
    mine, other = await make_tenant(), await make_tenant()
    async with database.tenant(mine.tenant_id) as connection:
        for name in "abcd":
            await update_tenant(connection, boss, TenantSettings(name=name), now=now)
        first = await audit.entries(connection, first=3)
        rest = await audit.entries(connection, first=100, before=first[-1].id)
    assert [entry.details.get("name") for entry in first] == ["d", "c", "b"]
    assert [entry.action for entry in rest] == ["tenant.update", "unit.create", "tenant.create"]
    async with database.tenant(other.tenant_id) as connection:
        assert len(await audit.entries(connection)) == 2


NOT_OF_IANA = [
    "localtime", "Factory", "posixrules", "posix/Europe/Madrid", "right/UTC", "leapseconds",
    "tzdata.zi", "zone.tab", "europe/madrid", "Europe/Madrid ", "../UTC", "/etc/localtime",
    "Europe/", "Europe", "UTC+1", "", "EST5EDT4", "Europe/Madrid\0",
]  # fmt: skip


@pytest.mark.parametrize("name", NOT_OF_IANA)
def test_what_a_machine_has_beside_the_zones_of_iana_is_refused(name: str) -> None:
    with pytest.raises(Refused) as refused:
        check_zone(name)
    assert (refused.value.code, refused.value.field) == (Code.BAD_USER_INPUT, "zone")
    assert "Europe/Madrid" in refused.value.message


def test_every_zone_of_iana_is_taken_and_can_be_reckoned_with() -> None:
    assert len(zones()) > 550
    assert {"UTC", "Europe/Madrid", "America/Argentina/Buenos_Aires", "Etc/GMT+12"} <= zones()
    for name in zones():
        assert ZoneInfo(check_zone(name)).utcoffset(datetime(2026, 1, 1, tzinfo=UTC)) is not None
