"""Commands: what somebody asks of a member's account. Any rule may refuse one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from loyalty.facts import Fact
from loyalty.personal import PERSONAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(Fact):
    """Asked for by a client under an idempotency key (see `recorder.Request.key`).

    `STILL_WHEN_FROZEN`: it ends what was begun, or staff correct: for a frozen member as well.
    """

    KIND: ClassVar[str] = "Command"
    STILL_WHEN_FROZEN: ClassVar[bool] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeem(Command):
    """Spend `amount` of a program's unit, or what the program's `reward` costs: reserved first, or
    captured at once."""

    KIND: ClassVar[str] = "Redeem"
    program: str
    unit: str
    amount: int = 0  # where `reward` says it
    capture: bool = False
    hold_for: timedelta | None = None
    order: str | None = None
    reward: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict, metadata=PERSONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureRedemption(Command):
    """Settle a hold: all of it (`amount` None), or a part while the rest is released."""

    KIND: ClassVar[str] = "CaptureRedemption"
    STILL_WHEN_FROZEN: ClassVar[bool] = True
    redemption_id: UUID
    amount: int | None = None
    order: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRedemption(Command):
    KIND: ClassVar[str] = "ReleaseRedemption"
    STILL_WHEN_FROZEN: ClassVar[bool] = True
    redemption_id: UUID
    reason: str = field(default="", metadata=PERSONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReverseRedemption(Command):
    """Undo a captured redemption: what it took goes back to the lots it came from."""

    KIND: ClassVar[str] = "ReverseRedemption"
    STILL_WHEN_FROZEN: ClassVar[bool] = True
    redemption_id: UUID
    reason: str = field(default="", metadata=PERSONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoRedemption(ReverseRedemption):
    """The same of one that clients cannot undo (`Reinstate(allowed=False)`), because something else
    must be undone with it. Never sent as it is: a plugin's own command extends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustBalance(Command):
    """A correction by hand: `amount` > 0 gives, < 0 takes.

    What is given ends at `expires_at`, or `expires_after` (an ISO 8601 span of whole days) later as
    `expires_end` says; with neither it never does.
    """

    KIND: ClassVar[str] = "AdjustBalance"
    STILL_WHEN_FROZEN: ClassVar[bool] = True
    unit: str
    amount: int
    reason_code: str
    note: str = field(default="", metadata=PERSONAL)
    expires_at: datetime | None = None
    expires_after: str | None = None
    expires_end: str = "exact"
    allow_deficit: bool = False
