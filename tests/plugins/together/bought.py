"""Members and their purchases as the books know them."""

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any
from uuid import UUID

from loyalty.facts import MemberRef, PurchaseRecorded
from loyalty.units import Rounding, rounded
from loyalty_cashback.payout import State


@dataclass
class Bought:
    """A purchase as it stands: what was granted by unit and line, what came back of each line."""

    fact: PurchaseRecorded
    grants: list[dict[str, Any]]
    back: Counter[str] = field(default_factory=Counter)

    def left(self, unit: str, program: str = "") -> int:
        amounts = {line.id: line.amount for line in self.fact.lines}
        return sum(
            share - rounded(Fraction(share * self.back[line], amounts[line]), Rounding.HALF_UP)
            for grant in self.grants
            if grant["unit"] == unit and program in ("", grant["program"])
            for line, share in grant["lines"].items()
        )

    @property
    def spent(self) -> int:
        return sum(line.amount - self.back[line.id] for line in self.fact.lines)


@dataclass
class Member:
    ref: MemberRef
    bought: dict[str, Bought] = field(default_factory=dict)
    payouts: dict[UUID, tuple[int, State]] = field(default_factory=dict)
