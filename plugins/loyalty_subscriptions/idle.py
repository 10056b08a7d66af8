"""Keys that do nothing beside the others in a program of subscriptions: asked of drafts alone."""

from collections.abc import Iterator

from loyalty.plugin import IdleKey
from loyalty_earning import idle as earning
from loyalty_subscriptions.config import SubscriptionsConfig
from loyalty_subscriptions.plans import Plan, Renewing
from loyalty_subscriptions.policies import Dunning

NOT_POINTS = "goes with a fee in points: leave unit out"
NO_RENEWAL = "a plan without period never renews: leave renews_at out, or give period"
NO_GRACE = "nothing is past due where grace_days is 0: leave keep_benefits out, or give grace_days"
TOO_LATE = "all of them lie after the grace: give more grace_days, or earlier days (none: [])"


def idle(config: SubscriptionsConfig) -> Iterator[IdleKey]:
    yield from earning.idle(config)
    for at, plan in enumerate(config.plans):
        yield from _in_plan(plan, at)
    dunning, usual = config.dunning, Dunning()
    if not dunning.grace_days and not dunning.keep_benefits:
        yield ("dunning", "keep_benefits"), NO_GRACE
    given = dunning.retry_days != usual.retry_days
    if given and dunning.retry_days and dunning.retry_days[0] >= dunning.grace_days:
        yield ("dunning", "retry_days"), TOO_LATE


def _in_plan(plan: Plan, at: int) -> Iterator[IdleKey]:
    for of, price in enumerate(plan.prices):
        if price.unit is not None and price.points is None:
            yield ("plans", at, "prices", of, "unit"), NOT_POINTS
    if plan.period is None and plan.renews_at is not Renewing.CURRENT:
        yield ("plans", at, "renews_at"), NO_RENEWAL
