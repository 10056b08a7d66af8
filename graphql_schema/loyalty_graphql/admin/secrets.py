"""Secrets that a tenant signs its own tokens with."""

from datetime import timedelta

import strawberry

from loyalty_graphql.access import allow, reached
from loyalty_graphql.admin.changes import changing, renamed
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.outcomes import attempted
from loyalty_tenants import signing
from loyalty_tenants.principal import Role
from loyalty_tenants.signing import SigningSecret

OVERLAP_SECONDS = int(signing.OVERLAP.total_seconds())


@strawberry.input
class RotateTenantSecretInput:
    """How long the secret before stays good."""

    overlap_seconds: int = OVERLAP_SECONDS
    """Seconds until the secret before it ends, at most 30 days; 0 ends it at once."""


@strawberry.type
@reached
class RotateTenantSecretPayload:
    """A new signing secret."""

    kid: str | None
    """What tokens name it by, in the `kid` of their header; null where nothing was done."""
    secret: str | None
    """The HS256 key, taken as ASCII bytes. Shown this once."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
class SecretMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="tenant:write")
    async def rotate_tenant_secret(
        self, info: RequestInfo, input: RotateTenantSecretInput
    ) -> RotateTenantSecretPayload:
        """Make a new secret for the tenant's own tokens; two at most are good at a time.

        :param input: how long the one before it stays good
        """
        made, refused = await attempted(_rotated(info.context, input))
        return RotateTenantSecretPayload(
            kid=None if made is None else str(made.kid),
            secret=None if made is None else made.text,
            user_errors=user_errors(renamed(refused, {"overlap": "overlapSeconds"})),
        )


async def _rotated(context: Context, given: RotateTenantSecretInput) -> SigningSecret:
    async with changing(context) as connection:
        return await signing.rotate_secret(
            connection,
            context.actor,
            overlap=timedelta(seconds=given.overlap_seconds),
            now=context.api.clock.now(),
        )
