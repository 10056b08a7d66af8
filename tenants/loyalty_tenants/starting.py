"""A program started from a template."""

from datetime import datetime

from loyalty.errors import Code, Refused
from loyalty.plugin import Connection
from loyalty_tenants.configs import Configs
from loyalty_tenants.principal import Actor
from loyalty_tenants.program_records import ProgramRecord
from loyalty_tenants.programs import create_program
from loyalty_tenants.templates import Template
from loyalty_tenants.units import create_unit, units


async def start_program(
    connection: Connection,
    configs: Configs,
    by: Actor,
    template: Template,
    *,
    slug: str | None = None,
    name: str | None = None,
    create_units: bool = False,
    now: datetime,
) -> ProgramRecord:
    """Create a draft with the template's config, and its units where that is asked for.

    :raises Refused: UNIT_NOT_FOUND with the units that are missing in `details`; as
        `create_program`
    """
    there = {one.unit.code for one in await units(connection)}
    missing = [unit for unit in template.units if unit.code not in there]
    if missing and not create_units:
        raise Refused(
            Code.UNIT_NOT_FOUND,
            "the tenant has no unit " + ", ".join(repr(unit.code) for unit in missing)
            + ": create it, or pass createUnits",
            field="createUnits",
            details={"missing": [unit.code for unit in missing]},
        )  # fmt: skip
    for unit in missing:
        await create_unit(
            connection, by, code=unit.code, name=unit.name, places=unit.places, kind=unit.kind,
            now=now,
        )  # fmt: skip
    return await create_program(
        connection, configs, by, slug=slug or template.slug, kind=template.kind,
        name=name or template.name, config=dict(template.config), now=now,
    )  # fmt: skip
