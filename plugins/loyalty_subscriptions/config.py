"""What a tenant sets for a program of paid subscriptions. Its JSON Schema is published, so every
key says what it is for. A config that was accepted never fails a rule later."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from loyalty_earning.config import RULES_MAX, EarningConfig
from loyalty_earning.earning_rule import EarningRule
from loyalty_earning.limits import Cap
from loyalty_earning.section import MIN_ONE, Identifiers, changed, has_some, named_once
from loyalty_subscriptions.plans import Gift, Plan, Price
from loyalty_subscriptions.policies import Cancellation, Change, Dunning, Pauses

PLANS_MAX = 50


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

    @field_validator("plans")
    @classmethod
    def _plans_fit(cls, plans: tuple[Plan, ...], info: ValidationInfo) -> tuple[Plan, ...]:
        named_once(plans, "id")
        gifts = [gift.id for plan in plans for gift in plan.gifts]
        prices = [price for plan in plans for price in plan.stripe_prices]
        for what, names in (("gift", gifts), ("Stripe price", prices)):
            for at, name in enumerate(names):
                if name in names[:at]:
                    raise _fault(f"the {what} {name} comes with two plans: give each its own")
        for plan in plans:
            if any(price.money is None and price.points is None for price in plan.prices):
                raise _fault(f"a price of the plan {plan.id} names neither money nor points")
        for index, rule in enumerate(info.data.get("rules", ())):
            for named in rule.plans:
                if named not in [plan.id for plan in plans]:
                    raise _fault(f"rule {index} comes with {named}, which is no plan here")
            if rule.id in gifts:
                raise _fault(f"rule {index} is called as the gift {rule.id}")
        return plans

    @field_validator("rules", "groups", "caps")
    @classmethod
    def _nothing_is_carried_over(cls, entries: tuple[object, ...]) -> tuple[object, ...]:
        caps = [cap for one in entries for cap in getattr(one, "caps", (one,))]
        if any(isinstance(cap, Cap) and cap.carry_over for cap in caps):
            raise _fault("caps of subscriptions do not carry over")
        return entries

    @field_validator("choices")
    @classmethod
    def _nothing_is_chosen(cls, choices: tuple[object, ...]) -> tuple[object, ...]:
        if choices:
            raise _fault("members choose a plan here; other choices belong to a points program")
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


def _fault(text: str) -> PydanticCustomError:
    return PydanticCustomError("config", "{fault}", {"fault": text})
