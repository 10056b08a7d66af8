"""What a point costs: set on a unit or on what one program gives of it, from an instant on."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from loyalty.errors import Code, Refused
from loyalty.plugin import Connection
from loyalty.units import Rounding, currency_places, rounded
from loyalty_tenants import audit
from loyalty_tenants.principal import Actor

_COST = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)
OF_THE_UNIT = ""  # in place of a program's slug


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Money for one whole unit, such as 0.008 EUR a point."""

    each: str
    currency: str

    def of(self, minor: int, places: int) -> Fraction:
        """What so many minor units of the unit cost, exactly, in whole money."""
        return Fraction(self.each) * Fraction(minor, 10**places)

    def money(self, exact: Fraction) -> int:
        """The same in minor units of the currency, rounded half up, once."""
        places = currency_places(self.currency)
        assert places is not None, "the currency was checked"
        return rounded(exact * 10**places, Rounding.HALF_UP)


async def costs(connection: Connection, unit: str, at: datetime) -> Mapping[str, Cost]:
    """The costs in force at an instant, by program; one statement."""
    rows = await connection.fetch(
        """select distinct on (program) program, cost, currency from loyalty.point_cost
            where unit = $1 and since <= $2 order by program, since desc""",
        unit,
        at,
    )
    return {row["program"]: Cost(each=row["cost"], currency=row["currency"]) for row in rows}


async def set_cost(
    connection: Connection,
    by: Actor,
    *,
    unit: str,
    program: str | None,
    cost: str,
    currency: str,
    since: datetime,
    now: datetime,
) -> Cost:
    """Say what a unit costs from an instant on; of what one program gives, or of all others.

    :raises Refused: BAD_AMOUNT, CURRENCY_NOT_LISTED, NOT_FOUND (the program)
    """
    if not _COST.fullmatch(cost):
        raise Refused(
            Code.BAD_AMOUNT, "send a plain decimal number with at most 9 places", field="cost"
        )
    if currency_places(currency) is None:
        raise Refused(
            Code.CURRENCY_NOT_LISTED, "is not an ISO 4217 currency code", field="currency"
        )
    if program is not None and not await connection.fetchval(
        "select exists (select from loyalty.program where slug = $1)", program
    ):
        raise Refused(Code.NOT_FOUND, "there is no such program", field="program")
    await connection.execute(
        """insert into loyalty.point_cost
             (tenant_id, unit, program, since, cost, currency, recorded_at)
           values (loyalty.tenant(), $1, $2, $3, $4, $5, $6)
           on conflict (tenant_id, unit, program, since) do update set cost = excluded.cost,
             currency = excluded.currency, recorded_at = excluded.recorded_at""",
        unit, program or OF_THE_UNIT, since, cost, currency, now,
    )  # fmt: skip
    details = {"program": program, "cost": cost, "currency": currency, "since": since.isoformat()}
    await audit.write(
        connection, by, action="unit.cost", subject=f"unit:{unit}", details=details, now=now
    )
    return Cost(each=cost, currency=currency)
