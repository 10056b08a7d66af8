"""Reasons of corrections: the tenant's own list, with what members read and how long it lives.

As long as a tenant has listed none, any code will do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from loyalty.days import Span, SpanEnd
from loyalty.errors import Code, Refused
from loyalty.plugin import Connection
from loyalty_tenants import audit
from loyalty_tenants.principal import Actor
from loyalty_tenants.slugs import check_name

REASONS_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """`label` is what members read; what is given lives for `expires_after` (None: for ever)."""

    code: str
    label: str
    expires_after: str | None
    expires_end: SpanEnd
    retired_at: datetime | None


_ROWS = """select code, label, expires_after, expires_end, retired_at
             from loyalty.adjustment_reason"""


async def reasons(connection: Connection, *, retired: bool = False) -> Sequence[Reason]:
    """The tenant's list by code; with those that were retired, or without."""
    rows = await connection.fetch(
        _ROWS + ("" if retired else " where retired_at is null") + " order by code"
    )
    return [_reason(row) for row in rows]


async def listed(connection: Connection, code: str) -> Reason | None:
    """The reason of a code; None where the tenant lists none at all.

    :raises Refused: REASON_NOT_LISTED with the list in `details`
    """
    known = await reasons(connection, retired=True)
    if not known:
        return None
    for reason in known:
        if reason.code == code and reason.retired_at is None:
            return reason
    codes = [reason.code for reason in known if reason.retired_at is None]
    raise Refused(
        Code.REASON_NOT_LISTED,
        f"the tenant lists no reason {code!r}: {_instead(codes)}",
        field="reasonCode",
        details={"listed": codes},
    )


def _instead(codes: Sequence[str]) -> str:
    return f"use one of {', '.join(codes)}" if codes else "list one first, all are retired"


async def set_reason(
    connection: Connection,
    by: Actor,
    *,
    code: str,
    label: str,
    expires_after: str | None,
    expires_end: SpanEnd,
    now: datetime,
) -> Reason:
    """List a reason, or change one; one that was retired is listed again.

    :raises Refused: BAD_USER_INPUT, LIMIT_EXCEEDED
    """
    label = check_name(label, longest=200, field="label")
    if expires_after is not None:
        try:
            Span.parse(expires_after)
        except ValueError as error:
            raise Refused(Code.BAD_USER_INPUT, str(error), field="expiresAfter") from None
    known = await reasons(connection, retired=True)
    if len(known) >= REASONS_MAX and code not in {reason.code for reason in known}:
        raise Refused(Code.LIMIT_EXCEEDED, f"list at most {REASONS_MAX} reasons", field="code")
    row = await connection.fetchrow(
        """insert into loyalty.adjustment_reason
             (tenant_id, code, label, expires_after, expires_end, created_at)
           values (loyalty.tenant(), $1, $2, $3, $4, $5)
           on conflict (tenant_id, code) do update set label = excluded.label,
             expires_after = excluded.expires_after, expires_end = excluded.expires_end,
             retired_at = null
           returning code, label, expires_after, expires_end, retired_at""",
        code, label, expires_after, expires_end.value, now,
    )  # fmt: skip
    details = {"label": label, "expiresAfter": expires_after, "ends": expires_end}
    await audit.write(
        connection, by, action="reason.set", subject=f"reason:{code}", details=details, now=now
    )
    return _reason(row)


async def retire_reason(connection: Connection, by: Actor, *, code: str, now: datetime) -> Reason:
    """Take a reason from the list; what was corrected for it keeps it.

    :raises Refused: NOT_FOUND
    """
    row = await connection.fetchrow(
        """update loyalty.adjustment_reason set retired_at = $2
            where code = $1 and retired_at is null
           returning code, label, expires_after, expires_end, retired_at""",
        code, now,
    )  # fmt: skip
    if row is None:
        raise Refused(Code.NOT_FOUND, "the tenant lists no such reason", field="code")
    await audit.write(connection, by, action="reason.retire", subject=f"reason:{code}", now=now)
    return _reason(row)


def _reason(row: object) -> Reason:
    values = dict(row)  # type: ignore[call-overload]
    return Reason(**{**values, "expires_end": SpanEnd(values["expires_end"])})
