"""What a tenant decides by name: refunds, changes of plan, pauses, unpaid fees."""

from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from loyalty_earning.section import Section
from loyalty_subscriptions.subscription import Grace

GRACE_DAYS_MAX = 366
RETRIES_MAX = 20


class Refund(StrEnum):
    """What of a period's fee goes back when it ends early."""

    NONE = "none"
    FULL = "full"
    PRORATE_DAYS = "prorate_days"  # the days that are left, of all its days
    PRORATE_MONTHS = "prorate_months"  # the months that have not begun, of all its months


class Change(StrEnum):
    """What happens when a member takes another plan."""

    AT_PERIOD_END = "at_period_end"  # the next period is one of the new plan
    PRORATE_DAYS = "prorate_days"  # at once; what is left of the old fee counts for the new one
    PRORATE_MONTHS = "prorate_months"
    FULL_PRICE = "full_price"  # at once, at the whole fee


def _rise(days: tuple[int, ...]) -> tuple[int, ...]:
    if list(days) != sorted(set(days)):
        raise PydanticCustomError("retry_days", "name each day once, in their order")
    return days


class Dunning(Section):
    """What happens where the fee of the next period is not paid."""

    retry_days: Annotated[
        tuple[Annotated[int, Field(strict=True, ge=1, le=GRACE_DAYS_MAX)], ...],
        Field(max_length=RETRIES_MAX),
        AfterValidator(_rise),
    ] = (1, 3, 7)
    """Days after the period's end on which it is tried again: points are burnt if there are enough
    by then, of a fee in money the shop is told (`subscriptions.payment_due.v1`). Days after the
    grace are left out. Stripe tries by its own plan."""
    grace_days: Annotated[int, Field(strict=True, ge=0, le=GRACE_DAYS_MAX)] = 14
    """Days after the period's end until the subscription expires; 0: at once."""
    keep_benefits: Annotated[bool, Field(strict=True)] = True
    """Whether members have the benefits while a fee is past due."""

    def grace(self, zone: ZoneInfo) -> Grace:
        return Grace(
            days=self.grace_days, retries=self.retry_days, keeps_benefits=self.keep_benefits,
            zone=zone,
        )  # fmt: skip


class Cancellation(Section):
    """How subscriptions end before their time, and what goes back then."""

    members_at_once: Annotated[bool, Field(strict=True)] = False
    """Whether members may end theirs at once; otherwise it runs until the end of the period. Staff
    may do both."""
    refund: Refund = Refund.NONE
    """What goes back of the period's fee where a subscription ends at once: none, full,
    prorate_days or prorate_months."""
    full_within_days: Annotated[int, Field(strict=True, ge=1, le=366)] | None = None
    """Days after a fee was paid within which all of it goes back, whatever `refund` says; null: no
    such days."""
    ends_with_refund: Annotated[bool, Field(strict=True)] = False
    """Whether a subscription ends when its last fee is told to be refunded in full."""


class Pauses(Section):
    """Whether members may pause; the rest of a paid period waits for them."""

    allowed: Annotated[bool, Field(strict=True)] = False
    """Whether they may. Staff always may."""
