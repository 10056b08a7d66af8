"""A payout: money of a member that leaves the program, and what became of it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

from loyalty.ids import public_id


class State(StrEnum):
    """Where a payout stands. It never goes back to one before."""

    REQUESTED = "REQUESTED"
    PAID = "PAID"
    FAILED = "FAILED"  # it was never paid: the member has the money again
    RETURNED = "RETURNED"  # it was paid and came back: the member has the money again

    @property
    def gives_back(self) -> bool:
        return self in (State.FAILED, State.RETURNED)

    def follows(self, other: "State") -> bool:
        """Whether this is news after the other. What gave the money back is the end."""
        return _RANKS[self] > _RANKS[other]


_RANKS = {State.REQUESTED: 0, State.PAID: 1, State.FAILED: 2, State.RETURNED: 2}


class Way(StrEnum):
    """What a payout was caused by."""

    STATEMENT = "STATEMENT"
    REQUEST = "REQUEST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Payout:
    """`amount` in minor units of `unit`; `fact_id` took it, None where this very batch did."""

    id: UUID
    way: Way
    unit: str
    currency: str
    amount: int
    state: State
    requested_at: datetime
    day: str | None = None
    destination: str | None = None
    redemption_id: UUID | None = None

    @property
    def public_id(self) -> str:
        return public_id("Payout", self.id)


@dataclass(frozen=True, slots=True)
class PayoutRow:
    """A payout that is requested now."""

    payout: Payout


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutChange:
    """What became of a payout."""

    id: UUID
    state: State
    at: datetime
    reference: str | None
    reason: str | None


def payout_id(tenant_id: UUID, scope: str, key: str) -> UUID:
    """The id of a payout that is asked for under a key: the same however often it is sent."""
    return uuid5(tenant_id, f"payout:{scope}:{key}")


def as_written(payout: Payout | None, ident: UUID, written: Iterable[Any]) -> Payout | None:
    """A payout as it was loaded, with what was written of it since in the same batch."""
    for row in written:
        if isinstance(row, PayoutRow) and row.payout.id == ident:
            payout = row.payout
        elif isinstance(row, PayoutChange) and row.id == ident and payout is not None:
            payout = replace(payout, state=row.state)
    return payout
