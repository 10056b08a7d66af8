"""What the plugin keeps in tables of its own, as rules see it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class CardRow:
    """A member's open card from now on; no stamps: none is open."""

    stamps: int
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class GivenRow:
    """Stamps for a fact, named by its key; a return of it takes them off with a minus."""

    scope: str
    key: str
    stamps: int


@dataclass(frozen=True, slots=True)
class BuddyRow:
    """Whom the member named, by the tenant's own id."""

    external_id: str


NO_CARD = CardRow(stamps=0, ends_at=None)
