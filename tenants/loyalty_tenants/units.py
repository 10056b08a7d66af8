"""Units: what a tenant counts. Programs share them; their places never change."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from loyalty.errors import Code, Refused
from loyalty.orm import bound
from loyalty.plugin import Connection
from loyalty.units import Unit, UnitKind, currency_places
from loyalty_tenants import audit, models
from loyalty_tenants.epoch import raise_epoch
from loyalty_tenants.principal import Actor
from loyalty_tenants.slugs import check_name

PLACES_MAX = 9
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedUnit:
    """A unit and what people call it."""

    unit: Unit
    name: str


async def create_unit(
    connection: Connection,
    by: Actor,
    *,
    code: str,
    name: str,
    places: int | None = None,
    kind: UnitKind = UnitKind.POINTS,
    now: datetime,
) -> NamedUnit:
    """Create a unit. A MONEY unit is named by its currency and has that one's decimal places.

    :raises Refused: ALREADY_EXISTS, BAD_USER_INPUT or CURRENCY_NOT_LISTED, with the field
    """
    unit = Unit(code=_check_code(code, kind), places=_places(code, places, kind), kind=kind)
    name = check_name(name, longest=80)
    await raise_epoch(connection)
    if not await _insert(connection, unit, name, now):
        raise Refused(Code.ALREADY_EXISTS, f"there is a unit {code!r} already", field="code")
    await audit.write(
        connection,
        by,
        action="unit.create",
        subject=f"unit:{code}",
        details={"name": name, "places": unit.places, "kind": unit.kind},
        now=now,
    )
    return NamedUnit(unit=unit, name=name)


async def units(connection: Connection) -> Sequence[NamedUnit]:
    """The tenant's units by code."""
    return [
        NamedUnit(
            unit=Unit(code=row.code, places=row.places, kind=UnitKind(row.kind)), name=row.name
        )
        for row in await models.Unit.all().using_db(bound(connection)).order_by("code")
    ]


async def _insert(connection: Connection, unit: Unit, name: str, now: datetime) -> bool:
    status = await connection.execute(
        """insert into loyalty.unit (tenant_id, code, name, places, kind, created_at)
           values (loyalty.tenant(), $1, $2, $3, $4, $5)
           on conflict (tenant_id, code) do nothing""",
        unit.code,
        name,
        unit.places,
        unit.kind.value,
        now,
    )
    return status == "INSERT 0 1"


def _check_code(code: str, kind: UnitKind) -> str:
    if _CODE.fullmatch(code) is None:
        raise Refused(
            Code.BAD_USER_INPUT,
            "use 1 to 32 letters, digits and _, beginning with a letter, such as points",
            field="code",
        )
    is_currency = currency_places(code) is not None
    if kind is UnitKind.MONEY and not is_currency:
        raise Refused(
            Code.CURRENCY_NOT_LISTED,
            "a unit of kind MONEY is named by an ISO 4217 currency code, such as EUR",
            field="code",
        )
    if kind is UnitKind.POINTS and is_currency:
        # Amounts are read by their unit or currency code: one code must not mean two things.
        raise Refused(
            Code.BAD_USER_INPUT, "is the code of a currency: choose another", field="code"
        )
    return code


def _places(code: str, places: int | None, kind: UnitKind) -> int:
    if kind is UnitKind.MONEY:
        natural = currency_places(code)
        assert natural is not None, "the code was checked"
        if places is not None and places != natural:
            raise Refused(
                Code.BAD_USER_INPUT, f"{code} has {natural} decimal places", field="places"
            )
        return natural
    if places is not None and not 0 <= places <= PLACES_MAX:
        raise Refused(Code.BAD_USER_INPUT, f"must be from 0 to {PLACES_MAX}", field="places")
    return places or 0
