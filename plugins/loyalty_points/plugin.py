"""The points program, on one screen."""

from loyalty.commands import Redeem
from loyalty.facts import PurchaseRecorded
from loyalty.plugin import Plugin, on
from loyalty_points.config import PointsConfig
from loyalty_points.rules.earning import earn
from loyalty_points.rules.redeeming import redeem, wanted_lots

plugin = Plugin(
    name="points",
    description="Points for purchases, spent as the tenant likes.",
    config=PointsConfig,
    reactions=(
        on(PurchaseRecorded, PointsConfig, earn),
        on(Redeem, PointsConfig, redeem, burns=wanted_lots),
    ),
)
