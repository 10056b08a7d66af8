"""What a config may say, and what is said of one that may not be."""

from typing import Any

import pytest
from pydantic import ValidationError

from loyalty_subscriptions.config import SubscriptionsConfig

PLAN: dict[str, Any] = {"id": "gold", "label": "Gold"}
BOOST: dict[str, Any] = {
    "id": "double", "label": "Double", "accounting_class": "SUBSCRIPTION_BENEFIT",
    "bonus": {"factor": "2"},
}  # fmt: skip
GIFT: dict[str, Any] = {"id": "welcome", "label": "Welcome", "points": "5"}
CARRIED = {"points": "5", "period": "month", "carry_over": True}


def config(**keys: Any) -> SubscriptionsConfig:
    return SubscriptionsConfig.model_validate({"unit": "points", "plans": [PLAN], **keys})


@pytest.mark.parametrize(
    ("keys", "path", "said"),
    [
        ({"plans": []}, "plans", "at least 1 entry"),
        ({"plans": [PLAN, PLAN]}, "plans.1.id", "the plan gold is used before"),
        ({"plans": [{**PLAN, "period": "1 month"}]}, "plans.0.period", "ISO 8601"),
        ({"plans": [{**PLAN, "prices": [{}]}]}, "plans.0.prices.0", "name one"),
        ({"plans": [{**PLAN, "prices": [{"money": {"USD": 9.9}}]}]},
         "plans.0.prices.0.money.USD", "in quotes"),
        ({"plans": [{**PLAN, "prices": [{"money": {"USD": "1"}, "points": "5"}]}]},
         "plans.0.prices.0.points", "not both"),
        ({"plans": [{**PLAN, "prices": [{"points": "5"}, {"points": "6"}]}]},
         "plans.0.prices", "on the same day"),
        ({"plans": [{**PLAN, "gifts": [GIFT, GIFT]}]}, "plans.0.gifts.1.id", "used before"),
        ({"plans": [{**PLAN, "gifts": [GIFT]}, {**PLAN, "id": "b", "gifts": [GIFT]}]},
         "plans.1.gifts.0.id", "the gift welcome is used before"),
        ({"plans": [{**PLAN, "stripe_prices": ["p"]}, {**PLAN, "id": "b", "stripe_prices": ["p"]}]},
         "plans.1.stripe_prices.0", "the Stripe price p is used before"),
        ({"rules": [{**BOOST, "plans": ["silver"]}]}, "rules.0.plans.0", "there is no plan silver"),
        ({"rules": [{**BOOST, "id": "welcome"}], "plans": [{**PLAN, "gifts": [GIFT]}]},
         "rules.0.id", "a gift is called welcome"),
        ({"rules": [{**BOOST, "caps": [CARRIED]}]},
         "rules.0.caps.0.carry_over", "do not carry over"),
        ({"caps": [CARRIED]}, "caps.0.carry_over", "do not carry over"),
        ({"choices": [{"id": "a", "label": "A", "options": [{"id": "b", "label": "B"}]}]},
         "choices", "members choose a plan"),
        ({"dunning": {"retry_days": [3, 1]}}, "dunning.retry_days", "in their order"),
        ({"dunning": {"grace_days": 400}}, "dunning.grace_days", "less than or equal to 366"),
        ({"cancellation": {"refund": "some"}}, "cancellation.refund", "none"),
        ({"colour": "blue"}, "colour", "Extra inputs"),
    ],
)  # fmt: skip
def test_a_config_that_may_not_be(keys: Any, path: str, said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        config(**keys)

    faults = {".".join(map(str, one["loc"])): one["msg"] for one in caught.value.errors()}
    assert said in faults[path], faults


def test_a_config_survives_being_written() -> None:
    whole = config(
        rules=[BOOST],
        plans=[
            {**PLAN, "period": "P1M", "trial": "P14D", "gifts": [GIFT],
             "perks": [{"id": "s", "label": "S", "attributes": {"over": "0", "n": 1, "b": True}}],
             "prices": [{"money": {"USD": "9.90"}}, {"starts": "2027-01-01", "points": "5"}]},
        ],
    )  # fmt: skip

    assert SubscriptionsConfig.model_validate(whole.model_dump(mode="json")) == whole


def test_a_boost_comes_with_its_plans_or_with_all() -> None:
    plans = [PLAN, {**PLAN, "id": "silver"}]
    rules = [BOOST, {**BOOST, "id": "gold-only", "plans": ["gold"]}]

    made = config(plans=plans, rules=rules)

    assert {plan: [rule.id for rule in of.rules] for plan, of in made.boosts_of.items()} == {
        "gold": ["double", "gold-only"], "silver": ["double"],
    }  # fmt: skip
