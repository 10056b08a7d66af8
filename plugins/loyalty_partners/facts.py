"""What partnerships ask of the ledger, and what they tell. Each names the line that it writes."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from loyalty.commands import Command, Redeem, UndoRedemption
from loyalty.facts import Fact, FactKey
from loyalty_partners.movement import Movement, moved_key


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsGiven(Redeem):
    """A member's points leave for a partner: exchanged, or spent at its till.

    `amount` includes the fee. `day` is the begin of the tenant's day, from which caps count.
    """

    KIND: ClassVar[str] = "partners.points_given/1"
    movement: Movement
    day: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsTaken(Command):
    """A member gets points from a partner: exchanged, earned at its till, or given by it."""

    KIND: ClassVar[str] = "partners.points_taken/1"
    program: str
    unit: str
    amount: int
    movement: Movement
    day: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerCharged(Command):
    """What a member did here moved points that the partner keeps: only money is cleared here."""

    KIND: ClassVar[str] = "partners.charged/1"
    program: str
    movement: Movement


@dataclass(frozen=True, slots=True, kw_only=True)
class GivingUndone(UndoRedemption):
    """What left for a partner comes back to the lots that it was taken from."""

    KIND: ClassVar[str] = "partners.giving_undone/1"
    movement_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeUndone(Command):
    """A charge without points of ours is taken back."""

    KIND: ClassVar[str] = "partners.charge_undone/1"
    movement_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsIssued(Command):
    """An outside brand gives a member points of ours for what they did there."""

    KIND: ClassVar[str] = "partners.points_issued/1"
    STILL_WHEN_FROZEN: ClassVar[bool] = True
    program: str
    unit: str
    amount: int
    activity: str
    movement: Movement
    day: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsSent(PointsGiven):
    """The first leg of an exchange with another installation: points left for its brand."""

    KIND: ClassVar[str] = "partners.points_sent/1"
    peer_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsReceived(PointsTaken):
    """The second leg, at the brand that credits them."""

    KIND: ClassVar[str] = "partners.points_received/1"
    peer_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingVoided(GivingUndone):
    """The brand there credited nothing, and never will: the points are back in their lots."""

    KIND: ClassVar[str] = "partners.sending_voided/1"
    COMPLETES: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingWrittenOff(GivingUndone):
    """The brand there never said, and two persons gave it up: the points are back in their lots,
    and the program bears it if they were credited after all."""

    KIND: ClassVar[str] = "partners.sending_written_off/1"
    COMPLETES: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOffEnded(Command):
    """The brand there spoke after all, of what was written off: it credited nothing (`voided`), or
    took back what it had. The program bears it no longer."""

    KIND: ClassVar[str] = "partners.write_off_ended/1"
    STILL_WHEN_FROZEN: ClassVar[bool] = True
    COMPLETES: ClassVar[bool] = True
    movement_id: UUID
    voided: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingUndone(GivingUndone):
    """The brand there took back what it had credited: what left comes back to its lots."""

    KIND: ClassVar[str] = "partners.sending_undone/1"
    COMPLETES: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PackSold(Fact):
    """An outside brand bought points ahead, which it may give."""

    KIND: ClassVar[str] = "partners.pack_sold/1"
    program: str
    points: int
    liability: int
    movement: Movement

    @property
    def natural_key(self) -> FactKey | None:
        return moved_key(self.movement.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class FundsLow(Fact):
    """The points that an outside brand may still give fell below the level agreed on.

    `amount` of `unit` is left, with its places; `points` are its minor units.
    """

    KIND: ClassVar[str] = "partners.funds_low/1"
    program: str
    agreement_id: UUID
    partner: str
    points: int
    unit: str = ""
    amount: str = ""
