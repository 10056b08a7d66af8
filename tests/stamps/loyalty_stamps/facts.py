"""What a punch card lets others know, and what it reads of that itself."""

from dataclasses import dataclass, field
from typing import ClassVar

from loyalty.facts import Fact
from loyalty.personal import PERSONAL


@dataclass(frozen=True, slots=True, kw_only=True)
class StampGiven(Fact):
    """A member is given stamps for something that another member did, or did before."""

    KIND: ClassVar[str] = "stamps.stamp_given/1"
    program: str
    stamps: int
    reason: str = field(metadata=PERSONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFilled(Fact):
    """A member filled so many cards at once."""

    KIND: ClassVar[str] = "stamps.card_filled/1"
    program: str
    cards: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CardExpired(Fact):
    """A card reached its end with stamps on it."""

    KIND: ClassVar[str] = "stamps.card_expired/1"
    program: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledCard(Fact):
    """`stamps.card_filled/1` as a consumer reads it: only what it needs to know."""

    program: str
