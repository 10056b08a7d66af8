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
from loyalty_subscriptions.refunds import GoesBack, by_policy, fees_of, undone_with
from loyalty_subscriptions.rows import PaymentRow, RefundRow
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
    if not command.at_once and one.covered_until == FOREVER:
        yield Refuse(
            code=Code.BAD_USER_INPUT, message="is for life, with no end to wait for",
            field="atOnce",
        )  # fmt: skip
        return
    after = _wants(one, at, cancels=True, paused=one.paused_at is not None)
    if command.at_once or one.covered_until is None:
        fees = fees_of(view, one)
        for back in by_policy(config.cancellation, one, fees, at, view):
            yield from give_back(view, one, back, at, command.reason)
            after = _gave_back(after, back)
        after = replace(after, ended_at=at)
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
    at, mine = command.occurred_at, known(view).values()
    paid = [(one, fees_of(view, one)) for one in mine if one.paid_invoice]
    one, fees = max(paid, key=lambda found: found[0].as_of, default=(None, []))
    if one is None or not fees:
        yield Refuse(code=Code.NOT_FOUND, message="no fee was paid", field="program")
        return
    last = next((fee for fee in fees if fee.invoice == one.paid_invoice), fees[0])
    left, amount = last.amount - last.refunded, command.amount
    if amount is None:
        of_last = (
            back.amount
            for back in by_policy(config.cancellation, one, fees, at, view)
            if back.fee.key == last.key
        )
        amount = next(of_last, 0)
    if not 0 < amount <= left:
        yield Refuse(
            code=Code.BAD_AMOUNT,
            message="must be more than nothing and at most what is left of the last fee",
            field="amount",
            details={"left": _text(view, last, left), "asked": _text(view, last, amount)},
        )
        return
    back = GoesBack(last, amount)
    yield from give_back(view, one, back, at, command.reason)
    yield from become(config, view, one, _gave_back(one, back), at)


def give_back(
    view: View, one: Subscription, back: GoesBack, at: datetime, reason: str
) -> Iterator[Effect]:
    """Points at once; of money the shop is told."""
    fee = back.fee
    if one.provider is Provider.POINTS:
        yield give_points_back(fee.paid_in, back.amount, reason)
        all_back = fee.refunded + back.amount
        in_full = all_back >= fee.amount
        yield Emit(
            fact=say(
                facts.Refunded, view, at, plan=fee.plan, amount=_text(view, fee, all_back),
                currency=fee.paid_in, invoice=fee.invoice, in_full=in_full,
            )
        )  # fmt: skip
        if in_full:
            yield from undone_with(fee, at, view)
    else:
        yield Emit(
            fact=say(
                facts.RefundDue, view, at, plan=fee.plan, amount=_text(view, fee, back.amount),
                currency=fee.paid_in, invoice=fee.invoice, reason=reason,
            )
        )  # fmt: skip
    yield Write(
        row=RefundRow(
            provider=fee.provider, invoice=fee.invoice, refunded=fee.refunded + back.amount
        )
    )


def none_runs() -> Refuse:
    return Refuse(
        code=Code.NOT_FOUND, message="the member has no subscription here that runs",
        field="program",
    )  # fmt: skip


def _gave_back(one: Subscription, back: GoesBack) -> Subscription:
    return hearing.refunded(one, invoice=back.fee.invoice, back=back.fee.refunded + back.amount)


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
    """Everything that is still to come, so much later. What follows counts from there."""

    def moved(end: datetime | None) -> datetime | None:
        return end if end is None or end == FOREVER else end + by

    return replace(
        one, paid_until=moved(one.paid_until), paid_from=moved(one.paid_from),
        trial_until=moved(one.trial_until),
    )  # fmt: skip


def _text(view: View, fee: PaymentRow, amount: int) -> str:
    in_points = fee.provider == Provider.POINTS
    places = view.setup.places(fee.paid_in) if in_points else currency_places(fee.paid_in)
    return format_minor(amount, places or 0)


def _bad(message: str) -> Refuse:
    return Refuse(code=Code.BAD_USER_INPUT, message=message, field="program")
