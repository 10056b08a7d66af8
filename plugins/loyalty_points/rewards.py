"""The rewards ladder: what points are worth at the till, at fixed prices."""

from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from math import ceil
from typing import Annotated, Any

from pydantic import Field, PrivateAttr, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from loyalty.conditions import Condition
from loyalty.days import Span
from loyalty.units import parse_minor, ratio
from loyalty_earning.limits import Limit, Limits
from loyalty_earning.notation import CurrencyAmounts, PositiveText, SpanText, minor_of
from loyalty_earning.periods import Per
from loyalty_earning.section import Identifier, Name, Section
from loyalty_earning.selection import Selection
from loyalty_earning.standing import MemberCondition, condition_of
from loyalty_earning.times import Effective

REWARDS_MAX = 100
ORDER_MAX = 100
UNIT_PLACES_MAX = 6


class RewardKind(StrEnum):
    """What a reward is."""

    AMOUNT = "amount"  # so much money off
    PERCENT = "percent"  # a part of what is bought off, up to a maximum
    ITEM = "item"  # one piece of a product for nothing


class Reward(Section):
    """One rung of the ladder: what it costs, what it gives, and to whom."""

    id: Identifier
    """Unique in the program and kept for ever: `redeemPoints` and history name it."""
    label: Name
    """What members read."""
    cost: PositiveText
    """How many points it takes."""
    kind: RewardKind
    """What it is: amount (money off), percent (a part off) or item (a product for nothing)."""
    amount: CurrencyAmounts | None = None
    """For an amount: how much is taken off, by currency."""
    percent: PositiveText | None = None
    """For a percent: how many hundredths are taken off; at most "100"."""
    maximum: CurrencyAmounts | None = None
    """For a percent: the most that it takes off, by currency; null: no maximum."""
    item: Name | None = None
    """For an item: the stock keeping unit that is given."""
    scope: Selection = Selection()
    """The lines that an amount or a percent is taken off; nothing named: all products."""
    effective: Effective = Effective()
    """The days on which it can be redeemed."""
    when: MemberCondition | None = None
    """Who may have it: a condition in CEL on the member and the day, such as
    `member.tier == "gold"`; null: everybody."""
    valid_for: SpanText | None = None
    """How long a reserved reward can be used, in whole days; null: as `redemption` holds points."""
    per_order: Annotated[int, Field(strict=True, ge=1, le=ORDER_MAX)] | None = None
    """How many of this reward one order takes; null: as many as `max_rewards_per_order`."""
    limits: Limits = ()
    """How often a member may have it. What was given back (released, lapsed, reversed) is not
    counted."""

    _condition: Condition | None = PrivateAttr(default=None)

    @field_validator("cost")
    @classmethod
    def _fits_any_unit(cls, cost: str) -> str:
        parse_minor(cost, UNIT_PLACES_MAX, field="cost")
        return cost

    @field_validator("limits")
    @classmethod
    def _are_members_own(cls, limits: tuple[Limit, ...]) -> tuple[Limit, ...]:
        if any(limit.per is not Per.MEMBER for limit in limits):
            raise PydanticCustomError("limits", "a reward is limited per member")
        return limits

    @field_validator("scope")
    @classmethod
    def _is_the_same_for_all(cls, scope: Selection) -> Selection:
        if scope.choice is not None:
            raise PydanticCustomError("scope", "names lines by lists alone, not by a choice")
        return scope

    @field_validator("percent")
    @classmethod
    def _is_a_part(cls, percent: str | None, info: ValidationInfo) -> str | None:
        if percent is not None and ratio(percent) > 100:
            raise PydanticCustomError("percent", "must be at most 100")
        return percent

    @model_validator(mode="after")
    def _keys_fit_its_kind(self) -> "Reward":
        for kind in RewardKind:
            given = getattr(self, kind.value) is not None
            if given is not (kind is self.kind):
                what = "is missing" if kind is self.kind else "does not go with it: leave it out"
                raise PydanticCustomError(
                    "reward", "kind: {kind}, and {key} {what}",
                    {"kind": self.kind.value, "key": kind.value, "what": what},
                )  # fmt: skip
        if self.maximum is not None and self.kind is not RewardKind.PERCENT:
            raise PydanticCustomError("reward", "maximum goes with kind: percent")
        if self.kind is RewardKind.ITEM and not self.scope.is_empty:
            raise PydanticCustomError("reward", "scope goes with an amount or a percent")
        return self

    def model_post_init(self, context: Any, /) -> None:
        if self.when is not None:
            self._condition = condition_of(self.when)

    @property
    def condition(self) -> Condition | None:
        return self._condition

    @cached_property
    def span(self) -> Span | None:
        return None if self.valid_for is None else Span.parse(self.valid_for)

    @cached_property
    def amount_minor(self) -> dict[str, int]:
        return minor_of(self.amount or {})

    @cached_property
    def maximum_minor(self) -> dict[str, int]:
        return minor_of(self.maximum or {})

    def price(self, places: int) -> int:
        """What it costs in the unit's minor units, rounded up."""
        exact: Fraction = ratio(self.cost) * 10**places
        return ceil(exact)

    def terms(self, version: int) -> dict[str, Any]:
        """What is kept of it with a redemption: whatever a later config says, this stands."""
        keys = self.model_dump(
            mode="json", exclude_defaults=True,
            include={
                "id", "label", "cost", "kind", "amount", "percent", "maximum", "item", "scope",
            },
        )  # fmt: skip
        return {**keys, "version": version}


Rewards = Annotated[tuple[Reward, ...], Field(max_length=REWARDS_MAX)]
MaxPerOrder = Annotated[int, Field(strict=True, ge=1, le=ORDER_MAX)] | None
