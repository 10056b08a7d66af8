"""What a tenant sets for a points program. Its JSON Schema is published, so every key says what
it is for. A config that was accepted never fails a rule later."""

from functools import cached_property
from typing import Annotated, Any, ClassVar

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from loyalty_earning import commands as earning
from loyalty_earning.config import EarningConfig
from loyalty_earning.section import named_once
from loyalty_earning.spending import Redemption
from loyalty_points.commands import Choose
from loyalty_points.dividend import Dividend, has_a_lasting_base
from loyalty_points.expiry import Expiry
from loyalty_points.issuing import ISSUINGS_MAX, Issuing, unlike_the_rules
from loyalty_points.lot_terms import PointsLots
from loyalty_points.rewards import MaxPerOrder, Reward, Rewards


class PointsConfig(EarningConfig):
    """A points program: what members earn, how long it lasts and how it is spent."""

    chosen_by: ClassVar[type[earning.Choose] | None] = Choose

    redemption: Redemption = Redemption()
    """What one redemption may ask for, and whether it can be undone."""
    rewards: Rewards = ()
    """What points are worth at fixed prices: `redeemPoints(reward:)` takes one."""
    max_rewards_per_order: MaxPerOrder = None
    """How many rewards one order takes; null: any number."""
    issuing: Annotated[tuple[Issuing, ...], Field(max_length=ISSUINGS_MAX)] = ()
    """Days on which points become rewards."""
    dividend: Dividend | None = None
    """What a year's base gives by a rate that is declared afterwards; null: there is none."""
    expiry: Expiry = Expiry()
    """Notices ahead of what ends, and where it goes then."""

    @field_validator("rewards")
    @classmethod
    def _rewards_differ(cls, rewards: Rewards) -> Rewards:
        return named_once(rewards, "id")

    @field_validator("issuing", "dividend")
    @classmethod
    def _is_no_rule(cls, given: Any, info: ValidationInfo) -> Any:
        if isinstance(given, Dividend):
            if info.data.get("rewards"):
                raise _fault("the base of a dividend is for nothing else: leave rewards out")
            has_a_lasting_base(info.data)
        return unlike_the_rules(given, info.data)

    @cached_property
    def rewards_by_id(self) -> dict[str, Reward]:
        return {reward.id: reward for reward in self.rewards}

    @cached_property
    def reward_traits(self) -> frozenset[str]:
        """What the conditions of all rewards read of the member."""
        conditions = [reward.condition for reward in self.rewards]
        return frozenset(name for one in conditions if one is not None for name in one.traits)

    @cached_property
    def lots(self) -> PointsLots:
        """In which units and under which terms the program's lots are granted."""
        return PointsLots.of_points(self)


def _fault(text: str) -> PydanticCustomError:
    return PydanticCustomError("config", "{fault}", {"fault": text})
