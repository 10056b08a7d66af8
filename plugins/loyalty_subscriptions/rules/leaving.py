"""Leaving, pausing and coming back."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from loyalty.effects import Effect, Emit, Refuse, Write
from loyalty.errors import Code
from loyalty.units import currency_places, format_minor
from loyalty.view import View
from loyalty_subscriptions import facts, hearing
from loyalty_subscriptions.commands import Cancel, GiveBack, Pause, Resume
from loyalty_subscriptions.config import SubscriptionsConfig
from loyalty_subscriptions.periods import FOREVER
from loyalty_subscriptions.policies import Refund
from loyalty_subscriptions.proration import unused, within
from loyalty_subscriptions.rows import RefundRow
from loyalty_subscriptions.rules.becoming import become, say
from loyalty_subscriptions.rules.giving import give_points_back
from loyalty_subscriptions.standing import current, known
from loyalty_subscriptions.subscription import Provider, Status, Subscription, status_at

RUNS = (Status.TRIALING, Status.ACTIVE)
LAST = "~"  # sorts after the ids of events of the same instant


def cancel(config: SubscriptionsConfig, command: Cancel, view: View) -> Iterator[Effect]:
    """With the period, or at once; then what the policy says goes back."""
    if command.program != view.program:
        return
    at, one = command.occurred_at, current(config, view, command.occurred_at)
    if one is None:
        yield none_runs()
        return
    if command.at_once and not (command.by_staff or config.cancellation.members_at_once):
        yield Refuse(
            code=Code.BAD_USER_INPUT, message="ends with its period: leave atOnce out",
            field="atOnce",
        )  # fmt: skip
        return
    after = _wants(one, at, cancels=True, paused=one.paused_at is not None)
    if command.at_once or one.covered_until is None:
        yield from give_back(view, one, to_give_back(config, one, at, view), at, command.reason)
        after = replace(after, ended_at=at, paid_back=_back_in_all(config, one, at, view))
    yield from become(config, view, one, after, at, command.reason)


def pause(config: SubscriptionsConfig, command: Pause, view: View) -> Iterator[Effect]:
    if command.program != view.program:
        return
    at, one = command.occurred_at, current(config, view, command.occurred_at)
    if one is None:
        yield none_runs()
        return
    if not (config.pauses.allowed or command.by_staff):
        yield _bad("members do not pause in this program")
        return
    status = status_at(one, at, config.dunning.grace(view.zone))
    if status not in RUNS or one.covered_until == FOREVER:
        yield _bad(f"what is {status} cannot be paused" if status not in RUNS else "has no end")
        return
    after = _wants(one, at, cancels=one.cancelled_at is not None, paused=True)
    yield from become(config, view, one, after, at)


def resume(config: SubscriptionsConfig, command: Resume, view: View) -> Iterator[Effect]:
    """Go on after a pause, with what was left of the period; or take a cancellation back."""
    if command.program != view.program:
        return
    at, one = command.occurred_at, current(config, view, command.occurred_at)
    if one is None:
        yield none_runs()
        return
    if one.paused_at is not None:
        after = one
        if one.provider is not Provider.STRIPE:
            after = _later(one, at - one.paused_at)
        after = _wants(after, at, cancels=one.cancelled_at is not None, paused=False)
    elif one.cancelled_at is not None and one.closed_at is None:
        after = _wants(one, at, cancels=False, paused=False)
    else:
        yield _bad("is neither paused nor cancelled, or its provider ended it")
        return
    yield from become(config, view, one, after, at)


def give_back_by_staff(
    config: SubscriptionsConfig, command: GiveBack, view: View
) -> Iterator[Effect]:
    """Of the last fee: so much, or what the policy says. The subscription goes on."""
    if command.program != view.program:
        return
    at = command.occurred_at
    paid = [one for one in known(view).values() if one.paid_amount and one.paid_from is not None]
    one = max(paid, key=lambda found: found.paid_from or found.as_of, default=None)
    if one is None:
        yield Refuse(code=Code.NOT_FOUND, message="no fee was paid", field="program")
        return
    left = one.paid_amount - one.paid_back
    amount = to_give_back(config, one, at, view) if command.amount is None else command.amount
    if not 0 < amount <= left:
        yield Refuse(
            code=Code.BAD_AMOUNT,
            message="must be more than nothing and at most what is left of the last fee",
            field="amount",
            details={"left": _text(view, one, left), "asked": _text(view, one, amount)},
        )
        return
    yield from give_back(view, one, amount, at, command.reason)
    after = replace(one, paid_back=one.paid_back + amount)
    yield from become(config, view, one, after, at)


def to_give_back(config: SubscriptionsConfig, one: Subscription, at: datetime, view: View) -> int:
    """What of the last fee goes back where the subscription ends now, in its minor units."""
    if one.paid_from is None or one.paid_until is None:
        return 0
    policy = config.cancellation
    refund = policy.refund
    if within(one.paid_from, at, policy.full_within_days, view.zone):
        refund = Refund.FULL
    stands = one.paused_at or at
    left = unused(one.paid_amount, one.paid_from, one.paid_until, stands, refund, view.zone)
    return max(0, min(left, one.paid_amount - one.paid_back))


def give_back(
    view: View, one: Subscription, amount: int, at: datetime, reason: str
) -> Iterator[Effect]:
    """Points at once; of money the shop is told."""
    if amount == 0:
        return
    if one.provider is Provider.POINTS:
        yield give_points_back(one.paid_in, amount, reason)
    else:
        yield Emit(
            fact=say(
                facts.RefundDue, view, at, plan=one.plan, amount=_text(view, one, amount),
                currency=one.paid_in, invoice=one.paid_invoice, reason=reason,
            )
        )  # fmt: skip
    yield Write(
        row=RefundRow(
            provider=one.provider, invoice=one.paid_invoice, refunded=one.paid_back + amount
        )
    )


def none_runs() -> Refuse:
    return Refuse(
        code=Code.NOT_FOUND, message="the member has no subscription here that runs",
        field="program",
    )  # fmt: skip


def _back_in_all(config: SubscriptionsConfig, one: Subscription, at: datetime, view: View) -> int:
    return one.paid_back + to_give_back(config, one, at, view)


def _wants(one: Subscription, at: datetime, *, cancels: bool, paused: bool) -> Subscription:
    """The member's word, which stands over all that was told before; what was so keeps its
    instant."""
    return replace(
        one,
        will_told=max(one.will_told, hearing.word(at, LAST)),
        cancelled_at=(one.cancelled_at or at) if cancels else None,
        paused_at=(one.paused_at or at) if paused else None,
    )


def _later(one: Subscription, by: timedelta) -> Subscription:
    """Everything that is still to come, so much later."""

    def moved(end: datetime | None) -> datetime | None:
        return end if end is None or end == FOREVER else end + by

    return replace(
        one, anchor=one.anchor + by, paid_until=moved(one.paid_until),
        trial_until=moved(one.trial_until),
    )  # fmt: skip


def _text(view: View, one: Subscription, amount: int) -> str:
    places = view.setup.places(one.paid_in) if one.provider is Provider.POINTS else None
    if places is None:
        places = currency_places(one.paid_in) or 0
    return format_minor(amount, places)


def _bad(message: str) -> Refuse:
    return Refuse(code=Code.BAD_USER_INPUT, message=message, field="program")
