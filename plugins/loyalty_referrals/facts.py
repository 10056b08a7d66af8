"""What a referral program lets others know, and what its rules look at."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from loyalty.facts import Fact


class Side(StrEnum):
    FRIEND = "friend"
    REFERRER = "referrer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flagged(Fact):
    """Guards noticed something about a friend's referral: it is held for review, or blocked."""

    KIND: ClassVar[str] = "referrals.flagged/1"
    program: str
    referral: UUID
    verdict: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributed(Fact):
    """A member is somebody's friend from now on."""

    KIND: ClassVar[str] = "referrals.attributed/1"
    program: str
    referral: UUID
    via: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewarded(Fact):
    """A side of a referral, or a step of a ladder, has its rewards.

    `rewards` are their ids; `challenges` those that other programs are to begin for the member.
    `units`: whether the ledger was given anything.
    """

    KIND: ClassVar[str] = "referrals.rewarded/1"
    program: str
    side: str
    rewards: tuple[str, ...]
    challenges: tuple[str, ...]
    units: bool
    available_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn(Fact):
    """What a side had of a referral, or a step, is taken back: the order came back."""

    KIND: ClassVar[str] = "referrals.withdrawn/1"
    program: str
    side: str
    rewards: tuple[str, ...]
    challenges: tuple[str, ...]


# --- looked at by rules, and told to nobody: what comes of them is told --------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Qualified(Fact):
    """A friend did what the program asks for. Money is in minor units.

    `goods` are what the products of the order came to (0: there is no order), `least` what must be
    left of them.
    """

    KIND: ClassVar[str] = "referrals.friend_qualified/1"
    program: str
    goods: int = 0
    least: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconsidered(Fact):
    """What qualified a friend came back, and there is an order that stands in for it."""

    KIND: ClassVar[str] = "referrals.reconsidered/1"
    program: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardDue(Fact):
    """A side of a referral is to have its rewards; `friend` is whose referral it is."""

    KIND: ClassVar[str] = "referrals.reward_due/1"
    program: str
    side: str
    friend: UUID
    pays_at: datetime
    goods: int = 0
    least: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FriendStands(Fact):
    """A friend counts for a referrer who is given nothing but steps for them."""

    KIND: ClassVar[str] = "referrals.friend_stands/1"
    program: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReached(Fact):
    """So many friends of a referrer stand that a step of the ladder is reached."""

    KIND: ClassVar[str] = "referrals.step_reached/1"
    program: str
    step: str
    pays_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PastForgotten(Fact):
    """What was remembered of a friend who was rewarded and erased has been so for long enough."""

    KIND: ClassVar[str] = "referrals.past_forgotten/1"
    COMPLETES: ClassVar[bool] = True
    program: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionStarted(Fact):
    """`subscriptions.started/1` as it is read here: to which plan, and whether on trial."""

    plan: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionRenewed(Fact):
    """`subscriptions.renewed/1` as it is read here: a period was paid, the first after a trial."""

    plan: str
