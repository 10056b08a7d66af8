"""The setup the kernel decides by: complete, in two statements, each config parsed once."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from loyalty.database import Database
from loyalty.units import Unit, UnitKind
from loyalty_tenants.configs import Configs
from loyalty_tenants.principal import Actor
from loyalty_tenants.programs import create_program, update_program
from loyalty_tenants.publishing import activate_version, publish_program
from loyalty_tenants.setups import TenantSetups
from loyalty_tenants.tenants import TenantRecord
from loyalty_tenants.units import create_unit

DAY = timedelta(days=1)


class Counted:
    """Counts the statements that go over a connection."""

    def __init__(self, connection: Any) -> None:
        self.connection, self.statements = connection, 0

    async def fetch(self, *args: Any) -> Any:
        self.statements += 1
        return await self.connection.fetch(*args)

    async def fetchrow(self, *args: Any) -> Any:
        self.statements += 1
        return await self.connection.fetchrow(*args)


async def publish(
    connection: Any, configs: Configs, by: Actor, slug: str, at: datetime, **config: Any
) -> Any:
    made = await create_program(
        connection,
        configs,
        by,
        slug=slug,
        kind="punch",
        name=slug,
        config={"unit": "points", **config},
        now=at,
    )
    return await publish_program(
        connection, configs, by, made.id, expected_version=made.version, now=at
    )


async def test_a_setup_holds_all_that_decides(
    database: Database, tenant: TenantRecord, configs: Configs, boss: Actor, now: datetime
) -> None:
    async with database.tenant(tenant.tenant_id) as connection:
        await create_unit(connection, boss, code="EUR", name="E", kind=UnitKind.MONEY, now=now)
        for slug in ("b", "a2", "c3"):
            await publish(connection, configs, boss, slug + "x", now, rules=[])
        counted = Counted(connection)
        setup = await TenantSetups(configs).load(counted, tenant.tenant_id)
    assert counted.statements == 2
    assert (setup.slug, setup.zone.key, setup.currencies) == (
        tenant.slug,
        "Europe/Madrid",
        ("EUR",),
    )
    assert setup.units == {
        "EUR": Unit(code="EUR", places=2, kind=UnitKind.MONEY),
        "points": Unit(code="points"),
    }
    assert [program.slug for program in setup.programs] == ["bx", "a2x", "c3x"]
    version = setup.programs[0].versions[0]
    assert version.config.unit == "points"
    assert (len(version.draw_secret), version.backfilling) == (32, False)
    assert setup.programs[0].at(now) == version
    assert setup.programs[0].at(now - DAY) is None


async def test_a_config_is_parsed_once(
    database: Database, tenant: TenantRecord, configs: Configs, boss: Actor, now: datetime
) -> None:
    source = TenantSetups(configs)
    async with database.tenant(tenant.tenant_id) as connection:
        await publish(connection, configs, boss, "punch", now)
        first = await source.load(connection, tenant.tenant_id)
        second = await source.load(connection, tenant.tenant_id)
    assert first == second
    assert first.programs[0].versions[0].config is second.programs[0].versions[0].config


@pytest.mark.parametrize(
    ("activated", "in_force"),
    [(2, [1, 1, 2, 2, 3, 3]), (5, [1, 1, 1, 1, 3, 3])],
)
async def test_a_version_that_waited_for_its_backfill_does_not_displace_a_newer_one(
    database: Database,
    tenant: TenantRecord,
    configs: Configs,
    boss: Actor,
    now: datetime,
    record_fact: Any,
    activated: int,
    in_force: list[int],
) -> None:
    async with database.tenant(tenant.tenant_id) as connection:
        first = await publish(connection, configs, boss, "punch", now)
    await record_fact(tenant, now)
    numbers = {}
    async with database.tenant(tenant.tenant_id) as connection:
        for days, version, counted in ((1, 2, ["visits"]), (3, 4, [])):
            await update_program(
                connection,
                configs,
                boss,
                first.program_id,
                expected_version=version,
                config={"unit": "points", "counted": counted},
                now=now,
            )
            published = await publish_program(
                connection,
                configs,
                boss,
                first.program_id,
                expected_version=version + 1,
                effective_from=now + days * DAY,
                now=now,
            )
            numbers[published.number] = published
        source = TenantSetups(configs)
        waiting = (await source.load(connection, tenant.tenant_id)).programs[0]
        await activate_version(
            connection, numbers[2].id, by=boss, now=now + activated * DAY - DAY / 2
        )
        active = (await source.load(connection, tenant.tenant_id)).programs[0]
    instants = [now + day * DAY for day in (0, 1, 2, 2.5, 3, 6)]
    assert [at.number for instant in instants if (at := waiting.at(instant))] == [1, 1, 1, 1, 3, 3]
    assert [at.number for instant in instants if (at := active.at(instant))] == in_force


async def test_there_is_no_setup_of_nobody(database: Database, configs: Configs) -> None:
    stranger = uuid4()
    async with database.tenant(stranger) as connection:
        with pytest.raises(LookupError):
            await TenantSetups(configs).load(connection, stranger)
