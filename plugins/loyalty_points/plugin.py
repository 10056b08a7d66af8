"""The points program, on one screen."""

from collections.abc import Sequence

from loyalty.commands import Redeem
from loyalty.facts import ActivityRecorded, PurchaseRecorded
from loyalty.plugin import ActivityType, Counter, Plugin, on
from loyalty.view import Stage
from loyalty_points.config import PointsConfig
from loyalty_points.rules.capping import cap
from loyalty_points.rules.earning import earn
from loyalty_points.rules.promoting import promote
from loyalty_points.rules.redeeming import redeem, wanted_lots
from loyalty_points.running_sums import running_sums
from loyalty_points.uses import uses


def counters(config: PointsConfig) -> Sequence[Counter]:
    return [*uses(config), *running_sums(config.rules)]


def activities(config: PointsConfig) -> Sequence[ActivityType]:
    return [activity.declared for activity in config.activities]


plugin = Plugin(
    name="points",
    description="Points for purchases and activities, spent as the tenant likes.",
    config=PointsConfig,
    reactions=(
        on(PurchaseRecorded, PointsConfig, earn),
        on(PurchaseRecorded, PointsConfig, promote, stage=Stage.BONUS),
        on(PurchaseRecorded, PointsConfig, cap, stage=Stage.CAP),
        on(ActivityRecorded, PointsConfig, earn),
        on(ActivityRecorded, PointsConfig, promote, stage=Stage.BONUS),
        on(ActivityRecorded, PointsConfig, cap, stage=Stage.CAP),
        on(Redeem, PointsConfig, redeem, burns=wanted_lots),
    ),
    counters=counters,
    activities=activities,
)
