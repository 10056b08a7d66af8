"""How long a tenant keeps what is kept for a time only."""

import strawberry

from loyalty_graphql.access import allow, reached
from loyalty_graphql.admin.changes import changing
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.outcomes import attempted
from loyalty_tenants.principal import Role
from loyalty_tenants.privacy import terms


@strawberry.type
@reached
class RetentionTerm:
    """Something that is kept for a time."""

    what: str
    """Its name, such as `audit_trail`."""
    description: str
    """What that is."""
    days: int | None
    """Days that it is kept; null: for good."""
    own: bool
    """Whether the tenant says so itself; else the installation does."""
    least: int
    """The fewest days that may be said."""


@strawberry.input
class SetRetentionInput:
    """How long something is kept."""

    what: str
    """Its name, as `retention` lists it."""
    days: int | None = None
    """Days; null: as the installation says."""


@strawberry.type
@reached
class SetRetentionPayload:
    """All terms after the change."""

    retention: list[RetentionTerm] | None
    """As they are now; null where nothing was done."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
class RetentionQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.OPERATOR, scope="audit:read")
    async def retention(self, info: RequestInfo) -> list[RetentionTerm]:
        """What is kept for a time only, and for how long. Everything else is kept for good."""
        context = info.context
        async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
            return _shown(context, dict(await terms.said(connection)))


@strawberry.type
class RetentionMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="tenant:write")
    async def set_retention(
        self, info: RequestInfo, input: SetRetentionInput
    ) -> SetRetentionPayload:
        """Say how long something is kept. What is older goes within minutes.

        :param input: what, and how long
        """
        found, refused = await attempted(_said(info.context, input))
        return SetRetentionPayload(retention=found, user_errors=user_errors(refused))


async def _said(context: Context, given: SetRetentionInput) -> list[RetentionTerm]:
    """:raises Refused: as `terms.say`"""
    async with changing(context) as connection:
        await terms.say(
            connection, context.actor, what=given.what, days=given.days,
            now=context.api.clock.now(),
        )  # fmt: skip
        return _shown(context, dict(await terms.said(connection)))


def _shown(context: Context, own: dict[str, int]) -> list[RetentionTerm]:
    kept = context.api.retention
    return [
        RetentionTerm(
            what=term.what,
            description=term.description,
            days=own.get(term.what, kept.days(term.what)),
            own=term.what in own,
            least=term.least,
        )
        for term in kept.terms.values()
    ]
