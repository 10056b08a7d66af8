"""The two-person rule as a tenant sets it."""

from datetime import timedelta

import strawberry

from loyalty.errors import Code, Refused
from loyalty.setup import Setup
from loyalty.units import format_minor, parse_minor
from loyalty_graphql.access import allow, reached
from loyalty_graphql.admin.changes import changing
from loyalty_graphql.approvals import ApprovalRequest, shown_approval
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.outcomes import attempted
from loyalty_graphql.scalars import Decimal
from loyalty_graphql.units import unit_of
from loyalty_tenants.desk import approvals, policy
from loyalty_tenants.desk.approvals import Approval, ApprovalKind
from loyalty_tenants.desk.policy import Policy
from loyalty_tenants.principal import Role


@strawberry.type
@reached
class ApprovalThreshold:
    """From which amount on a correction needs a second person."""

    unit: str
    """Code of the unit."""
    above: Decimal
    """Corrections that come to more than this, given and taken together, need one."""


@strawberry.type
@reached
class ApprovalPolicy:
    """What needs a second person."""

    thresholds: list[ApprovalThreshold]
    """By unit; a unit that is not there needs none."""
    publishing: bool
    """Whether putting a program in force does."""
    lifetime_seconds: int
    """How long a request waits."""


@strawberry.input
class ApprovalThresholdInput:
    """From which amount on a correction needs a second person."""

    unit: str
    """Code of the unit."""
    above: Decimal
    """Corrections that come to more than this, given and taken together, need one."""


@strawberry.input
class SetApprovalPolicyInput:
    """The rule as a whole."""

    thresholds: list[ApprovalThresholdInput] = strawberry.field(default_factory=list)
    """By unit; a unit that is not there needs none."""
    publishing: bool = False
    """Whether putting a program in force does."""
    lifetime_seconds: int = int(policy.LIFETIME.total_seconds())
    """How long a request waits, from a minute to 90 days; at first 7 days."""


@strawberry.type
@reached
class ApprovalPolicyPayload:
    """The rule after what was asked."""

    policy: ApprovalPolicy | None
    """As it is now; null where nothing was done."""
    approval: ApprovalRequest | None
    """Where a rule stands already, a second person must approve the new one first: this request."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
class ApprovalPolicyQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.OPERATOR, scope="programs:read")
    async def approval_policy(self, info: RequestInfo) -> ApprovalPolicy:
        """What needs a second person."""
        context, setup = info.context, await info.context.setup()
        async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
            return _shown(await policy.policy(connection), setup)


@strawberry.type
class ApprovalPolicyMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="tenant:write")
    async def set_approval_policy(
        self, info: RequestInfo, input: SetApprovalPolicyInput
    ) -> ApprovalPolicyPayload:
        """Say what needs a second person. While something does, a change of this rule does too.

        :param input: the rule as a whole
        """
        context, setup = info.context, await info.context.setup()
        done, refused = await attempted(_set(context, input, setup))
        if done is None:
            return ApprovalPolicyPayload(
                policy=None, approval=None, user_errors=user_errors(refused)
            )
        now, asked = context.api.clock.now(), done[1]
        return ApprovalPolicyPayload(
            policy=_shown(done[0], setup), user_errors=[],
            approval=None if asked is None else shown_approval(asked, now, setup),
        )  # fmt: skip


async def _set(
    context: Context, given: SetApprovalPolicyInput, setup: Setup
) -> tuple[Policy, Approval | None]:
    wanted = policy.checked(_policy(given, setup), setup.units)
    now = context.api.clock.now()
    async with changing(context) as connection:
        standing = await policy.policy(connection)
        if not standing.stands:
            await policy.store(connection, context.actor, wanted, now=now)
            return wanted, None
        asked = await approvals.ask(
            connection, context.actor, context.who.client, kind=ApprovalKind.POLICY,
            subject="approval_policy", body=wanted.body(), lifetime=standing.lifetime, now=now,
        )  # fmt: skip
        return standing, asked


def _policy(given: SetApprovalPolicyInput, setup: Setup) -> Policy:
    above: dict[str, int] = {}
    for index, one in enumerate(given.thresholds):
        unit = unit_of(setup, one.unit, f"thresholds.{index}.unit")
        if unit.code in above:
            raise Refused(
                Code.BAD_USER_INPUT, "names the unit twice", field=f"thresholds.{index}.unit"
            )
        field = f"thresholds.{index}.above"
        above[unit.code] = parse_minor(one.above, unit.places, field=field)
    return Policy(
        above=above,
        publishing=given.publishing,
        lifetime=timedelta(seconds=given.lifetime_seconds),
    )


def _shown(found: Policy, setup: Setup) -> ApprovalPolicy:
    return ApprovalPolicy(
        thresholds=[
            ApprovalThreshold(
                unit=unit, above=Decimal(format_minor(minor, setup.places(unit) or 0))
            )
            for unit, minor in sorted(found.above.items())
        ],
        publishing=found.publishing,
        lifetime_seconds=int(found.lifetime.total_seconds()),
    )
