"""The ladders that a tenant has."""

import strawberry

from loyalty_graphql.access import allow, reached
from loyalty_graphql.context import RequestInfo
from loyalty_tenants.principal import Role
from loyalty_tiers.graphql.tiers import LadderTier, shown_tier
from loyalty_tiers.ladders import ladders


@strawberry.type
@reached
class LadderChallenge:
    """A challenge that members may take."""

    id: str
    """Names it in `startChallenge`."""
    label: str
    """What members read."""
    tier: str
    """Id of the tier that it leads to."""
    lasts: str
    """How long members have, as an ISO 8601 duration."""
    meanwhile: bool
    """Whether they have the tier while it runs."""


@strawberry.type
@reached
class TierLadder:
    """A ladder of tiers."""

    program: str
    """Slug of the program."""
    name: str
    """Its name."""
    tiers: list[LadderTier]
    """Its steps, the lowest first."""
    challenges: list[LadderChallenge]
    """The challenges that lead up it."""


@strawberry.type
class LadderQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="programs:read")
    async def tier_ladders(self, info: RequestInfo) -> list[TierLadder]:
        """The ladders in force now, in the order of their programs."""
        setup = await info.context.setup()
        return [
            TierLadder(
                program=program.slug,
                name=program.name,
                tiers=[shown_tier(config, tier) for tier in config.tiers],
                challenges=[
                    LadderChallenge(
                        id=one.id, label=one.label, tier=one.tier, lasts=one.lasts,
                        meanwhile=one.meanwhile,
                    )
                    for one in config.challenges
                ],
            )
            for program, config in ladders(setup, info.context.api.clock.now())
        ]  # fmt: skip
