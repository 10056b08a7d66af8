"""What a cashback program lets others know, and what its jobs have its rules look at."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Self
from uuid import UUID

from loyalty.facts import Fact, MemberRef
from loyalty.personal import PERSONAL
from loyalty_earning import facts as earning
from loyalty_earning.caps import CapOn


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutRequested(Fact):
    """Money is to be paid out; it is out of the member's balance already.

    `payout` is its id, which `recordPayout` takes; `amount` a decimal number with the places of
    the unit. `way` is STATEMENT (then `day` says of which) or REQUEST.
    """

    KIND: ClassVar[str] = "cashback.payout_requested/1"
    program: str
    payout: str
    way: str
    unit: str
    currency: str
    amount: str
    destination: str | None = field(metadata=PERSONAL)
    day: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutPaid(Fact):
    """A payout was paid. `reference` is what who paid it calls it."""

    KIND: ClassVar[str] = "cashback.payout_paid/1"
    program: str
    payout: str
    unit: str
    currency: str
    amount: str
    reference: str | None = field(metadata=PERSONAL)
    reason: str | None = field(metadata=PERSONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutFailed(Fact):
    """A payout could not be paid: the member has the money again."""

    KIND: ClassVar[str] = "cashback.payout_failed/1"
    program: str
    payout: str
    unit: str
    currency: str
    amount: str
    reference: str | None = field(metadata=PERSONAL)
    reason: str | None = field(metadata=PERSONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutReturned(Fact):
    """A payout came back after it was paid: the member has the money again."""

    KIND: ClassVar[str] = "cashback.payout_returned/1"
    program: str
    payout: str
    unit: str
    currency: str
    amount: str
    reference: str | None = field(metadata=PERSONAL)
    reason: str | None = field(metadata=PERSONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementPaid(Fact):
    """Everybody who had enough on a day of statements has a payout of it.

    `amount` is what all `members` together are paid of `unit`, a decimal number. So many more could
    not be paid (`refused`): it is tried again.
    """

    KIND: ClassVar[str] = "cashback.statement_paid/1"
    program: str
    day: str
    unit: str
    currency: str
    members: int
    amount: str
    refused: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedOver(earning.CarriedOver):
    """A new period began for a cap that carries over: what it cut before is given now.

    `target` is what the cap is on: `rule.<id>`, `group.<id>` or `program`; `unit` what it counts.
    """

    KIND: ClassVar[str] = "cashback.carried_over/1"
    unit: str

    @classmethod
    def of(cls, program: str, on: CapOn, member: MemberRef, at: datetime) -> Self:
        return cls(member=member, occurred_at=at, program=program, target=on.target, unit=on.unit)

    def is_of(self, target: str, unit: str) -> bool:
        return (target, unit) == (self.target, self.unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetReached(earning.BudgetReached):
    """So many percent of a budget are given: told once for each of its periods.

    `target` is what the budget is on: `rule.<id>`, `group.<id>` or `program`. Amounts are decimal
    strings with the places of the unit; the period is from `begins` to `ends`.
    """

    KIND: ClassVar[str] = "cashback.budget_reached/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceChanged(earning.ChoiceChanged):
    """A member picked other options than they had picked before. The first pick is no change."""

    KIND: ClassVar[str] = "cashback.choice_changed/1"


# --- looked at by rules, and told to nobody: what comes of them is told --------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutDue(Fact):
    """What a member has of a unit is looked at on a day of statements."""

    KIND: ClassVar[str] = "cashback.payout_fallen_due/1"
    program: str
    payout: UUID
    unit: str
    day: str
