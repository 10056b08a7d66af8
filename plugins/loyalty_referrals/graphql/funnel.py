"""How many of those who handed on a code brought somebody, and what came of it."""

from datetime import datetime

import strawberry

from loyalty_graphql.access import allow, reached
from loyalty_graphql.context import RequestInfo
from loyalty_referrals.graphql.programs import known
from loyalty_referrals.tables import reading
from loyalty_tenants.principal import Role


@strawberry.type
@reached
class ReferralFunnel:
    """Figures of a period, as things stand now."""

    shared: int
    """Members who handed on their code for the first time in the period."""
    enrolled: int
    """Friends who named a code in the period; all further figures are of these."""
    qualified: int
    """Friends who qualified and still do."""
    paid: int
    """Friends whose return window closed as well."""
    in_review: int
    """Friends about whom an admin has to decide."""
    blocked: int
    """Friends who were blocked or refused."""


@strawberry.type
class FunnelQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.OPERATOR, scope="programs:read")
    async def referral_funnel(
        self, info: RequestInfo, program: str, since: datetime, until: datetime
    ) -> ReferralFunnel | None:
        """From codes that were handed on to friends who are paid for; null: there is no such
        program.

        :param program: slug of the program
        :param since: begin of the period
        :param until: end of it; what happens then is not in it
        """
        context = info.context
        if (of := await known(context, program)) is None:
            return None
        async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
            row = await reading.funnel(connection, of.id, since, until, context.api.clock.now())
        return ReferralFunnel(**dict(row))
