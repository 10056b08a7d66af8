"""What of the fees that a member paid goes back, invoice by invoice."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from loyalty.effects import Emit
from loyalty.facts import FactReversed, MemberRef
from loyalty.view import View
from loyalty_subscriptions.periods import FOREVER
from loyalty_subscriptions.policies import Cancellation, Refund
from loyalty_subscriptions.proration import unused, within
from loyalty_subscriptions.rows import PaymentRow, RefundRow
from loyalty_subscriptions.subscription import Subscription
from loyalty_subscriptions.tables import PAYMENTS


@dataclass(frozen=True, slots=True)
class GoesBack:
    """So much of a fee, in its minor units."""

    fee: PaymentRow
    amount: int


def fees_of(view: View, one: Subscription) -> list[PaymentRow]:
    """The fees of a subscription, the one that pays for the latest period first."""
    found: dict[tuple[str, str], PaymentRow] = {
        row.key: row for row in view.needs.get(PAYMENTS) or ()
    }
    for row in view.written:
        if isinstance(row, PaymentRow):
            found[row.key] = row
        elif isinstance(row, RefundRow) and (known := found.get((row.provider, row.invoice))):
            found[known.key] = replace(known, refunded=max(known.refunded, row.refunded))
    mine = [row for row in found.values() if (row.provider, row.reference) == one.key]
    return sorted(mine, key=lambda row: (row.ends_at or FOREVER, row.invoice), reverse=True)


def undone_with(fee: PaymentRow, at: datetime, view: View) -> Iterator[Emit]:
    """All of a fee went back: so does what came with it, its gifts and whatever followed from it
    for others."""
    assert view.member is not None
    if fee.told_by is not None:
        back = FactReversed(
            member=MemberRef(id=view.member.id), occurred_at=at, part="1",
            reversed_scope=fee.told_by.scope, reversed_key=fee.told_by.key,
        )  # fmt: skip
        yield Emit(fact=back, apart=True)


def by_policy(
    policy: Cancellation, one: Subscription, fees: Sequence[PaymentRow], at: datetime, view: View
) -> Iterator[GoesBack]:
    """What the policy gives back where the subscription ends at an instant: of the period that is
    under way, and of those that are paid ahead."""
    moved = _moved_by_pauses(one, fees)
    stands = one.paused_at or at  # a pause uses nothing
    for fee in fees:
        if fee.starts_at is None or fee.ends_at is None:
            continue
        refund = policy.refund
        if fee.paid_at is not None and within(fee.paid_at, at, policy.full_within_days, view.zone):
            refund = Refund.FULL
        starts, ends = fee.starts_at + moved, _later(fee.ends_at, moved)
        if refund is Refund.FULL and at >= ends:
            continue  # that period is over: its fee was used
        left = unused(fee.amount, starts, ends, stands, refund, view.zone) - fee.refunded
        if left > 0:
            yield GoesBack(fee, left)


def _moved_by_pauses(one: Subscription, fees: Sequence[PaymentRow]) -> timedelta:
    """How much later what is paid ends than it was paid for."""
    last = next((fee for fee in fees if fee.invoice == one.paid_invoice), None)
    if last is None or last.ends_at is None or one.paid_until in (None, FOREVER):
        return timedelta(0)
    assert one.paid_until is not None
    return one.paid_until - last.ends_at


def _later(end: datetime, by: timedelta) -> datetime:
    return end if end == FOREVER else end + by
