"""What the plugin keeps in tables of its own, as rules see it and write it."""

from dataclasses import dataclass
from datetime import datetime

from loyalty.facts import FactKey
from loyalty_subscriptions.subscription import Subscription


@dataclass(frozen=True, slots=True)
class SubscriptionRow:
    """A member's subscription as it is from now on."""

    subscription: Subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRow:
    """A fee by its invoice. `paid_at` None: it is known only that it was given back.

    `told_by` is the fact that brought it, and what came with it: undone where all of it goes back.
    """

    known: bool = False  # it was told before
    told_by: FactKey | None = None

    provider: str
    invoice: str
    reference: str = ""
    plan: str
    amount: int
    paid_in: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    paid_at: datetime | None = None
    refunded: int = 0

    @property
    def key(self) -> tuple[str, str]:
        return self.provider, self.invoice


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRow:
    """So much of a fee that was paid was given back in all."""

    provider: str
    invoice: str
    refunded: int
