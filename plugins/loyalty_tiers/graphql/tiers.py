"""Tiers and what they bring, as the API shows them."""

import strawberry

from loyalty_graphql.access import reached
from loyalty_graphql.scalars import Decimal
from loyalty_tiers.config import TiersConfig
from loyalty_tiers.tier import Tier


@strawberry.type
@reached
class TierPerk:
    """Something that comes with a tier."""

    id: str
    """Names it for the shop."""
    label: str
    """What members read."""
    description: str
    """More about it; may be empty."""


@strawberry.type
@reached
class TierBonus:
    """What a tier earns on top of what programs grant."""

    id: str
    """Names it in decisions, as `rule`."""
    label: str
    """What members read."""
    unit: str
    """Code of the unit that it is a bonus of."""
    factor: Decimal
    """The whole factor: 1.2 gives a fifth on top."""


@strawberry.type
@reached
class LadderTier:
    """A step of a ladder."""

    id: str
    """Names it, also in conditions: `member.tier == "gold"`."""
    label: str
    """What members read."""
    rank: int
    """Its place on the ladder, from 0."""
    by_invitation: bool
    """Whether staff give it, and nobody reaches it by what is counted."""
    perks: list[TierPerk]
    """What comes with it."""
    bonuses: list[TierBonus]
    """What it earns on top."""


def shown_tier(config: TiersConfig, tier: Tier) -> LadderTier:
    return LadderTier(
        id=tier.id,
        label=tier.label,
        rank=config.rank(tier.id),
        by_invitation=tier.by_invitation,
        perks=[
            TierPerk(id=perk.id, label=perk.label, description=perk.description)
            for perk in tier.perks
        ],
        bonuses=[
            TierBonus(
                id=rule.id,
                label=rule.label,
                unit=rule.unit or "",
                factor=Decimal(rule.bonus.factor),
            )
            for rule in tier.bonuses
            if rule.bonus is not None
        ],
    )
