"""The two-person rule as a tenant sets it: above which amount, and whether publishing needs it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from loyalty.errors import Code, Refused
from loyalty.plugin import Connection
from loyalty.units import MINOR_MAX
from loyalty_tenants import audit
from loyalty_tenants.principal import Actor

LIFETIME = timedelta(days=7)
LIFETIME_MIN, LIFETIME_MAX = timedelta(minutes=1), timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """`above` says by unit from which amount on (more than it) a correction needs two."""

    above: Mapping[str, int] = field(default_factory=dict)
    publishing: bool = False
    lifetime: timedelta = LIFETIME

    @property
    def stands(self) -> bool:
        """Whether anything needs a second person: then changing the policy itself does too."""
        return bool(self.above) or self.publishing

    def body(self) -> dict[str, Any]:
        return {
            "above": dict(self.above),
            "publishing": self.publishing,
            "lifetime": self.lifetime.total_seconds(),
        }


def policy_of(body: Mapping[str, Any]) -> Policy:
    """The policy that `Policy.body` wrote."""
    return Policy(
        above=body["above"],
        publishing=body["publishing"],
        lifetime=timedelta(seconds=body["lifetime"]),
    )


async def policy(connection: Connection) -> Policy:
    """The tenant's rule; nothing needs a second person until it is set."""
    row = await connection.fetchrow(
        """select p.publishing, p.lifetime,
                  (select coalesce(jsonb_object_agg(t.unit, t.above), '{}')
                     from loyalty.approval_threshold t) as above
             from loyalty.approval_policy p"""
    )
    return Policy() if row is None else Policy(**dict(row))


def checked(wanted: Policy, units: Mapping[str, Any]) -> Policy:
    """:raises Refused: UNIT_NOT_FOUND, BAD_AMOUNT, BAD_USER_INPUT"""
    for unit, above in wanted.above.items():
        if unit not in units:
            raise Refused(
                Code.UNIT_NOT_FOUND, f"the tenant has no unit {unit!r}", field="thresholds"
            )
        if not 0 <= above <= MINOR_MAX:
            raise Refused(Code.BAD_AMOUNT, "must not be negative", field="thresholds")
    if not LIFETIME_MIN <= wanted.lifetime <= LIFETIME_MAX:
        raise Refused(
            Code.BAD_USER_INPUT, "must be from a minute to 90 days", field="lifetimeSeconds"
        )
    return wanted


async def store(connection: Connection, by: Actor, wanted: Policy, *, now: datetime) -> None:
    """Put a policy in force, in place of the one before."""
    await connection.execute(
        """insert into loyalty.approval_policy (tenant_id, publishing, lifetime, updated_at)
           values (loyalty.tenant(), $1, $2, $3)
           on conflict (tenant_id) do update set publishing = excluded.publishing,
             lifetime = excluded.lifetime, updated_at = excluded.updated_at""",
        wanted.publishing,
        wanted.lifetime,
        now,
    )
    await connection.execute("delete from loyalty.approval_threshold")
    await connection.execute(
        """insert into loyalty.approval_threshold (tenant_id, unit, above)
           select loyalty.tenant(), x.unit, x.above from unnest($1::text[], $2::bigint[])
             x(unit, above) order by x.unit""",
        list(wanted.above),
        list(wanted.above.values()),
    )
    await audit.write(
        connection,
        by,
        action="approval_policy.set",
        subject="approval_policy",
        details=wanted.body(),
        now=now,
    )
