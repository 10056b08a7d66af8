"""Issuers whose tokens a tenant accepts: its own identity providers."""

import strawberry

from loyalty_graphql.access import allow, reached
from loyalty_graphql.admin.changes import changing
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.outcomes import attempted
from loyalty_tenants import issuers
from loyalty_tenants.issuers import Issuer
from loyalty_tenants.principal import Role


@strawberry.type
@reached
class TokenIssuer:
    """Somebody whose tokens the tenant accepts, verified with the keys they publish."""

    issuer: str
    """What their tokens say in `iss`, to the letter."""
    jwks_url: str
    """Where their keys are published."""
    algorithms: list[str]
    """How they may sign: RS256, ES256, EdDSA."""
    audience: str
    """What their tokens must say in `aud`, to the letter."""


@strawberry.input
class SetTokenIssuerInput:
    """Whose tokens to accept from now on; replaces what was set for the same `issuer`."""

    issuer: str
    """What the tokens say in `iss`: an https address."""
    jwks_url: str
    """Where the keys are published: an https address."""
    algorithms: list[str]
    """How tokens may be signed: some of RS256, ES256, EdDSA."""
    audience: str
    """What the tokens must say in `aud`."""


@strawberry.input
class RemoveTokenIssuerInput:
    """Whose tokens to accept no longer."""

    issuer: str
    """What the tokens say in `iss`."""


@strawberry.type
@reached
class TokenIssuerPayload:
    """An issuer after what was asked."""

    issuer: TokenIssuer | None
    """As it is set now; null where it was removed or nothing was done."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
class IssuerQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.OPERATOR, scope="tenant:write")
    async def token_issuers(self, info: RequestInfo) -> list[TokenIssuer]:
        """The issuers whose tokens the tenant accepts besides its own, at most 5."""
        context = info.context
        async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
            return [_shown(one) for one in await issuers.issuers(connection)]


@strawberry.type
class IssuerMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="tenant:write")
    async def set_token_issuer(
        self, info: RequestInfo, input: SetTokenIssuerInput
    ) -> TokenIssuerPayload:
        """Accept the tokens of an issuer.

        :param input: which issuer, and how its tokens are verified
        """
        made, refused = await attempted(_set(info.context, input))
        return TokenIssuerPayload(
            issuer=None if made is None else _shown(made), user_errors=user_errors(refused)
        )

    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="tenant:write")
    async def remove_token_issuer(
        self, info: RequestInfo, input: RemoveTokenIssuerInput
    ) -> TokenIssuerPayload:
        """Accept the tokens of an issuer no longer.

        :param input: which issuer
        """
        _, refused = await attempted(_removed(info.context, input))
        return TokenIssuerPayload(issuer=None, user_errors=user_errors(refused))


async def _set(context: Context, given: SetTokenIssuerInput) -> Issuer:
    issuer = Issuer(
        issuer=given.issuer,
        jwks_url=given.jwks_url,
        algorithms=tuple(dict.fromkeys(given.algorithms)),
        audience=given.audience,
    )
    async with changing(context) as connection:
        return await issuers.set_issuer(
            connection, context.actor, issuer, now=context.api.clock.now()
        )


async def _removed(context: Context, given: RemoveTokenIssuerInput) -> None:
    async with changing(context) as connection:
        await issuers.remove_issuer(
            connection, context.actor, given.issuer, now=context.api.clock.now()
        )


def _shown(issuer: Issuer) -> TokenIssuer:
    return TokenIssuer(
        issuer=issuer.issuer,
        jwks_url=issuer.jwks_url,
        algorithms=list(issuer.algorithms),
        audience=issuer.audience,
    )
