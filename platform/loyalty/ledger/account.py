"""Accounts as a batch sees them: what is stored, plus what the batch has moved so far."""

from dataclasses import dataclass
from uuid import UUID

from loyalty.errors import Code, Refused
from loyalty.owners import Holder
from loyalty.units import MINOR_MAX

MAIN = "main"  # open lots
HELD = "held"  # reserved value, out of its lots until captured or released
ISSUED = "issued"
REDEEMED = "redeemed"
BREAKAGE = "breakage"
ADJUSTED = "adjusted"


@dataclass(slots=True)
class Account:
    """A member's or other owner's account in one unit.

    balance - deficit is what its postings sum up to. `version` counts the postings, `terms` the new
    terms that its lots were given.
    """

    id: UUID
    owner: Holder
    unit: str
    kind: str
    balance: int = 0
    deficit: int = 0
    version: int = 0
    terms: int = 0

    @property
    def net(self) -> int:
        return self.balance - self.deficit

    def check_room(self, amount: int) -> None:
        """:raises Refused: LIMIT_EXCEEDED, the balance would pass what is exact everywhere"""
        if self.balance + amount > MINOR_MAX:
            raise Refused(
                Code.LIMIT_EXCEEDED,
                f"the balance would be more than {MINOR_MAX} minor units",
                field="amount",
            )
