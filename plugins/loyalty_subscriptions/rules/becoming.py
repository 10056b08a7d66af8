"""What follows when a subscription is another than before: the row, the facts, the traits."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from loyalty.effects import Effect, Emit, Write
from loyalty.facts import Fact, MemberRef
from loyalty.view import View
from loyalty_subscriptions import facts
from loyalty_subscriptions.config import SubscriptionsConfig
from loyalty_subscriptions.facts import Told
from loyalty_subscriptions.periods import FOREVER
from loyalty_subscriptions.rows import SubscriptionRow
from loyalty_subscriptions.standing import known, shown, traits
from loyalty_subscriptions.subscription import Grace, Status, Subscription, next_due, status_at

F = TypeVar("F", bound=Told)
RUNS = (Status.TRIALING, Status.ACTIVE, Status.CANCELLED_AT_PERIOD_END)
EMITS: tuple[type[Fact], ...] = (
    facts.Started, facts.Renewed, facts.PastDue, facts.PaymentDue, facts.PaymentFailed,
    facts.PaymentUnmatched, facts.Paused, facts.Resumed, facts.Cancelled, facts.Expired,
    facts.PlanChanged, facts.RefundDue, facts.Refunded, facts.Comped,
)  # fmt: skip


def become(
    config: SubscriptionsConfig, view: View, before: Subscription | None, after: Subscription,
    at: datetime, reason: str = "",
) -> Iterator[Effect]:  # fmt: skip
    """Write `after`, tell what is new of it, and let conditions know.

    It is looked at as of the latest instant that anything is known of: what comes late changes
    nothing that was told since.
    """
    at = max(at, after.as_of)
    grace = config.dunning.grace(view.zone)
    after = replace(
        after, as_of=at, status=status_at(after, at, grace), due_at=next_due(after, at, grace)
    )
    if after == before:
        return
    yield Write(row=SubscriptionRow(after))
    if after.plan:  # what has no plan yet is nobody's business
        told = before if before is not None and before.plan else None
        for fact in _told(view, told, after, at, grace, reason):
            yield Emit(fact=fact)
    mine = known(view)
    was = shown(config, mine.values(), _told_at(before, at), grace)
    now = shown(config, {**mine, after.key: after}.values(), at, grace)
    if was != now or before is None:
        yield from traits(now, at)


def say(kind: type[F], view: View, at: datetime, **more: Any) -> F:
    """A fact of the program about its member, at an instant."""
    assert view.member is not None
    return kind(member=MemberRef(id=view.member.id), occurred_at=at, program=view.program, **more)


def shown_end(until: datetime | None) -> datetime | None:
    """As the world is told it: null where it never ends."""
    return None if until == FOREVER else until


def _told_at(before: Subscription | None, at: datetime) -> datetime:
    return at if before is None else min(at, before.as_of)


def _told(
    view: View, before: Subscription | None, after: Subscription, at: datetime, grace: Grace,
    reason: str,
) -> Iterator[Fact]:  # fmt: skip
    plan, until, now = after.plan, shown_end(after.covered_until), after.status

    def told(kind: type[F], **more: Any) -> F:
        return say(kind, view, at, plan=plan, **more)

    was = None if before is None else before.status
    began = now in (*RUNS, Status.PAST_DUE) and was in (None, Status.PENDING, Status.EXPIRED)
    longer = before is not None and after.paid_until != before.paid_until
    if before is not None and before.plan != plan and not began:
        yield told(facts.PlanChanged, before=before.plan)
    if began:
        yield told(facts.Started, status=now, until=until)
    elif longer and now in RUNS and was is not Status.PAUSED:
        yield told(facts.Renewed, until=until)
    if now is Status.PAST_DUE and was is not Status.PAST_DUE:
        ends = shown_end(grace.end(after.covered_until or after.started_at))
        yield told(facts.PastDue, expires_at=ends)
    if now is Status.PAUSED and was is not Status.PAUSED:
        yield told(facts.Paused)
    if now in RUNS and _goes_on(was, now):
        yield told(facts.Resumed, until=until)
    if before is not None and _leaves(after) and not _leaves(before):
        yield told(facts.Cancelled, until=after.ended_at or until, reason=reason)
    if now is Status.EXPIRED and was not in (None, Status.EXPIRED):
        yield told(facts.Expired)


def _goes_on(was: Status | None, now: Status) -> bool:
    if was is Status.PAUSED:
        return True
    return was is Status.CANCELLED_AT_PERIOD_END and now is not Status.CANCELLED_AT_PERIOD_END


def _leaves(one: Subscription) -> bool:
    return any(at is not None for at in (one.cancelled_at, one.closed_at, one.ended_at))
