"""What members and tenants ask of a points program beside spending."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from loyalty.commands import Command
from loyalty_earning import commands as earning


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivatePoints(Command):
    """Make points usable that wait for it: one lot, those of one rule, or all of the program's."""

    KIND: ClassVar[str] = "points.activation_requested/1"
    program: str
    rule: str | None = None
    lot: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChooseDonation(Command):
    """A member chose whether what ends is donated from now on."""

    KIND: ClassVar[str] = "points.donation_chosen/1"
    program: str
    donates: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Choose(earning.Choose):
    """A member picked options of a choice: all that they have of it from now on."""

    KIND: ClassVar[str] = "points.choice_made/1"
