"""A subscription as it is known, and what follows from it at an instant. Pure.

It holds what was told: what is paid until when, which payment failed, what the member wants. The
status is worked out of that for an instant, whether or not a worker came by.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from loyalty_subscriptions.periods import FOREVER, days_later


class Status(StrEnum):
    """Where a subscription stands."""

    PENDING = "PENDING"  # asked for; its first fee is not paid
    TRIALING = "TRIALING"
    ACTIVE = "ACTIVE"
    PAST_DUE = "PAST_DUE"  # the fee of the next period is not paid, and may still be
    PAUSED = "PAUSED"
    CANCELLED_AT_PERIOD_END = "CANCELLED_AT_PERIOD_END"  # runs until then, and does not renew
    EXPIRED = "EXPIRED"


RUNNING = frozenset(Status) - {Status.EXPIRED}


class Provider(StrEnum):
    """Who takes the fee, and so who says that it is paid."""

    EXTERNAL = "external"  # the shop, through recordSubscriptionPayment
    STRIPE = "stripe"  # Stripe, through its webhooks
    POINTS = "points"  # nobody: it is burnt
    FREE = "free"  # there is none
    COMP = "comp"  # staff gave it


@dataclass(frozen=True, slots=True, kw_only=True)
class Grace:
    """How long an unpaid subscription waits, when it is tried again, and whether with benefits."""

    days: int
    retries: tuple[int, ...]
    keeps_benefits: bool
    zone: ZoneInfo

    def end(self, since: datetime) -> datetime:
        return FOREVER if since == FOREVER else days_later(since, self.days, self.zone)

    def steps(self, since: datetime) -> list[datetime]:
        """When it is tried again, and when it ends."""
        if since == FOREVER:
            return [FOREVER]
        tries = [days_later(since, days, self.zone) for days in self.retries if days < self.days]
        return [*tries, self.end(since)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """What is known of one subscription of a member.

    `reference` is the provider's own id of it; `plan` is empty until one is told. `plan_told` and
    `will_told` say which event was the last word about the plan and about what the member wants
    (instant and event id, as text that sorts); `as_of` is the latest instant that anything is known
    of. `status` is what was last told to the world, `due_at` when time alone changes something.
    """

    provider: Provider
    reference: str = ""
    plan: str
    started_at: datetime
    anchor: datetime
    as_of: datetime
    trial_until: datetime | None = None
    paid_until: datetime | None = None
    paid_from: datetime | None = None
    paid_amount: int = 0
    paid_in: str = ""  # a currency, or the unit that was burnt
    paid_invoice: str = ""
    paid_back: int = 0  # of that amount
    next_plan: str | None = None
    unpaid_until: datetime | None = None  # the end of the period that a failed payment was for
    unpaid_since: datetime | None = None
    attempts: int = 0
    cancelled_at: datetime | None = None
    closed_at: datetime | None = None  # the provider ended it: it never renews again
    paused_at: datetime | None = None
    ended_at: datetime | None = None  # ended at once, whatever is paid
    plan_told: str = ""
    will_told: str = ""
    welcomed: bool = False
    status: Status = Status.PENDING
    due_at: datetime | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.provider, self.reference

    @property
    def covered_until(self) -> datetime | None:
        """Until when it is paid for or on trial; None: nothing was paid yet."""
        ends = [end for end in (self.trial_until, self.paid_until) if end is not None]
        return max(ends, default=None)

    @property
    def renews(self) -> bool:
        """Whether a next period is meant to follow."""
        return (
            self.cancelled_at is None
            and self.closed_at is None
            and self.ended_at is None
            and self.provider is not Provider.COMP
        )

    @property
    def on_trial(self) -> bool:
        """Whether what covers it last is its trial."""
        if self.trial_until is None:
            return False
        return self.paid_until is None or self.paid_until <= self.trial_until


def status_at(one: Subscription, at: datetime, grace: Grace) -> Status:
    """Where it stands at an instant."""
    until = one.covered_until
    if one.ended_at is not None and at >= one.ended_at:
        return Status.EXPIRED
    if one.paused_at is not None and one.closed_at is None:
        return Status.PAUSED
    if until is None:
        waits = one.renews and at < grace.end(one.started_at)
        return Status.PENDING if waits else Status.EXPIRED
    if at >= until:
        waits = one.renews and at < grace.end(until)
        return Status.PAST_DUE if waits else Status.EXPIRED
    if one.provider is Provider.COMP and one.cancelled_at is None:
        return Status.ACTIVE
    if not one.renews:
        return Status.CANCELLED_AT_PERIOD_END
    if one.unpaid_until is not None and one.unpaid_until > until:
        return Status.PAST_DUE
    return Status.TRIALING if one.on_trial else Status.ACTIVE


def entitled_until(one: Subscription, at: datetime, grace: Grace) -> datetime | None:
    """The first instant without its benefits, as far as is known at `at`; None: it has none."""
    status, until = status_at(one, at, grace), one.covered_until
    if status in (Status.EXPIRED, Status.PAUSED, Status.PENDING) or until is None:
        return None
    if one.renews and grace.keeps_benefits:
        return grace.end(until)
    return until if at < until else None


def next_due(one: Subscription, at: datetime, grace: Grace) -> datetime | None:
    """The next instant after `at` at which time alone changes something."""
    if status_at(one, at, grace) in (Status.EXPIRED, Status.PAUSED):
        return None
    until = one.covered_until
    if until is None:
        steps = [grace.end(one.started_at)]
    else:
        steps = [until, *(grace.steps(until) if one.renews else ())]
    if one.ended_at is not None:
        steps.append(one.ended_at)
    return min((step for step in steps if at < step < FOREVER), default=None)
