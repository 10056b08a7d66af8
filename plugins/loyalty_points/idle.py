"""Keys that do nothing beside the others in a points program: asked of drafts alone."""

from collections.abc import Iterator

from loyalty.plugin import IdleKey
from loyalty_earning import idle as earning
from loyalty_points.config import PointsConfig


def idle(config: PointsConfig) -> Iterator[IdleKey]:
    yield from earning.idle(config)
    yield from earning.of_redemption(config.redemption, ("redemption",))
