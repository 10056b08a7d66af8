"""What staff, and members themselves, ask of a ladder."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from loyalty.commands import Command
from loyalty.personal import PERSONAL


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTier(Command):
    """Give a member a tier ("": what everybody has from the start), for a reason.

    It is theirs until `until` (None: no end is set); then what was counted decides. What is counted
    before then still lifts them, unless it is `locked`.
    """

    KIND: ClassVar[str] = "tiers.tier_set/1"
    program: str
    tier: str
    reason: str = field(metadata=PERSONAL)
    until: datetime | None = None
    locked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StartChallenge(Command):
    """A member takes a challenge."""

    KIND: ClassVar[str] = "tiers.challenge_started/1"
    program: str
    challenge: str
    reason: str = field(default="", metadata=PERSONAL)
