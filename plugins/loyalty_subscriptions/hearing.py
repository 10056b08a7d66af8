"""What is told of a subscription, taken up in whatever order it comes. Pure.

Each function answers the subscription with one more thing told. The order of calls does not matter
and neither does telling twice: the latest end that was paid for stands, the last word by its own
instant stands, and what a provider ended stays ended.
"""

from dataclasses import replace
from datetime import datetime

from loyalty_subscriptions.subscription import Provider, Subscription

INSTANT = "%Y%m%d%H%M%S.%f"


def word(at: datetime, event: str) -> str:
    """Which of two words is the last one: by instant, then by the event's id."""
    return f"{at.strftime(INSTANT)} {event}"


def paid(
    one: Subscription, *, starts: datetime, ends: datetime, amount: int, paid_in: str, invoice: str,
    back: int = 0,
) -> Subscription:  # fmt: skip
    """A period is paid for. What ends latest is what is told as paid last."""
    known, one = one.paid_until, replace(one, started_at=min(one.started_at, starts))
    if known is not None and (ends, invoice) <= (known, one.paid_invoice):
        return refunded(one, invoice=invoice, back=back)
    one = replace(
        one, paid_until=ends, paid_from=starts, paid_amount=amount, paid_in=paid_in,
        paid_invoice=invoice, paid_back=back,
    )  # fmt: skip
    if one.unpaid_until is not None and one.unpaid_until <= ends:
        return replace(one, unpaid_until=None, unpaid_since=None, attempts=0)
    return one


def failed(one: Subscription, *, until: datetime, at: datetime, attempt: int) -> Subscription:
    """The fee of the period that ends at `until` could not be taken, for the `attempt`-th time."""
    if one.paid_until is not None and until <= one.paid_until:
        return one  # it was paid since
    known = one.unpaid_until
    if known is None or until > known:
        return replace(one, unpaid_until=until, unpaid_since=at, attempts=attempt)
    if until < known:
        return one
    since = at if one.unpaid_since is None else min(one.unpaid_since, at)
    return replace(one, unpaid_since=since, attempts=max(one.attempts, attempt))


def refunded(one: Subscription, *, invoice: str, back: int) -> Subscription:
    """So much of an invoice was given back in all."""
    known = one.paid_back
    return replace(one, paid_back=max(known, back) if invoice == one.paid_invoice else known)


def wanted(
    one: Subscription, *, cancels: bool, paused: bool, at: datetime, event: str
) -> Subscription:
    """What the member wants: to leave with the period, to pause."""
    if (told := word(at, event)) <= one.will_told:
        return one
    return replace(
        one, will_told=told, cancelled_at=at if cancels else None, paused_at=at if paused else None
    )


def named(one: Subscription, plan: str | None, *, at: datetime, event: str) -> Subscription:
    """Which plan it is one of."""
    if plan is None or (told := word(at, event)) <= one.plan_told:
        return one
    next_plan = None if one.next_plan == plan else one.next_plan
    return replace(one, plan=plan, plan_told=told, next_plan=next_plan)


def on_trial(one: Subscription, until: datetime | None) -> Subscription:
    if until is None or (one.trial_until is not None and one.trial_until >= until):
        return one
    return replace(one, trial_until=until)


def closed(one: Subscription, at: datetime) -> Subscription:
    """Its provider ended it."""
    return replace(one, closed_at=at if one.closed_at is None else min(one.closed_at, at))


def as_of(one: Subscription, at: datetime) -> Subscription:
    """It is known of it at this instant. The provider's own periods count, so there its anchor is
    but the earliest instant."""
    first, anchor = min(one.started_at, at), one.anchor
    if one.provider is Provider.STRIPE:
        anchor = min(anchor, at)
    return replace(one, as_of=max(one.as_of, at), started_at=first, anchor=anchor)
