"""The tenant that a replay happens in: its unit and its program, made once and found again."""

from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml

from loyalty.database import Database
from loyalty.plugin import Connection
from loyalty_app.demo.frames import ZONE
from loyalty_tenants.configs import Configs
from loyalty_tenants.principal import Actor, Role
from loyalty_tenants.programs import create_program
from loyalty_tenants.publishing import publish_program
from loyalty_tenants.tenants import TenantSettings, create_tenant, tenant_of_slug
from loyalty_tenants.units import create_unit

PROGRAM = "points"
UNIT = "points"
BY = Actor(role=Role.OPERATOR, subject="demo")


def program_config() -> dict[str, Any]:
    """The points program as `program.yaml` has it."""
    text = Path(__file__).with_name("program.yaml").read_text()
    config: dict[str, Any] = yaml.safe_load(text)
    return config


async def stand(database: Database, configs: Configs, slug: str, now: datetime) -> UUID:
    """The tenant of this slug. Made anew its program is in force from `now` on."""
    tenant_id = await tenant_of_slug(database, slug)
    if tenant_id is None:
        settings = TenantSettings(name="The Complete Journey", zone=str(ZONE), currencies=("USD",))
        made = await create_tenant(database, BY, slug=slug, settings=settings, now=now)
        tenant_id = made.tenant_id
    async with database.tenant(tenant_id) as connection:
        if await connection.fetchval("select count(*) from loyalty.program") == 0:
            await _furnish(connection, configs, now)
    return tenant_id


async def _furnish(connection: Connection, configs: Configs, now: datetime) -> None:
    await create_unit(connection, BY, code=UNIT, name="Points", now=now)
    program = await create_program(
        connection, configs, BY, slug=PROGRAM, kind="points", name="Points",
        config=program_config(), now=now,
    )  # fmt: skip
    await publish_program(
        connection, configs, BY, program.id, expected_version=program.version, now=now
    )
