"""Issuers whose tokens a tenant accepts: its own identity provider, with its published keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import httpx

from loyalty.errors import Code, Refused
from loyalty.orm import bound
from loyalty.plugin import Connection
from loyalty_tenants import audit, models
from loyalty_tenants.egress import Blocked, Reach
from loyalty_tenants.epoch import raise_epoch
from loyalty_tenants.principal import Actor

ALGORITHMS = ("RS256", "ES256", "EdDSA")
ISSUERS_MAX = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """`issuer` and `audience` are compared with `iss` and `aud` to the letter."""

    issuer: str
    jwks_url: str
    algorithms: tuple[str, ...]
    audience: str


async def set_issuer(
    connection: Connection,
    by: Actor,
    issuer: Issuer,
    *,
    insecure: bool = False,
    now: datetime,
) -> Issuer:
    """Accept tokens of this issuer from now on; replaces what was set for it before.

    `insecure` allows plain http and any port: for tests and laptops.

    :raises Refused: BAD_USER_INPUT or LIMIT_EXCEEDED, with the field
    """
    check_url(issuer.issuer, field="issuer", insecure=insecure)
    check_url(issuer.jwks_url, field="jwksUrl", insecure=insecure)
    if not issuer.algorithms or set(issuer.algorithms) - set(ALGORITHMS):
        raise Refused(
            Code.BAD_USER_INPUT, f"use some of {', '.join(ALGORITHMS)}", field="algorithms"
        )
    if not 1 <= len(issuer.audience) <= 500:
        raise Refused(Code.BAD_USER_INPUT, "must be 1 to 500 characters", field="audience")
    await raise_epoch(connection)
    await _check_room(connection, issuer.issuer)
    await connection.execute(
        """insert into loyalty.tenant_issuer
             (tenant_id, issuer, jwks_url, algorithms, audience, created_at)
           values (loyalty.tenant(), $1, $2, $3, $4, $5)
           on conflict (tenant_id, issuer) do update set jwks_url = excluded.jwks_url,
             algorithms = excluded.algorithms, audience = excluded.audience""",
        issuer.issuer,
        issuer.jwks_url,
        list(issuer.algorithms),
        issuer.audience,
        now,
    )
    await audit.write(
        connection,
        by,
        action="issuer.set",
        subject=f"issuer:{issuer.issuer}",
        details={"jwksUrl": issuer.jwks_url, "algorithms": list(issuer.algorithms)},
        now=now,
    )
    return issuer


async def remove_issuer(connection: Connection, by: Actor, issuer: str, *, now: datetime) -> None:
    """Accept no more tokens of this issuer.

    :raises Refused: NOT_FOUND
    """
    await raise_epoch(connection)
    status = await connection.execute("delete from loyalty.tenant_issuer where issuer = $1", issuer)
    if status != "DELETE 1":
        raise Refused(Code.NOT_FOUND, "there is no such issuer", field="issuer")
    await audit.write(connection, by, action="issuer.remove", subject=f"issuer:{issuer}", now=now)


async def issuers(connection: Connection) -> Sequence[Issuer]:
    """The issuers the tenant accepts, by name."""
    rows = await models.TenantIssuer.all().using_db(bound(connection)).order_by("issuer")
    return [
        Issuer(
            issuer=row.issuer,
            jwks_url=row.jwks_url,
            algorithms=tuple(row.algorithms),
            audience=row.audience,
        )
        for row in rows
    ]


def check_url(text: str, *, field: str, insecure: bool) -> httpx.URL:
    """An absolute https address without user, fragment or odd port.

    :raises Refused: BAD_USER_INPUT with the field
    """
    try:
        return Reach(anywhere=insecure).url(text)
    except Blocked:
        raise Refused(
            Code.BAD_USER_INPUT,
            "must be a plain https address such as https://login.example.com/keys",
            field=field,
        ) from None


async def _check_room(connection: Connection, issuer: str) -> None:
    others = await connection.fetchval(
        "select count(*) from loyalty.tenant_issuer where issuer <> $1", issuer
    )
    if others >= ISSUERS_MAX:
        raise Refused(
            Code.LIMIT_EXCEEDED, f"a tenant has at most {ISSUERS_MAX} issuers", field="issuer"
        )
