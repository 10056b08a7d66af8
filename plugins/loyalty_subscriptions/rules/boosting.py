"""Boosts: earning rules that come with a plan, judged for who has it when it happens."""

from collections.abc import Iterator

from loyalty.effects import Grant
from loyalty.explained import Explained, not_kept
from loyalty.facts import ActivityRecorded, Fact, PurchaseRecorded
from loyalty.kept import NotKept
from loyalty.view import Stage, View
from loyalty_earning import explaining
from loyalty_earning.counting import Fact as Earning
from loyalty_earning.rules.capping import cap as cap_rules
from loyalty_earning.rules.earning import earn as earn_rules
from loyalty_earning.rules.promoting import promote as promote_rules
from loyalty_subscriptions.config import Boost, SubscriptionsConfig
from loyalty_subscriptions.standing import PLAN

NO_PLAN = "NOT_SUBSCRIBED"
"""The member had no plan that the rule comes with."""


def plan_of(view: View) -> str:
    """The plan whose benefits the member of the view has; empty: none."""
    trait = view.traits.get(f"{view.program}.{PLAN}")
    return str(trait.value) if trait is not None else ""


def earn(config: SubscriptionsConfig, fact: Earning, view: View) -> Iterator[Grant]:
    if (mine := config.boosts_of.get(plan_of(view))) is not None:
        yield from earn_rules(mine, fact, view)


def promote(config: SubscriptionsConfig, fact: Earning, view: View) -> Iterator[Grant]:
    if (mine := config.boosts_of.get(plan_of(view))) is not None:
        yield from promote_rules(mine, fact, view)


def cap(config: SubscriptionsConfig, fact: Earning, view: View) -> Iterator[Grant]:
    yield from cap_rules(config, fact, view)


def explain(config: SubscriptionsConfig, fact: Fact, view: View) -> Iterator[Explained]:
    """Every boost that looks at such a fact; one of another plan says so."""
    if not isinstance(fact, PurchaseRecorded | ActivityRecorded) or not config.rules:
        return
    subject = fact.type if isinstance(fact, ActivityRecorded) else None
    rules = [rule for rule in config.rules if subject in (rule.activities or (None,))]
    try:
        plan = plan_of(view)
    except NotKept as missing:
        yield from (not_kept(_told(config, rule), missing) for rule in rules)
        return
    mine = config.boosts_of.get(plan)
    told = {one.rule: one for one in explaining.explain(mine, fact, view)} if mine else {}
    for rule in rules:
        yield told.get(rule.id) or _other(config, rule, plan)


def _other(config: SubscriptionsConfig, rule: Boost, plan: str) -> Explained:
    told = _told(config, rule)
    plans = " or ".join(rule.plans) or "any plan"
    has = f"the member had {plan}" if plan else "the member had none"
    return Explained(
        rule=told.rule, label=told.label, unit=told.unit, accounting_class=told.accounting_class,
        stage=told.stage, reason=NO_PLAN, message=f"it comes with {plans}; {has}",
        values={"plan": plan},
    )  # fmt: skip


def _told(config: SubscriptionsConfig, rule: Boost) -> Explained:
    return Explained(
        rule=rule.id, label=rule.label, unit=rule.unit or config.unit,
        accounting_class=rule.accounting_class,
        stage=Stage.BONUS if rule.is_promotion else Stage.BASE,
    )  # fmt: skip
