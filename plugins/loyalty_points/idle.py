"""Keys that do nothing beside the others in a points program: asked of drafts alone."""

from collections.abc import Iterator

from loyalty.plugin import IdleKey
from loyalty_earning import idle as earning
from loyalty_points.config import PointsConfig

NO_REWARDS = "there are no rewards to take: give rewards, or leave max_rewards_per_order out"


def idle(config: PointsConfig) -> Iterator[IdleKey]:
    yield from earning.idle(config)
    yield from earning.of_redemption(config.redemption, ("redemption",))
    if config.max_rewards_per_order is not None and not config.rewards:
        yield ("max_rewards_per_order",), NO_REWARDS
