"""What a referral is called, seen at an instant: worked out, never stored."""

from datetime import datetime
from enum import StrEnum

from loyalty_referrals.guards import Verdict


class State(StrEnum):
    OPEN = "OPEN"
    EXPIRED = "EXPIRED"
    HELD = "HELD"
    PENDING = "PENDING"
    PAID = "PAID"
    BLOCKED = "BLOCKED"
    REFUSED = "REFUSED"


def state_of(
    verdict: Verdict, open_until: datetime | None, pays_at: datetime | None, now: datetime
) -> State:
    """`pays_at` None: the friend has not qualified, or does not any more."""
    if verdict is Verdict.BLOCKED:
        return State.BLOCKED
    if verdict is Verdict.REFUSED:
        return State.REFUSED
    if pays_at is None:
        return State.EXPIRED if open_until is not None and open_until <= now else State.OPEN
    if verdict is Verdict.REVIEW:
        return State.HELD
    return State.PENDING if now < pays_at else State.PAID
