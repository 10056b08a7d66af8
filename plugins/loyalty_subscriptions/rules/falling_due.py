"""What time alone brings: a next period in points or for nothing, a fee to be taken, an end."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from loyalty.effects import Effect, Emit, SetTrait
from loyalty.facts import MemberClosed
from loyalty.plugin import BurnWant
from loyalty.view import View
from loyalty_subscriptions import facts
from loyalty_subscriptions.config import SubscriptionsConfig
from loyalty_subscriptions.facts import SubscriptionDue
from loyalty_subscriptions.periods import anchor_of, next_end
from loyalty_subscriptions.plans import Plan
from loyalty_subscriptions.rules.becoming import become, say
from loyalty_subscriptions.rules.giving import Period, begin_period, can_pay
from loyalty_subscriptions.standing import Shown, known, traits
from loyalty_subscriptions.subscription import Provider, Status, Subscription

NO_PLAN = "the plan is no longer there"


def fall_due(config: SubscriptionsConfig, fact: SubscriptionDue, view: View) -> Iterator[Effect]:
    """One step of one subscription. What was settled since it was found is left alone."""
    if fact.program != view.program:
        return
    one, at = known(view).get((fact.provider, fact.reference)), fact.occurred_at
    if one is None or one.due_at is None or one.due_at > at:
        return
    until, grace = one.covered_until, config.dunning.grace(view.zone)
    waits = until is not None and (at == until or until < at < grace.end(until))
    if until is not None and waits and one.renews and one.paused_at is None:
        yield from _renew(config, view, one, until, at)
    else:
        yield from become(config, view, one, one, at)


def fees(config: SubscriptionsConfig, fact: object) -> Iterator[BurnWant]:
    """In which units a fee may have to be burnt."""
    for unit in {config.fee_unit(price) for price in config.fees_in_points()}:
        yield BurnWant(unit=unit)


def close(config: SubscriptionsConfig, fact: MemberClosed, view: View) -> Iterator[Effect]:
    """Who leaves has no subscription any more. What others know is said once: a fact says one thing
    of a trait."""
    at = fact.occurred_at
    for one in known(view).values():
        if one.status is not Status.EXPIRED:
            at = max(at, one.as_of)
            ended = replace(one, ended_at=fact.occurred_at)
            for effect in become(config, view, one, ended, fact.occurred_at, fact.reason):
                if not isinstance(effect, SetTrait):
                    yield effect
    if known(view):
        yield from traits(Shown(), at)


def _renew(
    config: SubscriptionsConfig, view: View, one: Subscription, until: datetime, at: datetime
) -> Iterator[Effect]:
    """The next period, from the end of the last one on; or a step of waiting for its fee."""
    plan = config.plans_by_id.get(one.next_plan or one.plan)
    if plan is None:
        yield from become(config, view, one, replace(one, cancelled_at=at), at, NO_PLAN)
        return
    changes = plan.id != one.plan
    price = plan.renewal_price(until if changes else one.started_at, until, view.zone)
    if one.provider is Provider.STRIPE:
        yield from become(config, view, one, one, at)  # Stripe takes it, and tells
    elif price is not None and price.money is not None:
        yield from _ask_for_money(config, view, one, plan, until, at, price.money)
    elif price is not None and not can_pay(config, price, view):
        yield Emit(fact=say(facts.PaymentFailed, view, at, plan=plan.id, attempt=one.attempts + 1))
        yield from become(config, view, one, _unpaid(one, plan, until, at, view), at)
    else:
        anew = changes or one.paid_until is None
        anchor = until if anew else anchor_of(one.anchor, plan.span, until, view.zone)
        anchored = replace(one, anchor=anchor)
        ends = next_end(anchor, plan.span, until, view.zone)
        period = Period(plan=plan, price=price, starts=until, ends=ends)
        after, effects = begin_period(config, anchored, period, at, view)
        yield from effects
        yield from become(config, view, one, after, at)


def _ask_for_money(
    config: SubscriptionsConfig, view: View, one: Subscription, plan: Plan, until: datetime,
    at: datetime, amounts: dict[str, str],
) -> Iterator[Effect]:  # fmt: skip
    """The shop is told to take the fee: first at the period's end, then on each day of dunning."""
    tries = config.dunning.grace(view.zone).steps(until)[:-1]
    yield Emit(
        fact=say(
            facts.PaymentDue, view, at, plan=plan.id, amounts=dict(amounts), starts_at=until,
            attempt=sum(step <= at for step in tries),
        )
    )  # fmt: skip
    yield from become(config, view, one, one, at)


def _unpaid(
    one: Subscription, plan: Plan, until: datetime, at: datetime, view: View
) -> Subscription:
    anchor = anchor_of(one.anchor, plan.span, until, view.zone)
    ends = next_end(anchor, plan.span, until, view.zone)
    since = one.unpaid_since or at
    return replace(one, attempts=one.attempts + 1, unpaid_since=since, unpaid_until=ends)
