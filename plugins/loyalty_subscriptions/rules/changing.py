"""Another plan, by the program's policy; and plans that staff give for nothing."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from loyalty.effects import Burn, Effect, Emit, Refuse
from loyalty.errors import Code
from loyalty.units import currency_places, format_minor
from loyalty.view import View
from loyalty_subscriptions import facts
from loyalty_subscriptions.commands import ChangePlan, Comp
from loyalty_subscriptions.config import SubscriptionsConfig
from loyalty_subscriptions.periods import FOREVER, next_end
from loyalty_subscriptions.plans import Plan, Price
from loyalty_subscriptions.policies import Change, Refund
from loyalty_subscriptions.proration import unused
from loyalty_subscriptions.rules.becoming import become, say, shown_end
from loyalty_subscriptions.rules.giving import FEES, Period, gifts, paid_in_points, points_of
from loyalty_subscriptions.rules.leaving import none_runs
from loyalty_subscriptions.rules.subscribing import not_offered
from loyalty_subscriptions.standing import current, known
from loyalty_subscriptions.subscription import Provider, Status, Subscription, status_at

CREDITED = {
    Change.PRORATE_DAYS: Refund.PRORATE_DAYS,
    Change.PRORATE_MONTHS: Refund.PRORATE_MONTHS,
    Change.FULL_PRICE: Refund.NONE,
}


def change(config: SubscriptionsConfig, command: ChangePlan, view: View) -> Iterator[Effect]:
    if command.program != view.program:
        return
    at, plan = command.occurred_at, config.plans_by_id.get(command.plan)
    one, policy = current(config, view, at), config.plan_changes
    if plan is None or not plan.offered:
        yield not_offered(config, command.plan)
    elif one is None:
        yield none_runs()
    elif (refusal := _barred(config, one, plan, at, view)) is not None:
        yield refusal
    elif policy is None:
        yield _bad("plans do not change in this program: cancel, and subscribe anew")
    elif policy is Change.AT_PERIOD_END or (one.trial_until is not None and one.paid_until is None):
        # A trial goes on to its end, and then costs what the plan costs.
        waits = None if plan.id == one.plan else plan.id
        yield from become(config, view, one, replace(one, next_plan=waits, as_of=at), at)
    else:
        yield from _at_once(config, view, one, plan, policy, at)


def comp(config: SubscriptionsConfig, command: Comp, view: View) -> Iterator[Effect]:
    """Staff give a plan for nothing, beside what the member pays for; the last word stands."""
    if command.program != view.program:
        return
    at, plan = command.occurred_at, config.plans_by_id.get(command.plan)
    if plan is None:
        yield not_offered(config, command.plan)
        return
    if command.until is not None and command.until <= at:
        yield Refuse(code=Code.BAD_USER_INPUT, message="must lie in the future", field="until")
        return
    one = Subscription(
        provider=Provider.COMP, plan=plan.id, started_at=at, anchor=at, as_of=at,
        paid_until=command.until or FOREVER, paid_from=at,
    )  # fmt: skip
    yield Emit(
        fact=say(
            facts.Comped, view, at, plan=plan.id, until=shown_end(one.paid_until),
            reason=command.reason,
        )
    )  # fmt: skip
    yield from become(config, view, known(view).get(one.key), one, at)


def _barred(
    config: SubscriptionsConfig, one: Subscription, plan: Plan, at: datetime, view: View
) -> Refuse | None:
    if one.provider is Provider.STRIPE:
        return _bad("is billed by Stripe: change it there, its event tells of it")
    if one.provider is Provider.COMP:
        return _bad("was given for nothing: subscribe instead")
    if plan.id == one.plan and one.next_plan is None:
        return _bad("is of this plan already")
    if status_at(one, at, config.dunning.grace(view.zone)) not in (Status.ACTIVE, Status.TRIALING):
        return _bad(f"cannot change while it is {one.status}")
    price = plan.price_at(at, view.zone)
    if (price is not None and price.points is not None) is not (one.provider is Provider.POINTS):
        return _bad("is paid in another way: cancel, and subscribe to this plan then")
    return None


def _at_once(
    config: SubscriptionsConfig, view: View, one: Subscription, plan: Plan, policy: Change,
    at: datetime,
) -> Iterator[Effect]:  # fmt: skip
    """The new period begins now. What was not used of the old fee counts for the new one; what it
    is more than that is lost: a cheaper plan is better taken with the next period."""
    price = plan.price_at(at, view.zone)
    credit = 0
    if one.paid_from is not None and one.paid_until is not None:
        credit = unused(
            one.paid_amount - one.paid_back, one.paid_from, one.paid_until, at, CREDITED[policy],
            view.zone,
        )  # fmt: skip
    if price is not None and price.money is not None:
        amounts = {c: _less(price, c, credit if c == one.paid_in else 0) for c in price.money}
        due = say(
            facts.PaymentDue, view, at, plan=plan.id, amounts=amounts, starts_at=at, attempt=0
        )
        yield Emit(fact=due)
        yield from become(config, view, one, replace(one, next_plan=plan.id, as_of=at), at)
        return
    yield from _in_points(config, view, one, plan, price, credit, at)


def _in_points(
    config: SubscriptionsConfig, view: View, one: Subscription, plan: Plan, price: Price | None,
    credit: int, at: datetime,
) -> Iterator[Effect]:  # fmt: skip
    unit = "" if price is None else config.fee_unit(price)
    fee = 0 if price is None or price.points is None else points_of(price.points, unit, view)
    if (rest := fee - (credit if unit == one.paid_in else 0)) > 0:
        yield Burn(unit=unit, amount=rest, to=FEES)
    anchored = replace(one, anchor=at, paid_until=None, as_of=at)
    period = Period(plan=plan, price=price, starts=at, ends=next_end(at, plan.span, at, view.zone))
    after, effects = paid_in_points(anchored, period, fee, unit, at, view)
    yield from effects
    yield from gifts(config, plan, at, view, welcomed=True)
    yield from become(config, view, one, after, at)


def _less(price: Price, currency: str, credit: int) -> str:
    left = max(0, (price.minor(currency) or 0) - credit)
    return format_minor(left, currency_places(currency) or 0)


def _bad(message: str) -> Refuse:
    return Refuse(code=Code.BAD_USER_INPUT, message=message, field="program")
