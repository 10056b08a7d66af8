"""Lots: in which order they burn and which of them pay an amount. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True)
class Lot:
    """What is left of one grant. Spendable from `available_at` until before `expires_at`."""

    id: UUID
    account_id: UUID
    fact_id: UUID
    program_id: UUID | None
    rule: str
    remaining: int
    occurred_at: datetime
    available_at: datetime
    settles_at: datetime | None = None
    expires_at: datetime | None = None
    ended: int = 0  # what its end took so far; known only where a return may come for it

    def available(self, at: datetime) -> bool:
        return self.available_at <= at and not self.expired(at)

    def pending(self, at: datetime) -> bool:
        return self.available_at > at and not self.expired(at)

    def settled(self, at: datetime) -> bool:
        """Whether no return can come for it any more, as far as its grant said."""
        return self.settles_at is None or self.settles_at <= at

    def expired(self, at: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= at


def burn_order(lot: Lot) -> tuple[datetime, datetime, UUID]:
    """Soonest to expire first, never-expiring last; ties by age, then id."""
    return (lot.expires_at or NEVER, lot.occurred_at, lot.id)


def choose(lots: Iterable[Lot], amount: int) -> list[tuple[Lot, int]]:
    """Which lots pay `amount` > 0 in burn order and how much each; less where they hold less."""
    chosen: list[tuple[Lot, int]] = []
    for lot in sorted(lots, key=burn_order):
        if amount == 0:
            break
        if (part := min(amount, lot.remaining)) > 0:
            chosen.append((lot, part))
            amount -= part
    return chosen


def spendable(lots: Sequence[Lot], at: datetime) -> int:
    return sum(lot.remaining for lot in lots if lot.available(at))


def pending(lots: Sequence[Lot], at: datetime) -> int:
    return sum(lot.remaining for lot in lots if lot.pending(at))
