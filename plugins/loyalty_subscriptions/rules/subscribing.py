"""Subscribing: at once where a plan is free, on trial or paid in points; else once it is paid."""

from collections.abc import Iterator
from dataclasses import replace

from loyalty.days import SpanEnd, span_end
from loyalty.effects import Effect, Emit, Refuse
from loyalty.errors import Code
from loyalty.view import View
from loyalty_subscriptions import facts
from loyalty_subscriptions.commands import Subscribe
from loyalty_subscriptions.config import SubscriptionsConfig
from loyalty_subscriptions.periods import next_end
from loyalty_subscriptions.plans import Plan, Price
from loyalty_subscriptions.rules.becoming import become, say
from loyalty_subscriptions.rules.giving import Period, begin_period, was_welcomed
from loyalty_subscriptions.standing import current, known
from loyalty_subscriptions.subscription import Provider, Status, Subscription


def subscribe(config: SubscriptionsConfig, command: Subscribe, view: View) -> Iterator[Effect]:
    if command.program != view.program:
        return
    at, plan = command.occurred_at, config.plans_by_id.get(command.plan)
    if plan is None or not plan.offered:
        yield not_offered(config, command.plan)
        return
    if (refusal := _has_one(config, view, command)) is not None:
        yield refusal
        return
    price = plan.price_at(at, view.zone)
    if price is None and not plan.is_free:
        yield Refuse(
            code=Code.TOO_EARLY, message="is not sold yet: none of its prices has started",
            field="plan",
        )  # fmt: skip
        return
    before, one = _new(plan, price, command, view)
    if plan.trial_span is not None and not had_a_trial(view):
        until = span_end(at, plan.trial_span, view.zone, SpanEnd.EXACT)
        after = replace(one, trial_until=until, anchor=until)
    elif price is not None and price.money is not None:
        after = one
        yield Emit(fact=payment_due(view, plan, price, command))
    else:
        ends = next_end(at, plan.span, at, view.zone)
        period = Period(plan=plan, price=price, starts=at, ends=ends)
        after, effects = begin_period(config, one, period, at, view)
        yield from effects
    yield from become(config, view, before, after, at)


def payment_due(view: View, plan: Plan, price: Price, command: Subscribe) -> facts.PaymentDue:
    """The shop is to take the first fee."""
    return say(
        facts.PaymentDue, view, command.occurred_at, plan=plan.id, attempt=0,
        amounts=dict(price.money or {}), starts_at=command.occurred_at,
    )  # fmt: skip


def not_offered(config: SubscriptionsConfig, plan: str) -> Refuse:
    offered = [one.id for one in config.plans if one.offered]
    return Refuse(
        code=Code.NOT_FOUND, message=f"there is no plan {plan} to subscribe to", field="plan",
        details={"known": offered},
    )  # fmt: skip


def had_a_trial(view: View) -> bool:
    """One trial for each member: who ever had a period has none either."""
    return any(one.covered_until is not None for one in known(view).values())


def _has_one(config: SubscriptionsConfig, view: View, command: Subscribe) -> Refuse | None:
    one = current(config, view, command.occurred_at)
    if one is None or one.provider is Provider.COMP or one.status is Status.PENDING:
        return None
    return Refuse(
        code=Code.ALREADY_EXISTS,
        message="has a subscription already: change its plan, or cancel it first",
        field="program",
        details={"plan": one.plan, "status": one.status.value},
    )


def _new(
    plan: Plan, price: Price | None, command: Subscribe, view: View
) -> tuple[Subscription | None, Subscription]:
    """What stands under the same name, which is over, and what takes its place."""
    provider = Provider.EXTERNAL
    if price is None:
        provider = Provider.FREE
    elif price.points is not None:
        provider = Provider.POINTS
    at = command.occurred_at
    one = Subscription(
        provider=provider, plan=plan.id, started_at=at, anchor=at, as_of=at,
        welcomed=was_welcomed(view),
    )  # fmt: skip
    return known(view).get(one.key), one
