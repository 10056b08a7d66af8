"""What a tenant says of how long things are kept."""

from collections.abc import Mapping
from datetime import datetime

from loyalty.errors import Code, Refused
from loyalty.jobs.cleaning import TERMS as KERNEL_TERMS
from loyalty.plugin import Connection
from loyalty.retention import Term, check
from loyalty_tenants import audit
from loyalty_tenants.cleaning import TERMS as TENANT_TERMS
from loyalty_tenants.principal import Actor

TERMS: tuple[Term, ...] = (*KERNEL_TERMS, *TENANT_TERMS)
_NAMES = {term.what: term for term in TERMS}


async def said(connection: Connection) -> Mapping[str, int]:
    """The days that the tenant says itself, by term."""
    rows = await connection.fetch("select what, days from loyalty.retention")
    return {row["what"]: row["days"] for row in rows}


async def say(
    connection: Connection, by: Actor, *, what: str, days: int | None, now: datetime
) -> None:
    """Keep something for so many days; None: as the installation says.

    :raises Refused: NOT_FOUND for a term that does not exist, BAD_USER_INPUT for too few days
    """
    if what not in _NAMES:
        raise Refused(Code.NOT_FOUND, f"name one of {', '.join(sorted(_NAMES))}", field="what")
    before = (await said(connection)).get(what)
    if days is None:
        await connection.execute("delete from loyalty.retention where what = $1", what)
    else:
        try:
            check(_NAMES, what, days)
        except ValueError as error:
            raise Refused(Code.BAD_USER_INPUT, str(error), field="days") from None
        await connection.execute(
            """insert into loyalty.retention as r (tenant_id, what, days, updated_at)
               values (loyalty.tenant(), $1, $2, $3) on conflict (tenant_id, what)
               do update set days = excluded.days, updated_at = excluded.updated_at""",
            what, days, now,
        )  # fmt: skip
    await audit.write(
        connection, by, action="retention.set", subject=f"retention:{what}", now=now,
        details={"before": before, "days": days},
    )  # fmt: skip
