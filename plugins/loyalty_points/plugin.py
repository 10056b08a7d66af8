"""The points program, on one screen."""

from collections.abc import Sequence

from loyalty.commands import Redeem
from loyalty.facts import ActivityRecorded, PurchaseRecorded
from loyalty.plugin import ActivityType, Counter, Plugin, PublishedFact, on
from loyalty.view import Stage
from loyalty_points.config import PointsConfig
from loyalty_points.facts import CarriedOver
from loyalty_points.jobs import carry_over
from loyalty_points.rules.capping import cap
from loyalty_points.rules.carrying import carry
from loyalty_points.rules.earning import earn
from loyalty_points.rules.promoting import promote
from loyalty_points.rules.redeeming import redeem, wanted_lots
from loyalty_points.running_sums import running_sums
from loyalty_points.uses import uses


def counters(config: PointsConfig) -> Sequence[Counter]:
    return [*uses(config), *running_sums(config.rules)]


def traits(config: PointsConfig) -> frozenset[str]:
    return config.traits


def promotes(config: PointsConfig) -> bool:
    return any(rule.is_promotion for rule in config.rules)


def caps(config: PointsConfig) -> bool:
    return bool(config.caps_on)


def rewards_activities(config: PointsConfig) -> bool:
    return any(rule.activities for rule in config.rules)


def activities(config: PointsConfig) -> Sequence[ActivityType]:
    return [activity.declared for activity in config.activities]


plugin = Plugin(
    name="points",
    description="Points for purchases and activities, spent as the tenant likes.",
    config=PointsConfig,
    reactions=(
        on(PurchaseRecorded, PointsConfig, earn, traits=traits),
        on(
            PurchaseRecorded,
            PointsConfig,
            promote,
            stage=Stage.BONUS,
            traits=traits,
            used_by=promotes,
        ),
        on(PurchaseRecorded, PointsConfig, cap, stage=Stage.CAP, used_by=caps),
        on(ActivityRecorded, PointsConfig, earn, traits=traits, used_by=rewards_activities),
        on(
            ActivityRecorded,
            PointsConfig,
            promote,
            stage=Stage.BONUS,
            traits=traits,
            used_by=promotes,
        ),
        on(ActivityRecorded, PointsConfig, cap, stage=Stage.CAP, used_by=caps),
        on(CarriedOver, PointsConfig, carry, used_by=caps),
        on(CarriedOver, PointsConfig, cap, stage=Stage.CAP, used_by=caps),
        on(Redeem, PointsConfig, redeem, burns=wanted_lots),
    ),
    facts=(PublishedFact(name=CarriedOver.KIND, fact=CarriedOver),),
    counters=counters,
    activities=activities,
    jobs=(carry_over,),
)
