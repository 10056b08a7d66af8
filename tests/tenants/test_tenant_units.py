"""A unit's code and places are for ever; money follows its currency."""

from datetime import datetime

import pytest

from loyalty.database import Database
from loyalty.errors import Code, Refused
from loyalty.units import Unit, UnitKind
from loyalty_tenants.principal import Actor
from loyalty_tenants.tenants import TenantRecord
from loyalty_tenants.tenants import tenant as read_tenant
from loyalty_tenants.units import create_unit, units


async def test_units_of_both_kinds(
    database: Database, tenant: TenantRecord, boss: Actor, now: datetime
) -> None:
    async with database.tenant(tenant.tenant_id) as connection:
        before = await read_tenant(connection)
        money = await create_unit(
            connection, boss, code="JPY", name="Yen", kind=UnitKind.MONEY, now=now
        )
        await create_unit(connection, boss, code="miles", name="Miles", places=3, now=now)
        codes = [each.unit.code for each in await units(connection)]
        after = await read_tenant(connection)
    assert money.unit == Unit(code="JPY", places=0, kind=UnitKind.MONEY)
    assert sorted(codes) == ["JPY", "miles", "points"]
    assert after.epoch == before.epoch + 2


@pytest.mark.parametrize(
    ("code", "places", "kind", "refusal", "field"),
    [
        ("points", 0, UnitKind.POINTS, Code.ALREADY_EXISTS, "code"),
        ("my points", 0, UnitKind.POINTS, Code.BAD_USER_INPUT, "code"),
        ("1up", 0, UnitKind.POINTS, Code.BAD_USER_INPUT, "code"),
        ("x" * 33, 0, UnitKind.POINTS, Code.BAD_USER_INPUT, "code"),
        ("EUR", 0, UnitKind.POINTS, Code.BAD_USER_INPUT, "code"),
        ("stars", 10, UnitKind.POINTS, Code.BAD_USER_INPUT, "places"),
        ("stars", -1, UnitKind.POINTS, Code.BAD_USER_INPUT, "places"),
        ("stars", None, UnitKind.MONEY, Code.CURRENCY_NOT_LISTED, "code"),
        ("EUR", 3, UnitKind.MONEY, Code.BAD_USER_INPUT, "places"),
    ],
)
async def test_bad_units_are_refused_with_their_field(
    database: Database,
    tenant: TenantRecord,
    boss: Actor,
    now: datetime,
    code: str,
    places: int | None,
    kind: UnitKind,
    refusal: Code,
    field: str,
) -> None:
    with pytest.raises(Refused) as refused:
        async with database.tenant(tenant.tenant_id) as connection:
            await create_unit(
                connection, boss, code=code, name="U", places=places, kind=kind, now=now
            )
    assert (refused.value.code, refused.value.field) == (refusal, field)
    async with database.tenant(tenant.tenant_id) as connection:
        assert [each.unit.code for each in await units(connection)] == ["points"]
