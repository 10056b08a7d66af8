"""What members and staff ask of subscriptions. `by_staff`: an admin or an operator does."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from loyalty.commands import Command
from loyalty.personal import PERSONAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(Command):
    """Whatever is asked of one program."""

    program: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribe(Asked):
    """Have a plan: at once where it is free, on trial or paid in points; else once it is paid."""

    KIND: ClassVar[str] = "subscriptions.subscription_requested/1"
    plan: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel(Asked):
    """End it: with the period, or at once."""

    KIND: ClassVar[str] = "subscriptions.cancellation_requested/1"
    STILL_WHEN_FROZEN: ClassVar[bool] = True
    at_once: bool = False
    reason: str = field(default="", metadata=PERSONAL)
    by_staff: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause(Asked):
    KIND: ClassVar[str] = "subscriptions.pause_requested/1"
    by_staff: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume(Asked):
    """Go on after a pause, or take a cancellation back."""

    KIND: ClassVar[str] = "subscriptions.resumption_requested/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePlan(Asked):
    KIND: ClassVar[str] = "subscriptions.plan_change_requested/1"
    plan: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comp(Asked):
    """Staff give a plan for nothing; `until` None: for life."""

    KIND: ClassVar[str] = "subscriptions.comp_requested/1"
    STILL_WHEN_FROZEN: ClassVar[bool] = True
    plan: str
    until: datetime | None = None
    reason: str = field(metadata=PERSONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveBack(Asked):
    """Staff give back of the last fee: `amount` in minor units; None: what the policy says."""

    KIND: ClassVar[str] = "subscriptions.refund_requested/1"
    STILL_WHEN_FROZEN: ClassVar[bool] = True
    amount: int | None = None
    reason: str = field(metadata=PERSONAL)
