"""What a ladder lets others know, and what its jobs have its rules look at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from loyalty.facts import Fact
from loyalty.personal import PERSONAL


@dataclass(frozen=True, slots=True, kw_only=True)
class TierChanged(Fact):
    """A member's standing on a ladder changed: the tier, or until when they have it.

    `change` is UP, DOWN or SAME (kept on, in its grace, or moved by new rules), `reason` says why.
    `before` and `tier` are ids of tiers ("" for none), `since` and `until` instants (no `until`: no
    end is known). `sums` are what was counted then, by metric, as decimal numbers.
    """

    KIND: ClassVar[str] = "tiers.changed/1"
    program: str
    change: str
    reason: str
    before: str
    tier: str
    since: datetime
    until: datetime | None = None
    sums: Mapping[str, str] = field(default_factory=dict)
    note: str = field(default="", metadata=PERSONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardGiven(Fact):
    """`referrals.rewarded/1` as it is read here: the ids of challenges that begin with it."""

    challenges: tuple[str, ...]
    available_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardWithdrawn(Fact):
    """`referrals.withdrawn/1` as it is read here: those that end with it."""

    challenges: tuple[str, ...]


# --- looked at by rules, and told to nobody: what comes of them is told --------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewDue(Fact):
    """A member's standing is looked at: it ends, or what it goes by may have changed by itself."""

    KIND: ClassVar[str] = "tiers.review_fallen_due/1"
    program: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderReviewed(Fact):
    """Everybody up to a member was looked at under the rules of one version of a ladder; all of
    them, where it is `done`."""

    KIND: ClassVar[str] = "tiers.ladder_reviewed/1"
    program: str
    rules: str
    up_to: str
    done: bool = False
