"""Accounts as a batch sees them: what is stored, plus what the batch has moved so far."""

from dataclasses import dataclass
from uuid import UUID

MAIN = "main"  # a member's open lots
HELD = "held"  # a member's reserved value, out of its lots until captured or released
ISSUED = "issued"
REDEEMED = "redeemed"
BREAKAGE = "breakage"
ADJUSTED = "adjusted"


@dataclass(slots=True)
class Account:
    """A member's account in one unit. balance - deficit is what its postings sum up to."""

    id: UUID
    owner_id: UUID
    unit: str
    kind: str
    balance: int = 0
    deficit: int = 0
    version: int = 0

    @property
    def net(self) -> int:
        return self.balance - self.deficit
