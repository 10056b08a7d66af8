"""What the cache keeps of a member's unit: enough for a reader to do the sum at its own `now`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from loyalty.view import BalanceView

VERSION_END = 2**53  # Lua counts in doubles: from here on two versions can look the same.
AMOUNT_END = 2**63
LOTS_MAX = 64
_NEVER = datetime.max.replace(tzinfo=UTC)


class OpenLot(NamedTuple):
    """What is left of all lots with these two instants. `expires_at` None: never expires."""

    available_at: datetime
    expires_at: datetime | None
    remaining: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedBalance:
    """A member's unit as it is at `version`, in minor units.

    `overflow`: there are more lots than the cache keeps, so only the version is known here.

    :raises ValueError: a number out of its range
    """

    version: int
    held: int = 0
    deficit: int = 0
    lots: tuple[OpenLot, ...] = ()
    overflow: bool = False

    def __post_init__(self) -> None:
        if not _whole(self.version, VERSION_END):
            raise ValueError(f"version {self.version} is not a whole number in [0, 2**53)")
        for amount in (self.held, self.deficit, *[lot.remaining for lot in self.lots]):
            if not _whole(amount, AMOUNT_END):
                raise ValueError("an amount is not a whole number in [0, 2**63)")


@lru_cache(maxsize=4096)
def tombstone(version: int) -> CachedBalance:
    """What is left where only the version is known. Many balances have the same few versions."""
    return CachedBalance(version=version, overflow=True)


def _whole(number: object, end: int) -> bool:
    # A sum() of bigints reaches Python as a Decimal: that would not be written as a whole number.
    return isinstance(number, int) and 0 <= number < end


def merged(lots: Iterable[OpenLot]) -> tuple[OpenLot, ...]:
    """Lots that begin and end together as one, soonest to expire first, empty ones left out."""
    sums: dict[tuple[datetime, datetime | None], int] = {}
    for lot in lots:
        instants = (lot.available_at, lot.expires_at)
        sums[instants] = sums.get(instants, 0) + lot.remaining
    return tuple(
        OpenLot(available_at, expires_at, remaining)
        for (available_at, expires_at), remaining in sorted(
            sums.items(), key=lambda item: (item[0][1] or _NEVER, item[0][0])
        )
        if remaining
    )


def balance_at(cached: CachedBalance, now: datetime) -> BalanceView:
    """The balance at `now`: a lot counts from `available_at` until just before `expires_at`.

    :raises ValueError: for a tombstone, whose lots only Postgres knows
    """
    if cached.overflow:
        raise ValueError("this entry has no lots: ask Postgres")
    available = pending = 0
    for lot in cached.lots:
        if lot.expires_at is not None and lot.expires_at <= now:
            continue
        if lot.available_at <= now:
            available += lot.remaining
        else:
            pending += lot.remaining
    return BalanceView(
        total=available + pending,
        available=available,
        pending=pending,
        held=cached.held,
        deficit=cached.deficit,
    )
