"""The secrets a tenant signs its own HS256 tokens with: one, or two while it is being replaced."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from loyalty.errors import Code, Refused
from loyalty.ids import new_id
from loyalty.plugin import Connection
from loyalty_tenants import audit
from loyalty_tenants.epoch import raise_epoch
from loyalty_tenants.principal import Actor

SECRET_BYTES = 32
OVERLAP = timedelta(hours=24)
OVERLAP_MAX = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningSecret:
    """`kid` goes into the header of each token; `text` is the HS256 key, taken as ASCII bytes."""

    kid: UUID
    text: str = field(repr=False)
    created_at: datetime


async def rotate_secret(
    connection: Connection, by: Actor, *, overlap: timedelta = OVERLAP, now: datetime
) -> SigningSecret:
    """Make a new secret, shown this once. The one before it stays valid for `overlap`.

    An `overlap` of nothing ends it at once. Any older one ends now: two at most are ever valid.

    :raises Refused: BAD_USER_INPUT
    """
    if not timedelta(0) <= overlap <= OVERLAP_MAX:
        raise Refused(
            Code.BAD_USER_INPUT, f"must be from 0 to {OVERLAP_MAX.days} days", field="overlap"
        )
    await raise_epoch(connection)
    fresh = SigningSecret(kid=new_id(), text=secrets.token_urlsafe(SECRET_BYTES), created_at=now)
    await _retire(connection, ends=now + overlap)
    await connection.execute(
        """insert into loyalty.tenant_secret (tenant_id, id, secret, created_at)
           values (loyalty.tenant(), $1, $2, $3)""",
        fresh.kid,
        fresh.text.encode("ascii"),
        now,
    )
    await audit.write(
        connection,
        by,
        action="secret.rotate",
        subject=f"tenant_secret:{fresh.kid}",
        details={"overlapSeconds": int(overlap.total_seconds())},
        now=now,
    )
    return fresh


async def _retire(connection: Connection, *, ends: datetime) -> None:
    """Let the newest secret end at `ends` and drop those before it."""
    newest = await connection.fetchval(
        "select id from loyalty.tenant_secret where retires_at is null"
    )
    await connection.execute(
        "delete from loyalty.tenant_secret where id is distinct from $1", newest
    )
    await connection.execute("update loyalty.tenant_secret set retires_at = $1", ends)
