"""What a tenant sets for a program of paid subscriptions. Its JSON Schema is published, so every
key says what it is for. A config that was accepted never fails a rule later."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Self

from pydantic import AfterValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from loyalty_earning.config import RULES_MAX, EarningConfig
from loyalty_earning.earning_rule import EarningRule
from loyalty_earning.faults import faulty
from loyalty_earning.section import MIN_ONE, Identifiers, changed, has_some
from loyalty_subscriptions.fitting import carrying_over, misfits
from loyalty_subscriptions.plans import Gift, Plan, Price
from loyalty_subscriptions.policies import Cancellation, Change, Dunning, Pauses

PLANS_MAX = 50
NOT_CHOSEN = "members choose a plan here; other choices belong to a points program"


class Boost(EarningRule):
    """An earning rule for subscribers: a factor on what others give, or points of its own."""

    plans: Identifiers = ()
    """The plans that it comes with; none named: all."""


class SubscriptionsConfig(EarningConfig):
    """A program of paid subscriptions: plans, their fees, and what comes with them."""

    plans: Annotated[
        tuple[Plan, ...],
        Field(max_length=PLANS_MAX, json_schema_extra=MIN_ONE),
        AfterValidator(has_some),
    ]
    """Plans that members subscribe to, the best first: where a member has two, it counts first."""
    rules: Annotated[tuple[Boost, ...], Field(max_length=RULES_MAX)] = ()
    """Boosts: earning rules for subscribers alone. With `bonus` a factor on what any program gave
    of the unit; otherwise points of their own."""
    dunning: Dunning = Dunning()
    """What happens where a fee is not paid."""
    cancellation: Cancellation = Cancellation()
    """How subscriptions end before their time, and what goes back."""
    plan_changes: Change | None = Change.AT_PERIOD_END
    """What happens when a member takes another plan: at_period_end, prorate_days, prorate_months or
    full_price; null: they may not."""
    pauses: Pauses = Pauses()
    """Whether members may pause."""

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        faults = [
            *misfits(self.plans, self.rules),
            *carrying_over(self.rules, self.groups, self.caps),
        ]
        if faults:
            raise faulty(faults)
        return self

    @field_validator("choices")
    @classmethod
    def _nothing_is_chosen(cls, choices: tuple[object, ...]) -> tuple[object, ...]:
        if choices:
            raise PydanticCustomError("config", NOT_CHOSEN)
        return choices

    @cached_property
    def plans_by_id(self) -> Mapping[str, Plan]:
        return {plan.id: plan for plan in self.plans}

    @cached_property
    def plans_by_price(self) -> Mapping[str, Plan]:
        """By the ids that Stripe has for their prices."""
        return {price: plan for plan in self.plans for price in plan.stripe_prices}

    def rank(self, plan: str) -> int:
        """0 for the best plan; a plan that is no more comes last."""
        return next((at for at, one in enumerate(self.plans) if one.id == plan), len(self.plans))

    def fee_unit(self, price: Price) -> str:
        return price.unit or self.unit

    def gift_unit(self, gift: Gift) -> str:
        return gift.unit or self.unit

    def fees_in_points(self) -> Iterator[Price]:
        for plan in self.plans:
            yield from (price for price in plan.prices if price.points is not None)

    @cached_property
    def boosts_of(self) -> Mapping[str, "SubscriptionsConfig"]:
        """By plan the program with the boosts alone that come with it."""
        return {
            plan.id: changed(self, rules=tuple(r for r in self.rules if _comes_with(r, plan.id)))
            for plan in self.plans
        }


def _comes_with(rule: Boost, plan: str) -> bool:
    return not rule.plans or plan in rule.plans
