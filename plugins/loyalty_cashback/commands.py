"""What members, tenants and payment providers ask of a cashback program beside spending."""

from dataclasses import dataclass, field
from typing import ClassVar
from uuid import UUID

from loyalty.commands import Command
from loyalty.personal import PERSONAL
from loyalty_cashback.payout import State
from loyalty_earning import commands as earning


@dataclass(frozen=True, slots=True, kw_only=True)
class Choose(earning.Choose):
    """A member picked options of a choice: all that they have of it from now on."""

    KIND: ClassVar[str] = "cashback.choice_made/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPayout(Command):
    """Pay out `amount` of a unit (None: all that is available). `payout` is the id it will have."""

    KIND: ClassVar[str] = "cashback.payout_asked/1"
    program: str
    payout: UUID
    unit: str
    amount: int | None = None
    destination: str | None = field(default=None, metadata=PERSONAL)
    by_member: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPayout(Command):
    """What became of a payout, as who carries it out says. `redemption` is what it took."""

    KIND: ClassVar[str] = "cashback.payout_recorded/1"
    COMPLETES: ClassVar[bool] = True
    STILL_WHEN_FROZEN: ClassVar[bool] = True
    program: str
    payout: UUID
    redemption: UUID
    state: State
    reference: str | None = field(default=None, metadata=PERSONAL)
    reason: str | None = field(default=None, metadata=PERSONAL)
