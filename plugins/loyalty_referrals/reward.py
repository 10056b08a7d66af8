"""What a side of a referral is given."""

from functools import cached_property
from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from loyalty.effects import AccountingClass, TakeBack
from loyalty_earning.earning_rule import UnitCode
from loyalty_earning.notation import PositiveText
from loyalty_earning.section import Identifier, Name, Section
from loyalty_earning.terms import Lifespan

REWARDS_MAX = 20


class Reward(Section):
    """An amount of a unit, or a challenge of another program that begins."""

    id: Identifier
    """Unique in the program and kept for ever: the ledger names it."""
    label: Name
    """What members read beside it."""
    unit: UnitCode | None = None
    """Code of the unit that is given: points, a cashback unit, any."""
    amount: PositiveText | None = None
    """How much of it."""
    challenge: Identifier | None = None
    """Instead of a unit: the id of a challenge that other programs of the tenant begin for the
    member when they hear of `referrals.rewarded/1`."""
    accounting_class: AccountingClass = AccountingClass.MARKETING
    """What the reward is to the books."""
    lifetime: Lifespan | None = None
    """How long what is given lives, counted from when it can be used; null: for ever."""
    take_back: TakeBack = TakeBack.DEFICIT
    """When it is taken back and spent: the member owes it (deficit), or the program bears it
    (clamp)."""

    @model_validator(mode="after")
    def _is_one_thing(self) -> "Reward":
        if (self.challenge is None) != (self.unit is not None and self.amount is not None) or (
            self.challenge is not None and (self.unit is not None or self.amount is not None)
        ):
            raise PydanticCustomError("reward", "is either unit with amount, or challenge alone")
        if self.take_back is TakeBack.REFUSE:
            raise PydanticCustomError(
                "reward", "take_back may not refuse: the return is another member's"
            )
        return self


class Step(Reward):
    """A further reward for the referrer when so many friends stand."""

    friends: Annotated[int, Field(strict=True, ge=1, le=100_000)]
    """How many friends who qualified reach the step."""


class Rewards(Section):
    """What both sides are given."""

    friend: Annotated[tuple[Reward, ...], Field(max_length=REWARDS_MAX)] = ()
    """What the friend is given."""
    referrer: Annotated[tuple[Reward, ...], Field(max_length=REWARDS_MAX)] = ()
    """What the referrer is given for each friend."""
    ladder: Annotated[tuple[Step, ...], Field(max_length=REWARDS_MAX)] = ()
    """What the referrer is given once more, when the first, the fifth, the tenth friend stands.
    A step is given once as long as so many friends stand, and taken back when fewer do."""

    @model_validator(mode="after")
    def _is_something(self) -> "Rewards":
        entries: tuple[Reward, ...] = (*self.friend, *self.referrer, *self.ladder)
        if not entries:
            raise PydanticCustomError("rewards", "name a reward for friend, referrer or ladder")
        ids = [reward.id for reward in entries]
        if twice := [one for at, one in enumerate(ids) if one in ids[:at]]:
            raise PydanticCustomError("rewards", "{fault}", {"fault": f"{twice[0]} is used twice"})
        return self

    @cached_property
    def steps(self) -> dict[str, Step]:
        return {step.id: step for step in self.ladder}
