"""What is told of payments, and what subscriptions let others know."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from loyalty.facts import Fact, FactKey
from loyalty.personal import PERSONAL
from loyalty_earning import facts as earning
from loyalty_subscriptions.subscription import Provider

# --- the port: what a payment provider, or the shop, tells of payments ---------------------------
# Told in any order and as often as they like. `program` is empty where the door it came through
# says it; `event` is the provider's own id of what it told.


class Outcome(StrEnum):
    """What became of a payment."""

    PAID = "PAID"
    FAILED = "FAILED"
    REFUNDED = "REFUNDED"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentReported(Fact):
    """A fee was paid, could not be taken, or was given back; `invoice` names it for ever.

    `amount` is in minor units of `currency`; of a refund all that was given back so far. Without
    `starts_at` and `ends_at` it is for the period that comes next.
    """

    KIND: ClassVar[str] = "subscriptions.payment_reported/1"
    program: str = ""
    provider: Provider
    reference: str = field(default="", metadata=PERSONAL)
    event: str = ""
    invoice: str
    outcome: Outcome
    plan: str | None = None
    price: str | None = None
    amount: int
    currency: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    attempt: int = 1
    adjusts: bool = False  # a period that is paid already costs more, or less

    @property
    def natural_key(self) -> FactKey | None:
        if self.event:
            return None  # known by the door that it came through
        again = {Outcome.FAILED: f":{self.attempt}", Outcome.REFUNDED: f":{self.amount}"}
        told = again.get(self.outcome, "")
        return FactKey(
            f"payment:{self.program}:{self.provider}", f"{self.invoice}:{self.outcome}{told}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeReported(Fact):
    """The provider tells how a subscription stands: what the member wants, trial, whether it ended.

    It says nothing of what is paid: that is a payment's to say.
    """

    KIND: ClassVar[str] = "subscriptions.change_reported/1"
    provider: Provider
    reference: str = field(metadata=PERSONAL)
    event: str
    plan: str | None = None
    price: str | None = None
    trial_until: datetime | None = None
    cancels: bool = False
    paused: bool = False
    closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionDue(Fact):
    """Time alone changed something about a subscription."""

    KIND: ClassVar[str] = "subscriptions.fallen_due/1"
    program: str
    provider: Provider
    reference: str = field(metadata=PERSONAL)


# --- what came of it -----------------------------------------------------------------------------
# `until` is the end of what is paid or on trial; null: for life. Amounts are decimal numbers.


@dataclass(frozen=True, slots=True, kw_only=True)
class Told(Fact):
    """Whatever a program tells of a subscription."""

    program: str
    plan: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Started(Told):
    """A member has a subscription: on trial, or paid."""

    KIND: ClassVar[str] = "subscriptions.started/1"
    status: str
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed(Told):
    """A further period is paid."""

    KIND: ClassVar[str] = "subscriptions.renewed/1"
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PastDue(Told):
    """The fee of the next period is not paid; it expires at `expires_at` unless it is."""

    KIND: ClassVar[str] = "subscriptions.past_due/1"
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentDue(Told):
    """A fee in money is to be taken by the shop: `attempt` 0 first, then as it is tried again.

    Whoever takes it says so by `recordSubscriptionPayment`.
    """

    KIND: ClassVar[str] = "subscriptions.payment_due/1"
    amounts: dict[str, str]
    starts_at: datetime
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFailed(Told):
    """A fee could not be taken."""

    KIND: ClassVar[str] = "subscriptions.payment_failed/1"
    attempt: int
    invoice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentUnmatched(Told):
    """A payment came that belongs to no plan: staff look at it."""

    KIND: ClassVar[str] = "subscriptions.payment_unmatched/1"
    plan: str = ""
    provider: str
    reference: str = field(metadata=PERSONAL)
    invoice: str
    price: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused(Told):
    """A subscription rests: no benefits, no fees."""

    KIND: ClassVar[str] = "subscriptions.paused/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed(Told):
    """A subscription goes on: after a pause, or because its cancellation was taken back."""

    KIND: ClassVar[str] = "subscriptions.resumed/1"
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled(Told):
    """A subscription will not renew; at `until` it ends."""

    KIND: ClassVar[str] = "subscriptions.cancelled/1"
    until: datetime | None
    reason: str = field(default="", metadata=PERSONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired(Told):
    """A subscription ended."""

    KIND: ClassVar[str] = "subscriptions.expired/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChanged(Told):
    """A subscription is one of another plan from now on."""

    KIND: ClassVar[str] = "subscriptions.plan_changed/1"
    before: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundDue(Told):
    """So much of a fee in money is to be given back by whoever took it."""

    KIND: ClassVar[str] = "subscriptions.refund_due/1"
    amount: str
    currency: str
    invoice: str
    reason: str = field(metadata=PERSONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refunded(Told):
    """So much of a fee was given back in all; `in_full`: nothing of it is left.

    `currency` is the unit where the fee was paid in points.
    """

    KIND: ClassVar[str] = "subscriptions.refunded/1"
    amount: str
    currency: str
    invoice: str
    in_full: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Comped(Told):
    """Staff gave a subscription for nothing."""

    KIND: ClassVar[str] = "subscriptions.comped/1"
    until: datetime | None
    reason: str = field(metadata=PERSONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetReached(earning.BudgetReached):
    """So many percent of a budget are given: told once for each of its periods.

    `target` is what the budget is on: `rule.<id>`, `group.<id>` or `program`. Amounts are decimal
    strings with the places of the unit; the period is from `begins` to `ends`.
    """

    KIND: ClassVar[str] = "subscriptions.budget_reached/1"
